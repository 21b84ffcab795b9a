/** What the demo shows of itself: what the API answers, and where to look further. */
import type { Service } from '../service.ts'
import { domains } from './history.ts'
import { formatTable } from './table.ts'

export type Say = { out: (line: string) => void }

export type ApiCall = (method: string, path: string, body?: object) => Promise<unknown>

/** Rejects for any answer that is no success. */
export const apiClient =
  ({ ports, adminToken }: Service): ApiCall =>
  async (method, path, body) => {
    const headers = { authorization: `Bearer ${adminToken.token}`, ...(body && { 'content-type': 'application/json' }) }
    const response = await fetch(`http://127.0.0.1:${ports.api}${path}`, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
    return response.json()
  }

type SummaryRow = {
  domain: string
  receiving_mx_hostname: string | null
  result_type: string | null
  failed: number
  failed_by_policy_type: Record<string, number>
  reporters: number
  first_seen: string | null
  last_seen: string | null
  unverified: { failed: number }
}

/** Since the day `from`, 'YYYY-MM-DD'. */
export async function showAnswers(api: ApiCall, say: Say, from: string): Promise<void> {
  const { data } = (await api(
    'GET',
    `/v1/summary?group_by=domain,receiving_mx_hostname,result_type&from=${from}&limit=500`,
  )) as { data: SummaryRow[] }
  const rows = data
    .sort((a, b) =>
      a.domain < b.domain
        ? -1
        : a.domain > b.domain
          ? 1
          : b.failed - a.failed || b.unverified.failed - a.unverified.failed,
    )
    .map((row) => [
      row.domain,
      row.receiving_mx_hostname ?? '-',
      row.result_type ?? '-',
      String(row.failed),
      String(row.unverified.failed),
      besidePrimary(row),
      String(row.reporters),
      row.first_seen ?? '-',
      row.last_seen ?? '-',
    ])
  say.out(`\nWhat fails, where: sessions by domain, receiving MX and result type since ${from}`)
  say.out(
    '  verified: a DKIM signature of the reporting domain stands behind it; HTTPS proves nothing, so it stands beside\n',
  )
  for (const line of formatTable(
    [
      'domain',
      'receiving MX',
      'result type',
      '>verified',
      '>unverified',
      'by policy type',
      '>reporters',
      'first',
      'last',
    ],
    rows,
  ))
    say.out(`  ${line}`)
}

type CheckAnswer = { severity: string; findings: { severity: string; subject: string; sentence: string }[] }
type ReadinessAnswer = {
  verdict: string
  would_have_been_refused: { sessions: number }
  clean: { since: string; sessions: number; reporters: string[] }
  blockers: { sentence: string }[]
}

/** How the domains look from outside: what the reports tell of is seen, and whether MTA-STS may be enforced. */
export async function showChecks(api: ApiCall, say: Say): Promise<void> {
  const rows: string[][] = []
  for (const { domain } of domains) {
    const { severity, findings } = (await api('POST', '/v1/checks', { domain })) as CheckAnswer
    const worst = findings.find((finding) => finding.severity === 'error')
    rows.push([domain, severity, worst ? `${worst.subject}: ${worst.sentence}` : ''])
  }
  say.out('\nHow they look from outside, in a world simulated on loopback\n')
  for (const line of formatTable(['domain', 'check', 'because'], rows)) say.out(`  ${line}`)
  const { verdict, blockers, clean, would_have_been_refused: refused } = (await api('GET', '/v1/domains/alpha.example/readiness')) as ReadinessAnswer // prettier-ignore
  say.out(
    `\nCan alpha.example enforce MTA-STS? ${verdict}: ${refused.sessions} sessions would have been refused in 30 days.`,
  )
  for (const { sentence } of blockers) say.out(`  ${sentence}`)
  if (verdict === 'ready')
    say.out(`  None of them since ${clean.since}: ${clean.sessions} sessions of ${clean.reporters.length} known reporters went well.`) // prettier-ignore
}

/** Failures under a policy type that does not stand for the report's totals: the same sessions, perhaps, so never added. */
const besidePrimary = ({ failed, failed_by_policy_type: byType }: SummaryRow): string => {
  const types = Object.entries(byType).filter(([, count]) => count > 0)
  const isWhole = types.length === 1 && types[0]?.[1] === failed
  return isWhole ? '' : types.map(([type, count]) => `${type} ${count}`).join(', ')
}

export function showWhereToGo({ ports, adminToken }: Service, ruaAddress: string, say: Say): void {
  say.out(`
SMTP    127.0.0.1:${ports.smtp}          swaks --server 127.0.0.1 --port ${ports.smtp} --to ${ruaAddress} --data @FILE.eml
HTTPS   https://127.0.0.1:${ports.intake}/v1/tlsrpt
Look    http://127.0.0.1:${ports.api}/         sign in with the token
API     http://127.0.0.1:${ports.api}/v1   all of it explained: http://127.0.0.1:${ports.api}/docs
Token   ${adminToken.token}

Try     TOKEN=${adminToken.token}
        curl -sH "Authorization: Bearer $TOKEN" 'http://127.0.0.1:${ports.api}/v1/summary?group_by=domain'
        curl -sH "Authorization: Bearer $TOKEN" 'http://127.0.0.1:${ports.api}/v1/failures?domain=alpha.example&limit=5'
        curl -sH "Authorization: Bearer $TOKEN" 'http://127.0.0.1:${ports.api}/v1/submissions?verdict=unauthenticated'
        curl -sH "Authorization: Bearer $TOKEN" http://127.0.0.1:${ports.api}/v1/domains/alpha.example/readiness`)
}
