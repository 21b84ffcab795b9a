/** Reports as the road has them before it records: whatever domain they are about is ours. */
import { defaultLimits } from '../src/limits.ts'
import type { Arrival } from '../src/store/arrivals.ts'
import { judge, type JudgeSettings } from '../src/tlsrpt/judge.ts'
import { makeOwnership } from '../src/tlsrpt/ownership.ts'
import { parseReport } from '../src/tlsrpt/parse.ts'
import { gzipReports } from './reports.ts'

export const judgeSettings: JudgeSettings = {
  ownership: makeOwnership([], true),
  dkimPolicy: 'require',
  reportRetentionDays: 400,
  plausibleSessions: defaultLimits.plausibleSessions,
}

export function judged(reports: readonly string[]): Arrival[] {
  const now = new Date()
  const raws = gzipReports(reports)
  return reports.map((json, i) => {
    const submission = {
      form: 'report',
      raw: raws[i]!,
      arrivedAt: now,
      provenance: { transport: 'https', peerAddress: '192.0.2.1', mediaType: 'application/tlsrpt+gzip' },
    } as const
    const parsed = parseReport(Buffer.from(json), now, defaultLimits)
    if (parsed.kind !== 'parsed') throw new Error(`a report of the bench is refused: ${JSON.stringify(parsed)}`)
    const judgement = judge({ submission, ...parsed, hints: {} }, judgeSettings)
    if (judgement.kind !== 'accepted') throw new Error(`a report of the bench is refused: ${JSON.stringify(judgement)}`)
    return { submission, source: '192.0.2.0/24', parts: [{ judgement, dkim: [] }] }
  })
}
