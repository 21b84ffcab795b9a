#!/usr/bin/env node
/** The command line; the only place that knows the process: its environment, arguments, streams, signals and exit. */
import { Command } from 'commander'
import pino, { type Logger } from 'pino'
import { adminTokenFile, ConfigError, readConfig, type Config } from './config.ts'
import { runDemo } from './demo/demo.ts'
import { type ExitCode, type Say } from './commands/command.ts'
import { addDomain, listDomains, removeDomain } from './commands/domain.ts'
import { runMigrate } from './commands/migrate.ts'
import { product, startService } from './service.ts'

const oldestNode = 24

if (Number.parseInt(process.versions.node, 10) < oldestNode) {
  process.stderr.write(
    `${product.name} needs Node ${oldestNode} or newer; this is ${process.versions.node}. "npm start" uses the one that npm ci installed.\n`,
  )
  process.exit(2)
}

const say: Say = { out: (line) => process.stdout.write(`${line}\n`), err: (line) => process.stderr.write(`${line}\n`) }
const now = () => new Date()

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
  .action((name: string) => run((config, log) => removeDomain(config, log, say, name)))

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
  const log = pino({ level: config.logLevel, base: null }, pino.destination({ dest: 2, sync: true }))
  try {
    process.exitCode = await command(config, log)
  } catch (error) {
    log.fatal({ err: error }, 'stopped')
    process.exitCode = 1
  }
}

async function serve(config: Config, log: Logger): Promise<ExitCode> {
  const service = await startService(config, log, { now })
  if (service.adminToken.isNew) announceToken(config, service.adminToken.token)
  const { smtp, intake, api } = service.ports
  say.out(JSON.stringify({ msg: 'ready', smtp_port: smtp, intake_port: intake, api_port: api }))
  const signal = await stopped()
  log.info({ signal }, 'stopping: what is under way is finished first')
  const late = setTimeout(() => {
    log.error('not drained in time')
    process.exit(1)
  }, config.limits.drainSeconds * 1000)
  await service.close()
  clearTimeout(late)
  return 0
}

/** Once, and only to a person: in a log it would be a secret in a log. */
function announceToken(config: Config, token: string): void {
  if (process.stderr.isTTY) say.err(`The admin token, kept in ${adminTokenFile(config)}:\n  ${token}`)
}

/** The first SIGTERM or SIGINT; a second one ends the process at once. */
function stopped(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(1))
        resolve(signal)
      })
    }
  })
}
