/** The bad inputs, of the 225 on the list, that have no row in this folder: who has them instead, or why nobody. */

/** Case -> a test that has it, by its file and the beginning of its name. */
export const byOtherTests: Record<number, [file: string, name: string]> = {
  177: ['test/api/wall.test.ts', 'a mixed report shows each his own part, and the bytes to neither'],
  179: [
    'test/store/identity-order.test.ts',
    'any claims by any number of instances in any order end in the same numbers',
  ],
  180: ['test/api/metrics.test.ts', 'of however many domains a few have a name of their own, and the others share one'],
  182: [
    'test/store/recorder.test.ts',
    'a report older than all retention is accepted, and its bytes are all that is kept',
  ],
  183: ['test/dashboard/hostile.ts', '183: everything that a sender wrote is text'],
  184: ['test/api/page.test.ts', '184: every answer has the policy that keeps a browser to what we serve'],
  185: ['test/api/csv.test.ts', '185: what a spreadsheet would run is text, in one record'],
  186: ['test/api/reports.test.ts', '186: the bytes come back as they came, as a download that no browser runs'],
  187: ['test/transport/smtp.test.ts', 'a transaction is one line in the log, whatever a stranger writes into it'],
  188: ['test/api/parameters.test.ts', 'whatever stands in a query, the answer is 200 or 400 and no statement fails'],
  189: ['test/api/parameters.test.ts', '400 names ${parameters'],
  190: ['test/api/parameters.test.ts', '400 names ${parameters'],
  191: ['test/api/parameters.test.ts', '400 names ${parameters'],
  192: ['test/api/tokens.test.ts', '192: whatever is wrong with a token, the answer is the same 401'],
  193: ['test/api/wall.test.ts', '193: another’s key is 404, in the same words and after as much work as nobody’s'],
  194: ['test/api/tokens.test.ts', '194: the intake takes ingest tokens only, the API any other'],
  195: ['test/api/tokens.test.ts', '195: of a thousand wrong tokens at once'],
  196: [
    'test/api/tokens.test.ts',
    '196: a token opens nothing from an address, and is in no log, no answer and no row',
  ],
  197: ['test/api/tokens.test.ts', '197: a body with a prototype in it is no JSON to us'],
  198: ['test/api/wall.test.ts', '198: a tenant has the domains of his list'],
  199: ['test/api/session.test.ts', '199: brute force: signing in is counted with the tokens that are wrong'],
  200: ['test/journey.test.ts', 'strangers do not reach the API by the intake, nor the intake by the API'],
  201: ['test/api/tokens.test.ts', '201: what goes wrong says no more than its name'],
  202: ['test/api/tokens.test.ts', '202: no cache keeps an answer'],
  203: ['test/checks/outgoing.test.ts', '203: no IPv4 address but a public one is called'],
  204: ['test/checks/outgoing.test.ts', '204: no IPv6 address but a public one is called, whatever it wraps'],
  205: ['test/checks/outgoing.test.ts', '205: of a mixed answer only the public addresses are called'],
  206: ['test/checks/policy-host.test.ts', '206: the address that was vetted is the one that is called'],
  207: ['test/checks/mx-host.test.ts', '207, 208: what is no host name is neither looked up nor called'],
  208: ['test/checks/mx-host.test.ts', '208: a circle of aliases has no address'],
  209: ['test/checks/policy-host.test.ts', '209: no redirect is followed, and where it leads is told'],
  210: ['test/checks/policy-host.test.ts', '210: whatever never ends is ended'],
  211: ['test/checks/policy-host.test.ts', '211: whatever is wrong with a certificate is named'],
  212: ['test/checks/mx-host.test.ts', '212: of an MX of whatever kind there is a word, in time'],
  213: ['test/checks/outgoing.test.ts', '213: one address hears from us so often in a minute and no more'],
  214: [
    'test/checks/check.test.ts',
    '214: what a stranger puts into the DNS is told by its name, and shown without what could deceive',
  ],
  215: ['test/checks/outgoing.test.ts', '215: of any host only the two ports are called'],
  220: ['test/store/database.test.ts', 'every session has the time-outs of its pool'],
  225: ['test/process.test.ts', 'no secret is printed or told, whatever goes wrong'],
}

/** Of what the service does not do at all, so that there is nothing to send it. */
export const never: Record<number, string> = {
  91: 'no report makes us open a connection: src/checks/outgoing.ts alone calls strangers, for a check that one of ours asked for',
  121: 'addresses are never looked up in the DNS (disableReverseLookup in src/transport/smtp.ts)',
  165: 'there is no switch that turns off posts without a token: DESIGN.md section 3 takes them as unverified',
  216: 'no policy is served by us: src/checks/hosting.ts makes texts for the servers of others, which its tests run',
  217: 'no policy is edited here: what is advised is computed from what is published, and the operator publishes it',
  221: 'no report is ever written to a temporary file: what is under way is in memory, within bounds',
  224: 'a property of how it is installed: Dockerfile runs it as the user node, docs/operate.md says the rest',
}
