/** The DNS is away and comes back: a key that cannot be looked up now is no reason to refuse a report for good. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Zone } from '../support/dns-server.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { zone } from '../support/report-mail.ts'
import { makeHttpsWay, nextTold } from '../support/senders.ts'
import { survive, type Stage } from './stage.ts'

const postgres = await startPostgres()
after(postgres.close)

const [[name, record]] = Object.entries(zone) as [[string, string]]
const keyIs = (entry: Zone[string]) => ({ dns }: Stage) => { dns.zone[name] = entry } // prettier-ignore
/** Not kept, so that each mail needs the DNS. */
const there = keyIs({ txt: record, ttl: 0 })

const outages: [words: string, entry: Zone[string]][] = [
  ['the DNS is silent', { drop: true }],
  ['the DNS fails (SERVFAIL)', { servfail: true }],
]

for (const [words, entry] of outages) {
  test(`${words}, and answers again: mails are told to come back, posts need no DNS`, async (t) => {
    const { ledger } = await survive(t, postgres, `F26 ${words}`, {
      prepare: there,
      begin: keyIs(entry),
      seconds: 8,
      end: async (stage) => {
        const told = nextTold()
        const way = makeHttpsWay(stage.service.ports.intake)
        const reply = await way.send(told)
        way.close()
        stage.ledger.write(told.reportId, 'https', reply, 0)
        assert.equal(reply.kind, 'accepted', reply.text)
        there(stage)
      },
    })
    assert.ok(ledger.counts().temporary > 0, 'no mail met the outage')
  })
}
