#!/usr/bin/env node
/** The command line; the only place that knows the process: its environment, arguments, streams, signals and exit. */
import { Command, Option } from 'commander'
import pino, { type Logger } from 'pino'
import { adminTokenFile, ConfigError, readConfig, secretsOf, type Config } from './config.ts'
import { runDemo } from './demo/demo.ts'
import { makeConcealer } from './secrets.ts'
import { type ExitCode, type Progress, type Say } from './commands/command.ts'
import { addDomain, listDomains, removeDomain } from './commands/domain.ts'
import { runCheckCommand } from './commands/check.ts'
import { runExport } from './commands/export.ts'
import { runImport } from './commands/import.ts'
import { runMigrate } from './commands/migrate.ts'
import { reprocessable, runReprocess, type ReprocessOptions } from './commands/reprocess.ts'
import { runRestore } from './commands/restore.ts'
import { createToken, listTokens, revokeToken } from './commands/token.ts'
import { runSelfTestCommand } from './commands/selftest.ts'
import { runVerify, type VerifyOptions } from './commands/verify.ts'
import { buildPage } from './page-build.ts'
import { product, startService } from './service.ts'

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
const progress = makeProgress()
const terminal = {
  progress,
  width: process.stdout.isTTY ? process.stdout.columns : Infinity,
  colour: process.stdout.isTTY && process.stdout.hasColors(), // Minds NO_COLOR.
}
const checking = { now, nowMs: () => performance.now(), product, ...terminal }

const program = new Command('tlsrpt-receiver')
  .description(
    'Receives TLS reports (RFC 8460) by mail and by HTTPS, verifies them, and answers what fails, where and why.',
  )
  .version(product.version)
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .addHelpText(
    'after',
    '\nSettings are environment variables; README.md lists them all.\nExit codes: 0 done, 1 something was refused or failed, 2 usage or configuration.',
  )

program
  .command('serve', { isDefault: true })
  .description('take reports by SMTP and HTTPS, answer the API; stops on SIGTERM or SIGINT')
  .addHelpText('after', '\nPrints one line of JSON on stdout once all listeners are open; logs go to stderr.')
  .action(() => run(serve, process.env))

program
  .command('demo')
  .description(
    'the whole road on throw-away data: sample reports by mail and by HTTPS, 90 days of history, and the answers',
  )
  .option('--once', 'stop after printing, instead of staying up until Ctrl-C', false)
  .action((options: { once: boolean }) =>
    run((_config, log) => runDemo({ once: options.once, say, log, now, stopped }), {
      LOG_LEVEL: 'error',
      ...process.env,
    }),
  )

program
  .command('migrate')
  .description('bring the database schema up to date, and say what was done')
  .action(() => run((config, log) => runMigrate(config, log, say)))

program
  .command('build')
  .description('make the dashboard anew; the service does so by itself when it is missing or older than its source')
  .action(() => run(build))

program
  .command('check <domain>')
  .description(
    'MTA-STS, TLS-RPT and DANE of a domain, as its senders see them: what is published, and what is wrong with it',
  )
  .option('--json', 'the check as JSON', false)
  .addHelpText(
    'after',
    `
Looks from this machine, and needs no store: nothing is kept. Kept are the daily checks of the service, and those that
the API is asked for. Sends no mail. Exit codes: 0 all well or advice, 3 a warning, 4 an error.`,
  )
  .action((domain: string, options: { json: boolean }) =>
    run((config, log) => runCheckCommand(config, log, { ...checking, say }, domain, options)),
  )

program
  .command('selftest <domain>')
  .description('whether reports about a domain find their way here: sends some, by mail and by HTTPS as published')
  .option('--json', 'the links as JSON', false)
  .addHelpText(
    'after',
    `
Beside the running service, with the same settings. Its reports are about nobody's domain: they are refused, stay listed
among the refusals, and count nowhere. Exit codes: 0 all links hold, 4 one is broken, which the last line names.`,
  )
  .action((domain: string, options: { json: boolean }) =>
    run((config, log) => runSelfTestCommand(config, log, { ...checking, say }, domain, options)),
  )

program
  .command('export <file>')
  .description('everything in the store as one file, as of one instant, while the service runs; - is stdout')
  .addHelpText('after', '\nThe file holds personal data and the hashes of tokens. The admin token is not in it.')
  .action((file: string) =>
    run((config, log) => runExport(config, log, { say, progress, stdout: process.stdout, now }, file)),
  )

