/** Debian's postfix between our correspondents and us, where it is installed: its own folder, on loopback only. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { claimPort } from './fault-ports.ts'

const run = promisify(execFile)

export type Relay = {
  port: number
  /** Messages that it has taken and not handed on. */
  queued: () => Promise<number>
  /**
   * Tries all of them now. By itself it leaves one for a minute, whatever its settings, that its delivery agent had not
   * let go of when its turn came again ("skipped, still being delivered").
   */
  flush: () => Promise<unknown>
  stop: () => Promise<void>
}

/** Why there is no postfix to be had, or undefined. */
export async function whyNoPostfix(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'postfix runs as root only'
  return run('postconf', ['-h', 'daemon_directory']).then(() => undefined, () => 'postfix is not installed') // prettier-ignore
}

/** Everything it takes goes to one port of 127.0.0.1. */
export const relayTo = (target: number): string => `
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
relayhost = [127.0.0.1]:${target}`

/** Takes mail on a free port, with `settings` in its main.cf; retries after a second what is put off. */
export async function startPostfix(settings: string): Promise<Relay> {
  const folder = await mkdtemp(join(tmpdir(), 'tlsrpt-postfix-'))
  await chmod(folder, 0o755) // Its daemons are not root.
  const { stdout } = await run('id', ['-u', 'postfix'])
  const [config, queue, data] = ['etc', 'queue', 'data'].map((name) => join(folder, name)) as [string, string, string]
  const port = await claimPort() // Postfix cannot be told to take any free port.
  for (const each of [config, queue, data]) await mkdir(each)
  await run('chown', [stdout.trim(), data])
  await writeFile(join(config, 'main.cf'), mainCf(folder, queue, data) + settings)
  await writeFile(join(config, 'master.cf'), masterCf(port))
  // The shell stops it when its input ends: after stop(), and also when the test is killed.
  const script = 'postfix -c "$0" start && echo started && read _; postfix -c "$0" stop'
  const shell = spawn('sh', ['-c', script, config], { stdio: ['pipe', 'pipe', 'ignore'] })
  const ended = once(shell, 'close')
  const stop = async () => {
    shell.stdin.end()
    await ended
    await rm(folder, { recursive: true, force: true })
  }
  await Promise.race([once(shell.stdout, 'data'), ended])
  if (shell.exitCode !== null) {
    const log = await readFile(join(folder, 'mail.log'), 'utf8').catch(() => 'no log')
    await stop()
    throw new Error(`postfix does not start:\n${log}`)
  }
  const queued = async () => {
    const { stdout } = await run('postqueue', ['-c', config, '-j'])
    return stdout.split('\n').filter((line) => line !== '').length
  }
  const flush = () => run('postqueue', ['-c', config, '-f'])
  return { port, queued, flush, stop }
}

const mainCf = (folder: string, queue: string, data: string) => `
compatibility_level = 3.6
queue_directory = ${queue}
data_directory = ${data}
maillog_file = ${folder}/mail.log
maillog_file_prefixes = ${folder}
myhostname = relay.rua.example
mydestination =
local_transport = error:there is no mailbox here
alias_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_host_lookup = native
smtp_dns_support_level = disabled
smtp_tls_security_level = may
notify_classes =
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 1s
`

const masterCf = (port: number) => `
127.0.0.1:${port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`
