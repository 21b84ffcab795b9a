/**
 * `npm run soak [-- MINUTES]`, an hour unless told: both transports, and again and again a fault drawn by lot, for as long
 * as you like. Prints a line for each, with the memory and the descriptors of the service, and judges the ledger at the
 * end; exit 1 if anything was lost or counted twice. FAULT_SEED=N brings the order of the faults back.
 */
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeAckLedger } from '../support/ack-ledger.ts'
import { startDnsServer } from '../support/dns-server.ts'
import { makeFaultedService } from '../support/faulted-service.ts'
import { startPostgresProxy } from '../support/postgres-proxy.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { zone } from '../support/report-mail.ts'
import { startSenders } from '../support/senders.ts'
import { random, recovery, seed } from './stage.ts'
import { formatRows } from './table.ts'

const minutes = Number(process.argv[2] ?? 60)
if (!(minutes > 0)) {
  console.error('npm run soak -- MINUTES')
  process.exit(2)
}

const [[keyName, key]] = Object.entries(zone) as [[string, string]]
const keyThere = { txt: key, ttl: 1 }

const postgres = await startPostgres()
const proxy = await startPostgresProxy(postgres.socketPath)
const dns = await startDnsServer({ [keyName]: keyThere })
const service = await makeFaultedService({ DNS_SERVERS: dns.address }, proxy.urlOf('postgres'))
const db = postgres.open('postgres')
const ledger = makeAckLedger()

const faults: Record<string, (seconds: number) => Promise<unknown>> = {
  nothing: (seconds) => sleep(seconds * 1000),
  'the service is killed': () => service.kill().then(service.start),
  'the service is restarted': () => service.terminate().then(service.start),
  'Postgres is stopped immediately': (seconds) => during(seconds, postgres.stopImmediately, postgres.start),
  'Postgres is frozen': (seconds) => during(seconds, postgres.freeze, postgres.thaw),
  'the network swallows everything': through({ kind: 'blackhole' }),
  'connections are reset': through({ kind: 'reset' }),
  'connections are refused': (seconds) => (proxy.cut(), through({ kind: 'refuse' })(seconds)),
  'Postgres is slow': through({ kind: 'delay', ms: 100 }),
  'acknowledgements of COMMIT are lost': through({ kind: 'drop-commit-acknowledgement' }),
  'the DNS is silent': (seconds) => during(seconds, () => { dns.zone[keyName] = { drop: true } }, () => { dns.zone[keyName] = keyThere }), // prettier-ignore
  'the DNS fails': (seconds) => during(seconds, () => { dns.zone[keyName] = { servfail: true } }, () => { dns.zone[keyName] = keyThere }), // prettier-ignore
}

async function during(seconds: number, begin: () => unknown, end: () => unknown): Promise<void> {
  await begin()
  await sleep(seconds * 1000)
  await end()
}

function through(mode: Parameters<typeof proxy.set>[0]) {
  return (seconds: number) =>
    during(
      seconds,
      () => {
        proxy.set(mode)
      },
      () => {
        proxy.set({ kind: 'pass' })
      },
    )
}

/** Of the service: resident memory in MiB, and open descriptors. */
function weigh(): { rss: number; descriptors: number } {
  const { pid } = service.program()
  const kibibytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return { rss: Math.round(Number(kibibytes) / 1024), descriptors: readdirSync(`/proc/${pid}/fd`).length }
}

const interrupted = new AbortController() // By Ctrl-C, which ends the service as well; what has come by then is judged.
process.on('SIGINT', () => {
  interrupted.abort()
})
const hasStopped = once(interrupted.signal, 'abort')

console.log(`${minutes} minutes, seed ${seed}`)
await service.start()
const startedAt = performance.now()
const elapsed = () => (performance.now() - startedAt) / 60_000
const senders = startSenders({ ports: service.ports, ledger, count: 8, random })
let worstRecovery = 0
try {
  while (elapsed() < minutes) {
    const [name, fault] = Object.entries(faults)[Math.floor(random() * Object.keys(faults).length)]!
    await fault(1 + 14 * random())
    const seconds = await Promise.race([recovery(ledger), hasStopped.then(() => undefined)])
    if (seconds === undefined) break
    worstRecovery = Math.max(worstRecovery, seconds)
    const { rss, descriptors } = weigh()
    const { accepted } = ledger.counts()
    console.log(`${elapsed().toFixed(1)} min  ${name.padEnd(36)} back in ${seconds.toFixed(1)} s, ${accepted} accepted, ${rss} MiB, ${descriptors} descriptors`) // prettier-ignore
    await sleep(2_000)
  }
} finally {
  if (interrupted.signal.aborted) await service.terminate().then(service.start)
  await senders.stop()
  const { acknowledged, lost, twice, findings } = await ledger.check(db)
  const notes = `slowest reply ${(ledger.slowestReplyMs() / 1000).toFixed(1)} s`
  console.log(formatRows([{ scenario: `${elapsed().toFixed(0)} minutes`, acknowledged, lost: lost.length, twice: twice.length, recoverySeconds: worstRecovery, notes }])) // prettier-ignore
  for (const wrong of [...lost, ...twice, ...findings, ...ledger.refused()]) {
    console.error(wrong)
    process.exitCode = 1
  }
  await db.end()
  await service.close()
  await dns.close()
  await proxy.close()
  await postgres.close()
}