program
  .command('restore <file>')
  .description('an export into an empty store, whole or not at all; - is stdin')
  .action((file: string) =>
    run((config, log) => runRestore(config, log, { say, progress, stdin: process.stdin }, file)),
  )

program
  .command('import <path...>')
  .description('reports as files: JSON, gzip, mails, mboxes, Maildirs, and folders of them at any depth')
  .addHelpText(
    'after',
    `
What a file is its content says. In folders, hidden files and links to folders are passed over.
Prints how many were taken and names what was not; exit 1 if there was any. A second time all are duplicates.`,
  )
  .action((paths: string[]) =>
    run((config, log) => runImport(config, log, { say, terminal: process.stderr, now }, paths)),
  )

program
  .command('reprocess')
  .description('judge what has arrived again, by the code and the domains of today, while its bytes are kept')
  .option('--since <date>', 'what arrived on this UTC day (YYYY-MM-DD) or later')
  .addOption(new Option('--verdict <verdict...>', 'what has one of these now').choices(reprocessable))
  .addHelpText(
    'after',
    `
What was refused or quarantined and is acceptable now counts from now on; what was accepted stays, and nothing counts
twice. Signatures keep the verdict of the day of arrival. May be stopped and started again at any time.`,
  )
  .action((options: ReprocessOptions) =>
    run((config, log) => runReprocess(config, log, { say, progress, world: { now } }, options)),
  )

program
  .command('verify')
  .description(
    'whether totals, flags and standings are what the facts make them, as of one instant, while the service runs',
  )
  .option('--repair', 'derive again what is not', false)
  .option('--json', 'one JSON object', false)
  .addHelpText('after', '\nExit 1 if something is not as it should be, and after --repair still is not.')
  .action((options: VerifyOptions) => run((config, log) => runVerify(config, log, say, now, options)))

const domain = program.command('domain').description('the domains whose reports are ours')
domain
  .command('add <domain>')
  .description('take reports about this domain; adding it again changes its settings')
  .option('--mx <host...>', 'hosts that serve it from outside it: DANE reports name the MX host')
  .option('--no-subdomains', 'leave its subdomains out')
  .action((name: string, options: { mx?: string[]; subdomains: boolean }) =>
    run((config, log) => addDomain(config, log, say, name, options)),
  )
domain
  .command('list')
  .description('what is ours, and by whose word')
  .option('--json', 'one JSON array', false)
  .action((options: { json: boolean }) => run((config, log) => listDomains(config, log, say, now, options)))
domain
  .command('remove <domain>')
  .description('take no more reports about this domain; what came stays')
  .option('--purge', 'erase what came, bytes included, also of a domain removed before', false)
  .action((name: string, options: { purge: boolean }) =>
    run((config, log) => removeDomain(config, log, say, name, options)),
  )

const token = program.command('token').description('who may ask the API, or post to an address of their own')
token
  .command('create <name>')
  .description('a new token, shown this once')
  .requiredOption(
    '--scope <scopes...>',
    'read, write, admin (both, and tokens), or ingest (reports to /v1/tlsrpt/TOKEN, nothing else)',
  )
  .option('--domain <domain...>', 'the domains it may see and change, or its posts be about; without any, every domain')
  .option('--json', 'one JSON object', false)
  .action((name: string, options: { scope: string[]; domain?: string[]; json: boolean }) =>
    run((config, log) => createToken(config, log, say, now, name, options)),
  )
token
  .command('list')
  .description('all tokens but the first, newest first, without what opens anything')
  .option('--json', 'one JSON array', false)
  .action((options: { json: boolean }) => run((config, log) => listTokens(config, log, say, options)))
token
  .command('revoke <key>')
  .description('for good; a running service refuses it within a second')
  .option('--json', 'one JSON object', false)
  .action((key: string, options: { json: boolean }) =>
    run((config, log) => revokeToken(config, log, say, key, options)),
  )

await program.parseAsync()

/**
 * Reads the configuration, runs one command, and ends the process with its exit code. A command that ends by itself
 * says what it has to say: its log keeps to what went wrong, unless LOG_LEVEL asks for more.
 */
async function run(
  command: (config: Config, log: Logger) => Promise<ExitCode>,
  env: NodeJS.ProcessEnv = { LOG_LEVEL: 'warn', ...process.env },
): Promise<void> {
  let config: Config
  try {
    config = readConfig(env)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    say.err(error.message)
    process.exit(2)
  }
  const log = makeLog(config)
  try {
    process.exitCode = await command(config, log)
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
