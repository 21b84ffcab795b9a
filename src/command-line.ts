/**
 * What can be asked for at the command line, in words; main.ts has the process to do it in. Each command is loaded when it
 * is asked for: all of them together are the whole house, and take half a second.
 */
import { Command, Option } from 'commander'
import type { Logger } from 'pino'
import type { Config } from './config.ts'
import type { ExitCode, Say, Terminal } from './commands/command.ts'
import type { ReprocessOptions } from './commands/reprocess.ts'
import type { VerifyOptions } from './commands/verify.ts'
import { product } from './product.ts'
import { reprocessable } from './tlsrpt/verdict.ts'

type Work = (config: Config, log: Logger) => Promise<ExitCode>

/** The process, as far as commands need it. */
export type CommandWorld = Terminal & {
  /** Reads the configuration and does the work. LOG_LEVEL is 'warn' unless it is said here, or in the environment. */
  run: (work: Work, logLevel?: Config['logLevel']) => Promise<void>
  exit: (code: ExitCode) => never
  serve: Work
  build: Work
  say: Say
  stdin: NodeJS.ReadStream
  stdout: NodeJS.WriteStream
  stderr: NodeJS.WriteStream
  now: () => Date
  nowMs: () => number
  /** Resolves when the process is asked to end. */
  stopped: () => Promise<NodeJS.Signals>
  /** Resolves at SIGUSR2. */
  nudged: () => Promise<unknown>
  pid: number
}

/** To be given arguments. */
export function makeCommandLine(world: CommandWorld): Command {
  const program = new Command('tlsrpt-receiver')
    .description(
      'Receives TLS reports (RFC 8460) by mail and by HTTPS, verifies them, and answers what fails, where and why.',
    )
    .version(product.version)
    .exitOverride((error) => world.exit(error.exitCode === 0 ? 0 : 2))
    .addHelpText(
      'after',
      '\nSettings are environment variables; README.md lists them all.\nExit codes: 0 done, 1 something was refused or failed, 2 usage or configuration.',
    )
  addServices(program, world)
  addLooks(program, world)
  addArchives(program, world)
  addJudgements(program, world)
  addDomains(program, world)
  addTokens(program, world)
  return program
}

/** What stays up. */
function addServices(program: Command, { run, serve, build, say, now, stopped, nudged, pid }: CommandWorld): void {
  program
    .command('serve', { isDefault: true })
    .description('take reports by SMTP and HTTPS, answer the API; stops on SIGTERM or SIGINT')
    .addHelpText('after', '\nPrints one line of JSON on stdout once all listeners are open; logs go to stderr.')
    .allowExcessArguments() // A command that is spelt wrong ends up here.
    .action((_options, { args: [name] }: Command) =>
      name === undefined
        ? run(serve, 'info')
        : program.error(`error: there is no command '${name}'; --help lists them`),
    )
  program
    .command('demo')
    .description(
      'the whole road on throw-away data: sample reports by mail and by HTTPS, 90 days of history, and the answers',
    )
    .option('--once', 'stop after printing, instead of staying up until Ctrl-C', false)
    .action((options: { once: boolean }) =>
      run(
        async (_config, log) =>
          (await import('./demo/demo.ts')).runDemo({
            once: options.once,
            say,
            log,
            now,
            stopped,
            nudged,
            nudge: `kill -USR2 ${pid}`,
          }),
        'error',
      ),
    )
  program
    .command('migrate')
    .description('bring the database schema up to date, and say what was done')
    .action(() => run(async (config, log) => (await import('./commands/migrate.ts')).runMigrate(config, log, say)))
  program
    .command('build')
    .description('make the dashboard anew; the service does so by itself when it is missing or older than its source')
    .action(() => run(build))
}

/** What looks at a domain from outside. */
function addLooks(program: Command, { run, ...world }: CommandWorld): void {
  const checking = { ...world, product }
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
      run(async (config, log) =>
        (await import('./commands/check.ts')).runCheckCommand(config, log, checking, domain, options),
      ),
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
      run(async (config, log) =>
        (await import('./commands/selftest.ts')).runSelfTestCommand(config, log, checking, domain, options),
      ),
    )
}

