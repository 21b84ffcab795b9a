/** RFC 8460 §4.1 and DESIGN.md section 3: one report told twice, told otherwise, or told by somebody else. */
import { gzipSync } from 'node:zlib'
import { base64Lines, rawMail, sign } from '../support/report-mail.ts'
import type { WatchedService } from '../support/watched-service.ts'
import { at, bytes, policy, report, withCounts, zipped, type Json } from './report.ts'
import { mail, post, reportMail, type Row } from './run-rows.ts'

type Step = (to: WatchedService) => Promise<string>

const mailed =
  (json: Json | string): Step =>
  ({ ports }) =>
    mail(ports.smtp, reportMail(bytes(json)))
const posted =
  (json: Json | string): Step =>
  ({ ports }) =>
    post(ports.intake, bytes(json))
/** In the name and with the signature of another. */
const mailedBy = (domain: string, json: Json): Step => ({ ports }) => mail(ports.smtp, sign(rawMail({ From: `tls@${domain}` }, base64Lines(zipped({ ...json, 'contact-info': `tls@${domain}` }))), { domain })) // prettier-ignore

/** Steps one after the other; the answer is the trust of each report of that id that counts. */
const sequence = (number: number, title: string, json: Json, steps: Step[], counts: string, rows: string[]): Row => ({
  number,
  title,
  send: async (service) => {
    for (const step of steps) await step(service)
    const { rows } = await service.database.db.query<{ trust: string }>(
      'select trust from report where report_id = $1 and counted order by trust, domain, day',
      [json['report-id']],
    )
    return rows.map(({ trust }) => trust).join(', ')
  },
  answer: counts,
  rows,
}) // prettier-ignore

/** Its members in another order, at every level. */
const turned = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(turned)
    : typeof value === 'object' && value !== null
      ? Object.fromEntries(Object.entries(value).reverse().map(([name, member]) => [name, turned(member)]))
      : value // prettier-ignore

const otherwise = (json: Json): Json => ({ ...withCounts(99, 0), 'report-id': json['report-id'] })

function cases(): Row[] {
  const twice = ['accepted', 'duplicate']
  const a = Array.from({ length: 20 }, () => report())
  const next = () => a.pop()!
  const both = (title: string, make: (json: Json) => Step[], counts: string, rows: string[], number: number): Row => {
    const json = next()
    return sequence(number, title, json, make(json), counts, rows)
  }
  const id = (suffix: string) => `${process.pid}-like${suffix}`
  const alike = ['', ' ', '\u200b', '/é', '/e\u0301', '/A', '/a', '/\ufffd'].map((suffix) => report({ 'report-id': id(suffix) }))
  return [
    {
      number: 27,
      title: 'ids that look alike are different ids',
      send: async (to) => (await Promise.all(alike.map((json) => posted(json)(to)))).map((answer) => answer.split(' ')[1]).join(', '),
      answer: Array<string>(alike.length).fill('accepted').join(', '),
      rows: Array<string>(alike.length).fill('accepted'),
    },
    both('the same mail twice', (json) => [mailed(json), mailed(json)], 'verified', twice, 171),
    both('the same post twice', (json) => [posted(json), posted(json)], 'unverified', twice, 171),
    both('mailed, then posted', (json) => [mailed(json), posted(json)], 'verified', twice, 171),
    both('posted, then mailed', (json) => [posted(json), mailed(json)], 'verified', twice, 171),
    both('indented', (json) => [posted(json), posted(JSON.stringify(json, null, 2))], 'unverified', twice, 172),
    both('in another order', (json) => [posted(json), posted(turned(json) as Json)], 'unverified', twice, 172),
    both('zipped once more', (json) => [posted(json), ({ ports }) => post(ports.intake, gzipSync(bytes(json)))], 'unverified', twice, 172),
    both('with a repair in between', (json) => [posted(json), posted(JSON.stringify(json).replace('"total-failure-session-count":2', '"total-failure-session-count":"2"'))], 'unverified', ['accepted', 'duplicate count-is-string'], 172),
    both('other numbers, by the same reporter', (json) => [mailed(json), mailed(otherwise(json))], 'verified', ['accepted', 'conflict'], 173),
    both('forged before the real one comes', (json) => [posted(otherwise(json)), mailed(json)], 'verified', ['accepted', 'accepted'], 174),
    both('forged after the real one came', (json) => [mailed(json), posted(otherwise(json))], 'verified', ['accepted', 'conflict'], 175),
    both('two that disagree, and nobody vouches for either', (json) => [posted(json), posted(otherwise(json))], '', ['accepted', 'conflict'], 175),
    both('the same id by another reporter', (json) => [mailed(json), mailedBy('evil.example', json)], 'verified, verified', ['accepted', 'accepted'], 176),
    both('the same id for another day', (json) => [mailed(json), mailed({ ...json, 'date-range': { 'start-datetime': at(-3), 'end-datetime': at(-2) } })], 'verified, verified', ['accepted', 'accepted'], 176),
    both('the same id for another domain', (json) => [mailed(json), mailed({ ...json, policies: [policy({ 'policy-domain': 'alone.example' })] })], 'verified, verified', ['accepted', 'accepted'], 176),
    both('a hundred at the same time', (json) => [(to) => Promise.all(Array.from({ length: 100 }, () => posted(json)(to))).then(String)], 'unverified', ['accepted', ...Array<string>(99).fill('duplicate')], 178),
    both('a report of yesterday, mailed again', (json) => [mailed(json), mailed(json), mailed(json)], 'verified', [...twice, 'duplicate'], 145),
    both('in the name of google.com, by post', (json) => [posted({ ...json, 'organization-name': 'google.com', 'contact-info': 'tls@google.com' })], 'unverified', ['accepted'], 181),
  ]
} // prettier-ignore

export const identity: Row[] = cases()
