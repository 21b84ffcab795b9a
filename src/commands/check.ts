/** `check DOMAIN`: a domain seen from outside, in the terminal; what POST /v1/checks does, less the keeping. */
import type { Logger } from 'pino'
import { styleText } from 'node:util'
import type { Check } from '../checks/check.ts'
import type { Severity } from '../checks/findings/codes.ts'
import type { Finding } from '../checks/findings/finding.ts'
import type { Progress as CheckProgress } from '../checks/look.ts'
import type { Config } from '../config.ts'
import { readCheckedDomain, type CheckDeps } from './checked-domain.ts'
import { printedJson, type ExitCode, type Progress, type Terminal } from './command.ts'

const exitCodes: Record<Severity, ExitCode> = { ok: 0, advice: 0, warning: 3, error: 4 }

export async function runCheckCommand(
  config: Config,
  _log: Logger,
  { say, progress, width, colour, ...world }: CheckDeps,
  text: string,
  options: { json: boolean },
): Promise<ExitCode> {
  const read = await readCheckedDomain(config, { say, ...world }, text)
  if (!read) return 2
  const check = await read.checker.check(read.domain, showSteps(progress, width))
  progress('')
  if (options.json) say.out(printedJson(check))
  else for (const line of describe(check, { width, colour })) say.out(line)
  return exitCodes[check.severity]
}

const marks: Record<Severity, string> = { ok: '✓', advice: 'i', warning: '!', error: '✕' }
const order: readonly Severity[] = ['error', 'warning', 'advice', 'ok']
const colours = { ok: 'green', advice: 'blue', warning: 'yellow', error: 'red' } as const

type Paper = Pick<Terminal, 'width' | 'colour'>

/** What is wrong first. Of what is well, a line each. A value is never broken: it is there to be copied. */
export function describe({ domain, severity, findings }: Check, { width, colour }: Paper): string[] {
  const paint = (of: Severity, text: string) =>
    colour ? styleText(colours[of], text, { validateStream: false }) : text
  const dim = (text: string) => (colour ? styleText('dim', text, { validateStream: false }) : text)
  const columns = width === Infinity ? width : Math.min(width, widest)
  const lines = (finding: Finding) => {
    const { code, severity: of, subject, sentence } = finding
    const label = paint(of, `${marks[of]} ${of.padEnd(labelChars - 2)}`)
    const [first = '', ...rest] =
      of === 'ok'
        ? wrap(`${subject}: ${sentence}`, columns - labelChars)
        : [
            ...besides(subject, code, columns - labelChars, dim),
            ...wrap(sentence, columns - labelChars),
            ...detailsOf(finding, columns - labelChars),
          ]
    return [`${label}${first}`, ...rest.map((line) => `${' '.repeat(labelChars)}${line}`), ...(of === 'ok' ? [] : [''])]
  }
  return [
    paint(severity, `${domain}: ${severity}`) + ` (${countsOf(findings)})`,
    '',
    ...findings.toSorted((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity)).flatMap(lines),
  ]
}

/** Longer lines are hard to read, however wide the terminal. */
const widest = 100
const labelChars = 10
const nameChars = 7

const countsOf = (findings: readonly Finding[]): string =>
  order
    .flatMap((severity) => {
      const count = findings.filter((finding) => finding.severity === severity).length
      return count === 0 ? [] : `${count} ${severity}`
    })
    .join(', ')

function detailsOf({ evidence, fix, value }: Finding, columns: number): string[] {
  const named = (name: string, text: string) =>
    wrap(text, columns - nameChars).map((line, i) => (i === 0 ? name : '').padEnd(nameChars) + line)
  return [
    ...evidence.flatMap((line) => named('seen', line)),
    ...(fix === undefined ? [] : named('to do', fix)),
    ...(value === undefined ? [] : value.trimEnd().split('\n').map((line) => `${' '.repeat(nameChars)}${line.trimEnd()}`)), // prettier-ignore
  ]
}

/** Where there are blanks; a longer word stays whole. */
function wrap(text: string, columns: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= columns) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

/** The code stands beside its subject where there is room, and below it otherwise. */
const besides = (subject: string, code: string, columns: number, dim: (text: string) => string): string[] =>
  subject.length + 2 + code.length <= columns ? [`${subject}  ${dim(code)}`] : [...wrap(subject, columns), dim(code)]

/** Steps under way, the longest waited for first, on one line that is written over: a longer one would leave pieces. */
function showSteps(show: Progress, width: number): (step: CheckProgress) => void {
  const underWay = new Set<string>()
  let done = 0
  return ({ step, subject, state }) => {
    const name = `${step} ${subject}`
    if (state === 'begun') underWay.add(name)
    else if (underWay.delete(name)) done++
    const waiting = underWay.size === 0 ? '' : `; ${[...underWay].join(', ')}`
    show(`${done} of ${done + underWay.size} looked at${waiting}`.slice(0, Math.min(width, widest) - 1))
  }
}
