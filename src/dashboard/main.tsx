/** The dashboard: a page that shows what the REST API answers, and nothing else. */
import '@picocss/pico/css/pico.min.css'
import './style.css'
import { render } from 'preact'
import { App } from './app.tsx'
import { findSession } from './session.ts'

void findSession()
render(<App />, document.getElementById('app')!)
