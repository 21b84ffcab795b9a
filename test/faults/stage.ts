/** What a scenario stands on: a Postgres, a service over it, senders, and the ledger that judges at the end. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../../src/store/database.ts'
import { makeAckLedger, type AckLedger } from '../support/ack-ledger.ts'
import { startDnsServer, type DnsServer } from '../support/dns-server.ts'
import { makeFaultedService, type FaultedService } from '../support/faulted-service.ts'
import { startPostgresProxy, type PostgresProxy } from '../support/postgres-proxy.ts'
import type { Surroundings } from '../support/program.ts'
import type { PostgresServer } from '../support/postgres-server.ts'
import { zone } from '../support/report-mail.ts'
import { startSenders, type Senders } from '../support/senders.ts'
import { seeded } from '../world/ledger.ts'
import type { Row } from './table.ts'

/** FAULT_SEED brings one back. */
export const seed = Number(process.env['FAULT_SEED'] ?? randomBytes(4).readUInt32LE())
export const random = seeded(seed)

export type Stage = {
  service: FaultedService
  proxy: PostgresProxy
  dns: DnsServer
  ledger: AckLedger
  /** Of the service, past the proxy. */
  db: Database
  databaseUrl: string
  send: (count?: number) => Senders
  /** Seconds until senders of both transports are heard again. */
  recovery: () => Promise<number>
  /** Nothing acknowledged is lost, nothing counts twice, nobody was refused, the store is whole; adds a row to the table. */
  judge: (scenario: string, figures?: Partial<Row>) => Promise<void>
}

/** A database and a service of its own on `postgres`, by way of a proxy; not started yet. All of it ends with `t`. */
export async function setStage(
  t: TestContext,
  postgres: PostgresServer,
  env: Record<string, string> = {},
  surroundings: Surroundings = {},
): Promise<Stage> {
  const closing: (() => unknown)[] = [] // In reverse order.
  t.after(async () => {
    for (const step of closing.reverse()) await step()
  })
  const database = `fault_${randomBytes(6).toString('hex')}`
  const admin = postgres.open('postgres')
  await admin.query(`create database ${database}`)
  await admin.end()
  const db = postgres.open(database)
  closing.push(() => db.end())
  const proxy = await startPostgresProxy(postgres.socketPath)
  closing.push(proxy.close)
  const dns = await startDnsServer({ ...zone })
  closing.push(dns.close)
  const service = await makeFaultedService({ DNS_SERVERS: dns.address, ...env }, proxy.urlOf(database), {
    hasProbe: true,
    ...surroundings,
  })
  closing.push(service.close)
  const ledger = makeAckLedger()
  return {
    service,
    proxy,
    dns,
    ledger,
    db,
    databaseUrl: proxy.urlOf(database),
    send: (count = 8) => {
      const senders = startSenders({ ports: service.ports, ledger, count, random })
      closing.push(senders.stop) // Of a scenario that failed; otherwise they have stopped.
      return senders
    },
    recovery: () => recovery(ledger),
    judge: async (scenario, figures = {}) => {
      await judge(ledger, db, scenario, figures)
    },
  }
}

/** Rejects after a minute: then it does not come back by itself. */
export async function recovery(ledger: AckLedger): Promise<number> {
  const from = performance.now()
  const patience = new AbortController()
  await Promise.race([
    Promise.all([ledger.nextAccepted('smtp'), ledger.nextAccepted('https')]),
    sleep(60_000, undefined, { signal: patience.signal }).then(() => {
      throw new Error(`nothing was accepted for a minute: ${JSON.stringify(ledger.counts())}`)
    }),
  ])
  patience.abort()
  return (performance.now() - from) / 1000
}

export type Fault = {
  /** Before anything is sent. */
  prepare?: (stage: Stage) => unknown
  begin: (stage: Stage) => unknown
  seconds: number
  end: (stage: Stage) => unknown
  env?: Record<string, string>
  /** Nobody need be told to come back. */
  isHarmless?: boolean
}

/** What every fault around a running service has to leave behind: the same process, taking reports again by itself. */
export async function survive(
  t: TestContext,
  postgres: PostgresServer,
  scenario: string,
  fault: Fault,
): Promise<Stage> {
  const stage = await setStage(t, postgres, fault.env)
  const { service, ledger } = stage
  await service.start()
  await fault.prepare?.(stage)
  const senders = stage.send()
  await stage.recovery()
  await sleep(1_000)
  await fault.begin(stage)
  await sleep(fault.seconds * 1000)
  await fault.end(stage)
  const recoverySeconds = await stage.recovery()
  await sleep(1_000)
  await senders.stop()
  await assertAlive(stage)
  const slowest = ledger.slowestReplyMs() / 1000
  const { temporary } = ledger.counts()
  const notes = `${fault.seconds} s, ${temporary} told to come back, slowest reply ${slowest.toFixed(1)} s`
  await stage.judge(scenario, { recoverySeconds, notes })
  assert.ok(fault.isHarmless || temporary > 0, 'nobody met the fault')
  assert.ok(recoverySeconds <= 10, `it took ${recoverySeconds} s to come back`)
  assert.ok(slowest <= 30, `a sender waited ${slowest} s for a reply`)
  return stage
}

export async function assertAlive({ service }: Stage): Promise<void> {
  const ended = await Promise.race([service.program().ended, sleep(0)])
  assert.equal(ended, undefined, `the service has ended: ${ended?.stderr ?? ''}`)
  assert.ok(await service.isReady(), 'it takes reports and says that it is not ready')
}

export async function judge(ledger: AckLedger, db: Database, scenario: string, figures: Partial<Row>): Promise<void> {
  const { acknowledged, lost, twice, findings } = await ledger.check(db)
  addRow({ scenario, acknowledged, lost: lost.length, twice: twice.length, ...figures })
  assert.ok(acknowledged > 0, 'nothing was acknowledged: nothing was shown')
  assert.deepEqual(lost, [], 'acknowledged, and lost')
  assert.deepEqual(twice, [], 'counted twice')
  assert.deepEqual(findings, [], 'the store is torn')
  assert.deepEqual(ledger.refused(), [], 'our trouble was told as theirs')
}

/** For the table that test/faults/run.ts prints at the end. */
function addRow(row: Row): void {
  const file = process.env['FAULT_FIGURES']
  if (file) appendFileSync(file, `${JSON.stringify(row)}\n`)
}
