/** `check DOMAIN`: a domain seen from outside, in the terminal; the same check that POST /v1/checks makes. */
import type { Logger } from 'pino'
import type { Finding } from '../checks/findings/finding.ts'
import type { Severity } from '../checks/findings/codes.ts'
import type { Progress as CheckProgress } from '../checks/look.ts'
import { makeChecker } from '../checker.ts'
import type { Config } from '../config.ts'
import type { ExitCode, Progress, Say } from './command.ts'

export type CheckDeps = {
  say: Say
  progress: Progress
  now: () => Date
  nowMs: () => number
  product: { name: string; version: string }
}

/** Of a line that is written over; a longer one would leave pieces behind. */
const lineChars = 79

const exitCodes: Record<Severity, ExitCode> = { ok: 0, advice: 0, warning: 3, error: 4 }

export async function runCheckCommand(
  config: Config,
  _log: Logger,
  { say, progress, ...world }: CheckDeps,
  text: string,
  options: { json: boolean },
): Promise<ExitCode> {
  const checker = await makeChecker(config, world)
  const input = checker.readDomain(text)
  if (input.kind === 'refused') {
    say.err(`'${text}' ${input.message}`)
    return 2
  }
  const check = await checker.check(input.domain, showSteps(progress))
  progress('')
  if (options.json) {
    say.out(JSON.stringify(check, undefined, 2))
  } else {
    for (const line of describe(check.domain, check.severity, check.findings)) say.out(line)
  }
  return exitCodes[check.severity]
}

const marks: Record<Severity, string> = { ok: '✓', advice: 'i', warning: '!', error: '✕' }
const order: readonly Severity[] = ['error', 'warning', 'advice', 'ok']

/** What is wrong first; what is well is one line each. */
export function describe(domain: string, severity: Severity, findings: readonly Finding[]): string[] {
  const sorted = findings.toSorted((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity))
  return [
    `${domain}: ${severity}`,
    '',
    ...sorted.flatMap((finding) => [
      `${marks[finding.severity]} ${finding.severity.padEnd(7)} ${finding.subject}: ${finding.sentence} (${finding.code})`,
      ...(finding.severity === 'ok' ? [] : detailsOf(finding)),
    ]),
  ]
}

const detailsOf = ({ evidence, fix, value }: Finding): string[] =>
  [
    ...evidence.map((line) => `seen: ${line}`),
    ...(fix === undefined ? [] : [`to do: ${fix}`]),
    ...(value === undefined ? [] : value.split('\n').map((line) => `    ${line}`)),
  ].map((line) => `          ${line}`)

/** Steps under way, the longest waited for first, on one line that is written over. */
function showSteps(show: Progress): (step: CheckProgress) => void {
  const underWay = new Set<string>()
  let done = 0
  return ({ step, subject, state }) => {
    const name = `${step} ${subject}`
    if (state === 'begun') underWay.add(name)
    else if (underWay.delete(name)) done++
    show(`${done} of ${done + underWay.size} looked at; ${[...underWay].join(', ')}`.slice(0, lineChars))
  }
}
