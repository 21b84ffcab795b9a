#!/usr/bin/env -S node --max-semi-space-size=16 --max-old-space-size=512 --heap-growing-percent=100
/** The command line; the only place that knows the process: its environment, arguments, streams, signals and exit. */
import pino, { type Logger } from 'pino'
import { adminTokenFile, ConfigError, readConfig, secretsOf, type Config } from './config.ts'
import { makeConcealer } from './secrets.ts'
import { makeCommandLine, type CommandWorld } from './command-line.ts'
import type { ExitCode, Progress, Say } from './commands/command.ts'
import { product } from './product.ts'

const oldestNode = 24

if (Number.parseInt(process.versions.node, 10) < oldestNode) {
  process.stderr.write(
    `${product.name} needs Node ${oldestNode} or newer; this is ${process.versions.node}. "npm start" uses the one that npm ci installed.\n`,
  )
  process.exit(2)
}

const say: Say = { out: (line) => process.stdout.write(`${line}\n`), err: (line) => process.stderr.write(`${line}\n`) }
// Whoever read us may have gone: that ends no service, and a log nobody reads is not worth waiting for.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
/** What may wait for a reader of our stderr; beyond that lines of the log are dropped. */
const unreadBytes = 1024 * 1024
const unreadMs = 1_000
const now = () => new Date()

const program = makeCommandLine({
  ...{ run, serve, build, say, stopped, progress: makeProgress() },
  ...{ nudged: () => new Promise((resolve) => process.on('SIGUSR2', resolve)), pid: process.pid },
  exit: (code) => process.exit(code),
  width: process.stdout.isTTY ? process.stdout.columns : Infinity,
  colour: process.stdout.isTTY && process.stdout.hasColors(), // Minds NO_COLOR.
  ...{ stdin: process.stdin, stdout: process.stdout, stderr: process.stderr },
  ...{ now, nowMs: () => performance.now() },
})
await program.parseAsync()

/**
 * Reads the configuration, runs one command, and ends the process with its exit code. A command that ends by itself
 * says what it has to say: its log keeps to what went wrong, unless LOG_LEVEL asks for more.
 */
async function run(...[work, logLevel = 'warn']: Parameters<CommandWorld['run']>): Promise<void> {
  let config: Config
  try {
    config = readConfig({ LOG_LEVEL: logLevel, ...process.env })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    say.err(error.message)
    process.exit(2)
  }
  const log = makeLog(config)
  try {
    process.exitCode = await work(config, log)
  } catch (error) {
    log.fatal({ err: error }, error instanceof Error ? error.message : 'stopped')
    process.exitCode = 1
  }
}

function makeLog(config: Config): Logger {
  const conceal = makeConcealer(secretsOf(config))
  const stderr = {
    write: (line: string) => {
      if (process.stderr.writableLength < unreadBytes) process.stderr.write(conceal(line))
    },
  }
  return pino({ level: config.logLevel, base: null }, stderr)
}

async function serve(config: Config, log: Logger): Promise<ExitCode> {
  const asked = stopped().then((signal) => ({ signal })) // From now on: whoever is answered while we start is drained, too.
  const broken = uncaught().then((err) => ({ err }))
  const { startService } = await import('./service.ts')
  const service = await startService(config, log, { now })
  if (service.adminToken.isNew) announceToken(config, service.adminToken.token)
  const { smtp, intake, api } = service.ports
  say.out(JSON.stringify({ msg: 'ready', smtp_port: smtp, intake_port: intake, api_port: api }))
  const why = await Promise.race([asked, broken, service.outdated]).catch(async (error: unknown) => {
    await service.close()
    throw error
  })
  if ('err' in why) log.fatal(why, 'nobody caught this: stopping, and what is under way is finished first')
  else log.info(why, 'stopping: what is under way is finished first')
  const late = setTimeout(() => {
    log.error('not drained in time')
    process.exit(1)
  }, config.limits.drainSeconds * 1000)
  await service.close()
  clearTimeout(late)
  const code = 'err' in why ? 1 : 0
  setTimeout(() => process.exit(code), unreadMs).unref() // For a log that nobody reads, which keeps the process.
  return code
}

async function build(): Promise<ExitCode> {
  try {
    const { buildPage } = await import('./page-build.ts')
    await buildPage()
    return 0
  } catch (error) {
    say.err(error instanceof Error ? error.message : String(error))
    return 1
  }
}

/** Once, and only to a person: in a log it would be a secret in a log. */
function announceToken(config: Config, token: string): void {
  if (process.stderr.isTTY) say.err(`The admin token, kept in ${adminTokenFile(config)}:\n  ${token}`)
}

/** On a terminal only, and no more often than a person can read. */
function makeProgress(): Progress {
  const everyMs = 100
  let shownAt = 0
  return (text) => {
    if (!process.stderr.isTTY || (text !== '' && performance.now() - shownAt < everyMs)) return
    process.stderr.write(`\r\x1b[K${text}`)
    shownAt = performance.now()
  }
}

/**
 * The first error that nobody caught, a rejection as well: a defect of ours, and what it left behind nobody knows, so
 * whoever watches over the process is to start it anew. A second one ends it at once.
 */
function uncaught(): Promise<unknown> {
  return new Promise((resolve) => process.once('uncaughtException', resolve))
}

/** The first SIGTERM or SIGINT; a second one, of either, ends the process at once. */
function stopped(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let heard = false
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (heard) process.exit(1)
        heard = true
        resolve(signal)
      })
    }
  })
}
