/**
 * All that is tested in a real browser, in one process: one Chromium and one demo serve it all. A part of it runs alone by
 * `npm test -- test/dashboard/PART.ts`.
 */
import './session.ts'
import './views.ts'
import './reach.ts'
import './hostile.ts'
import './set-up.ts'
import './acts.ts' // Last: it changes what the others look at.