/** What brings a store in and out. */
function addArchives(program: Command, { run, say, progress, stdin, stdout, stderr, now }: CommandWorld): void {
  program
    .command('export <file>')
    .description('everything in the store as one file, as of one instant, while the service runs; - is stdout')
    .addHelpText('after', '\nThe file holds personal data and the hashes of tokens. The admin token is not in it.')
    .action((file: string) =>
      run(async (config, log) =>
        (await import('./commands/export.ts')).runExport(config, log, { say, progress, stdout, now }, file),
      ),
    )
  program
    .command('restore <file>')
    .description('an export into an empty store, whole or not at all; - is stdin')
    .action((file: string) =>
      run(async (config, log) =>
        (await import('./commands/restore.ts')).runRestore(config, log, { say, progress, stdin }, file),
      ),
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
      run(async (config, log) =>
        (await import('./commands/import.ts')).runImport(config, log, { say, terminal: stderr, now }, paths),
      ),
    )
}

/** What looks again at what is stored. */
function addJudgements(program: Command, { run, say, progress, now }: CommandWorld): void {
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
      run(async (config, log) =>
        (await import('./commands/reprocess.ts')).runReprocess(config, log, { say, progress, world: { now } }, options),
      ),
    )
  program
    .command('verify')
    .description(
      'whether totals, flags and standings are what the facts make them, as of one instant, while the service runs',
    )
    .option('--repair', 'derive again what is not', false)
    .option('--json', 'one JSON object', false)
    .addHelpText('after', '\nExit 1 if something is not as it should be, and after --repair still is not.')
    .action((options: VerifyOptions) =>
      run(async (config, log) => (await import('./commands/verify.ts')).runVerify(config, log, say, now, options)),
    )
}

function addDomains(program: Command, { run, say, now }: CommandWorld): void {
  const domain = program.command('domain').description('the domains whose reports are ours')
  domain
    .command('add <domain>')
    .description('take reports about this domain; adding it again changes its settings')
    .option('--mx <host...>', 'hosts that serve it from outside it: DANE reports name the MX host')
    .option('--no-subdomains', 'leave its subdomains out')
    .action((name: string, options: { mx?: string[]; subdomains: boolean }) =>
      run(async (config, log) => (await import('./commands/domain.ts')).addDomain(config, log, say, name, options)),
    )
  domain
    .command('list')
    .description('what is ours, and by whose word')
    .option('--json', 'one JSON array', false)
    .action((options: { json: boolean }) =>
      run(async (config, log) => (await import('./commands/domain.ts')).listDomains(config, log, say, now, options)),
    )
  domain
    .command('remove <domain>')
    .description('take no more reports about this domain; what came stays')
    .option('--purge', 'erase what came, bytes included, also of a domain removed before', false)
    .action((name: string, options: { purge: boolean }) =>
      run(async (config, log) => (await import('./commands/domain.ts')).removeDomain(config, log, say, name, options)),
    )
}

function addTokens(program: Command, { run, say, now }: CommandWorld): void {
  const token = program.command('token').description('who may ask the API, or post to an address of their own')
  token
    .command('create <name>')
    .description('a new token, shown this once')
    .requiredOption(
      '--scope <scopes...>',
      'read, write, admin (both, and tokens), or ingest (reports to /v1/tlsrpt/TOKEN, nothing else)',
    )
    .option(
      '--domain <domain...>',
      'the domains it may see and change, or its posts be about; without any, every domain',
    )
    .option('--json', 'one JSON object', false)
    .action((name: string, options: { scope: string[]; domain?: string[]; json: boolean }) =>
      run(async (config, log) =>
        (await import('./commands/token.ts')).createToken(config, log, say, now, name, options),
      ),
    )
  token
    .command('list')
    .description('all tokens but the first, newest first, without what opens anything')
    .option('--json', 'one JSON array', false)
    .action((options: { json: boolean }) =>
      run(async (config, log) => (await import('./commands/token.ts')).listTokens(config, log, say, options)),
    )
  token
    .command('revoke <key>')
    .description('for good; a running service refuses it within a second')
    .option('--json', 'one JSON object', false)
    .action((key: string, options: { json: boolean }) =>
      run(async (config, log) => (await import('./commands/token.ts')).revokeToken(config, log, say, key, options)),
    )
}
