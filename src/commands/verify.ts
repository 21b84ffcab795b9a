/** `verify`: whether the store agrees with itself, and `--repair`, to make it. */
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { noPolicies, type DayTotal } from '../store/day-totals.ts'
import { repairStore } from '../store/repair.ts'
import { verifyStore, type Finding } from '../store/verify.ts'
import { withStore, type ExitCode, type Say } from './command.ts'

export type VerifyOptions = { repair: boolean; json: boolean }

export async function runVerify(
  config: Config,
  log: Logger,
  say: Say,
  now: () => Date,
  options: VerifyOptions,
): Promise<ExitCode> {
  const { reports, findings, left } = await withStore(config, log, async (db) => {
    const found = await verifyStore(db, now())
    if (!options.repair || found.findings.length === 0) return { ...found, left: found.findings }
    await repairStore(db, found.findings)
    return { ...found, left: (await verifyStore(db, now())).findings }
  })
  if (options.json) {
    say.out(JSON.stringify({ reports, findings, ...(options.repair && { left }) }, exactly))
    return left.length > 0 ? 1 : 0
  }
  for (const finding of findings) say.out(lineOf(finding))
  if (findings.length === 0) say.out(`All is as it should be: ${reports} reports.`)
  else if (!options.repair) say.out(`${findings.length} found in ${reports} reports. verify --repair mends them.`)
  else if (left.length === 0) say.out(`${findings.length} found in ${reports} reports, and mended.`)
  else {
    say.out(`${findings.length} found in ${reports} reports. Still so after mending:`)
    for (const finding of left) say.out(lineOf(finding))
  }
  return left.length > 0 ? 1 : 0
}

/** What is absent is null; sums are exact: beyond 2^53 a JSON number would be rounded by whoever reads it. */
function exactly(_name: string, value: unknown): unknown {
  if (value === undefined) return null
  if (typeof value !== 'bigint') return value
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
}

function lineOf(finding: Finding): string {
  const { domain, day } = finding
  return `${domain === '' ? '-' : domain}  ${day}  ${whatOf(finding)}`
}

function whatOf(finding: Finding): string {
  if (finding.kind === 'day-total')
    return `${finding.trust} total ${typeText(finding.policyType)}is ${totalText(finding.recorded)}, its facts are ${totalText(finding.folded)}`
  return `${finding.rows} ${finding.rows === 1 ? 'row' : 'rows'} of ${finding.table} ${meanings[finding.kind]}`
}

const meanings = {
  standing: 'with a standing that the claims do not give',
  sums: 'with sessions that are not those of the policies',
  tallies: 'with failures that are not those of the details',
  flags: 'that do not say what the report says',
  orphans: 'without a report',
  misplaced: 'in the default partition',
} as const

const typeText = (policyType: string): string => (policyType === noPolicies ? '' : `of ${policyType} `)

const totalText = (total: DayTotal | undefined): string =>
  total
    ? `${total.successful} successful, ${total.failed} failed, ${total.attributed} attributed, ${total.reports} reports, ${total.failedOfType} failed of ${total.policies} policies`
    : 'nothing'
