/** `import PATH...`: reports as files go down the same road as those that arrive. */
import { SingleBar } from 'cli-progress'
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { makeRoad, type Road } from '../road.ts'
import type { Problem } from '../tlsrpt/submission.ts'
import type { Outcome } from '../tlsrpt/verdict.ts'
import { importFiles, type Listener } from '../transport/file.ts'
import { listFiles } from '../transport/folder.ts'
import { withStore, type ExitCode, type Say } from './command.ts'

/** `terminal` is stderr: where it is a terminal, a bar shows how far it is. */
export type ImportDeps = { say: Say; terminal: NodeJS.WriteStream; now: () => Date }

/** The recorder takes one connection, the list of domains another. */
const connections = 2

export async function runImport(
  config: Config,
  log: Logger,
  { say, terminal, now }: ImportDeps,
  paths: readonly string[],
): Promise<ExitCode> {
  const tally = makeTally()
  const bar = terminal.isTTY ? await startBar(terminal, paths) : undefined
  const hear: Listener = {
    outcomes: (name, outcomes) => {
      for (const outcome of outcomes) tally.add(name, outcome)
      bar?.update({ submissions: tally.submissions() })
    },
    failed: tally.addFailed,
    read: (bytes) => bar?.increment(bytes),
  }
  const importing = async (road: Road) => {
    await importFiles(paths, { ingest: road.ingest, limits: config.limits, now }, hear).finally(road.recorder.close)
    return !road.ownDomains.any && (await road.ownDomains.list()).length === 0
  }
  const nothingIsOurs = await withStore(
    config,
    log,
    (db) => importing(makeRoad(db, config, log, { now })),
    connections,
  ).finally(() => bar?.stop())
  for (const line of tally.table()) say.out(line)
  for (const line of tally.refusals()) say.err(line)
  if (nothingIsOurs) say.err('No domain is ours yet: domain add example.com, or POLICY_DOMAINS. Then import again.')
  return tally.refusals().length === 0 ? 0 : 1
}

async function startBar(stream: NodeJS.WriteStream, paths: readonly string[]): Promise<SingleBar> {
  let bytes = 0
  for await (const listed of listFiles(paths)) if (listed.kind === 'file') bytes += listed.size
  const format = '{bar} {percentage}%  {submissions} submissions  {eta_formatted} left'
  const bar = new SingleBar({ stream, format, clearOnComplete: true, gracefulExit: false })
  bar.start(bytes, 0, { submissions: 0 })
  return bar
}

/** In the order of the summary. */
const verdicts = ['accepted', 'duplicate', 'conflict', 'quarantined', 'unauthenticated', 'malformed', 'unreadable', 'not-ours', 'too-large', 'deferred', 'failed'] as const // prettier-ignore

type Verdict = (typeof verdicts)[number]

/** What was not taken is named up to here, the rest counted. */
const mostNamed = 50

function makeTally() {
  const counts = new Map<Verdict, number>()
  const named: string[] = []
  let submissions = 0
  let refused = 0
  const count = (verdict: Verdict) => {
    submissions++
    counts.set(verdict, (counts.get(verdict) ?? 0) + 1)
  }
  const refuse = (name: string, why: string) => {
    if (refused++ < mostNamed) named.push(`  ${name}: ${why}`.replaceAll(/\p{Cc}/gu, '?')) // Anybody names files.
  }
  return {
    add: (name: string, outcome: Outcome) => {
      count(outcome.kind)
      const why = reasonOf(outcome)
      if (why !== undefined) refuse(name, why)
    },
    addFailed: (name: string, reason: string) => {
      count('failed')
      refuse(name, `cannot be read: ${reason}`)
    },
    submissions: () => submissions,
    table: () => {
      const rows = verdicts.flatMap((verdict) => (counts.has(verdict) ? [[verdict, String(counts.get(verdict))]] : []))
      const width = Math.max(...verdicts.map((verdict) => verdict.length))
      const lines = rows.map(([verdict, number]) => `${verdict!.padEnd(width)} ${number!.padStart(9)}`)
      return lines.length > 0 ? lines : ['There was nothing to import.']
    },
    refusals: () => [
      ...(refused > 0 ? ['Not taken:', ...named] : []),
      ...(refused > named.length ? [`  and ${refused - named.length} more`] : []),
    ],
  }
}

/** Undefined for what is in the store as the sender meant it. */
function reasonOf(outcome: Outcome): string | undefined {
  switch (outcome.kind) {
    case 'accepted':
    case 'duplicate':
    case 'conflict':
      return undefined
    case 'quarantined':
      return 'quarantined: a defect of ours, which the log names; reprocess it after an upgrade'
    case 'deferred':
      return `deferred (${outcome.reason}): import it again later`
    case 'unauthenticated':
    case 'malformed':
    case 'unreadable':
    case 'not-ours':
    case 'too-large':
      return [`${outcome.kind} (${outcome.reason})`, ...outcome.problems.slice(0, 1).map(problemText)].join(': ')
  }
}

const problemText = ({ pointer, message }: Problem): string => (pointer === '' ? message : `${pointer}: ${message}`)
