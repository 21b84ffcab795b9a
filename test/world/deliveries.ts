/** How the reports of the week travel: by mail, by HTTPS, both, twice, late; and what a liar and a stranger send. */
import { gzipSync } from 'node:zlib'
import { pick, type Random } from './ledger.ts'
import { composeMail, liarDomain, writeReport, type Report } from './senders.ts'

export type Delivery =
  | { by: 'mail'; raw: Buffer }
  /** To the intake token of that domain of ours: its rua URL, which stands in public DNS. */
  | { by: 'https'; body: Buffer; domain: string }

/** A report as far as anybody can know: who vouches for it, and whether it counts at all. */
export type Told = {
  report: Report
  trust: 'verified' | 'unverified'
  /** False where two tell different things under one name and nobody vouches for either. */
  counted: boolean
}

/** Copies of one report, in turn from sender to sender. A repeat is a retry after a reply that got lost. */
const routes: Delivery['by'][][] = [
  ['mail'],
  ['mail', 'https'],
  ['https', 'mail'],
  ['https'],
  ['mail', 'mail'],
  ['https', 'mail', 'https', 'mail'],
  ['mail'],
]

export type Week = { told: Told[]; genuine: Delivery[]; ofTheLiar: Delivery[]; ofTheStranger: Delivery[] }

export function planWeek(reports: Report[]): Week {
  const week: Week = { told: [], genuine: [], ofTheLiar: [], ofTheStranger: [] }
  reports.forEach((report, i) => {
    const json = writeReport(report)
    const post = (attempt: number): Delivery => postOf(report, json, attempt)
    if (report.sender === 'stranger') {
      week.ofTheStranger.push(post(0))
      week.told.push({ report, trust: 'unverified', counted: true })
      return
    }
    const route = routeOf(report, i)
    route.forEach((by, attempt) =>
      week.genuine.push(by === 'mail' ? { by, raw: composeMail(report, json, attempt) } : post(attempt)),
    )
    const isForged = isPredictable(report)
    if (isForged) {
      week.ofTheStranger.push(postOf(report, forge(json), 0))
      week.ofTheLiar.push(
        { by: 'mail', raw: composeMail(report, forge(json), 0, { signer: liarDomain }) },
        { by: 'mail', raw: composeMail(report, forge(json), 1, { signer: liarDomain, from: `google@${liarDomain}` }) },
      )
    }
    const trust = route.includes('mail') ? 'verified' : 'unverified'
    week.told.push({ report, trust, counted: trust === 'verified' || !isForged })
  })
  return week
}

/** web.example publishes rua=https: only; mox sends mail only. */
function routeOf({ about, sender }: Report, i: number): Delivery['by'][] {
  if (about === 'web.example') return i % 3 === 0 ? ['https', 'https'] : ['https']
  return sender === 'mox' ? (['mail', 'mail'].slice(i % 2) as Delivery['by'][]) : routes[i % routes.length]!
}

/** Google's ids can be guessed. On some days somebody does, before Google is there. */
const isPredictable = ({ sender, about, day }: Report): boolean =>
  sender === 'google' && (about === 'alpha.example' || (about === 'web.example' && day.endsWith('9')))

function postOf({ about }: Report, json: object, attempt: number): Delivery {
  return { by: 'https', body: gzipSync(JSON.stringify(json), { level: 9 - attempt }), domain: about }
}

/** The same report by every name it has, with failures that nobody had. */
function forge(json: Record<string, unknown>): Record<string, unknown> {
  const [policy] = json['policies'] as object[]
  return {
    ...json,
    policies: [
      {
        ...policy,
        summary: { 'total-successful-session-count': 0, 'total-failure-session-count': 99_999 },
        'failure-details': [{ 'result-type': 'certificate-expired', 'failed-session-count': 99_999 }],
      },
    ],
  }
}

export function shuffle<T>(items: readonly T[], random: Random): T[] {
  const left = [...items]
  return items.map(() => {
    const chosen = pick(left, random)!
    left.splice(left.indexOf(chosen), 1)
    return chosen
  })
}
