/** Several instances on one database: the same reports to all, a first start together, a start that was cut short. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { after, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { migrationsFolder } from '../support/database.ts'
import { makeFaultedService, type FaultedService } from '../support/faulted-service.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { makeHttpsWay, makeSmtpWay, nextTold, type Way } from '../support/senders.ts'
import { random, setStage, type Stage } from './stage.ts'

const postgres = await startPostgres()
after(postgres.close)

const migrations = readdirSync(migrationsFolder).sort()

/** More services over the database of the stage, not started yet. */
async function more(t: TestContext, { databaseUrl, dns }: Stage, count: number): Promise<FaultedService[]> {
  const services = await Promise.all(Array.from({ length: count }, () => makeFaultedService({ DNS_SERVERS: dns.address }, databaseUrl))) // prettier-ignore
  t.after(() => Promise.all(services.map(({ close }) => close())))
  return services
}

async function bring({ ledger }: Stage, services: readonly FaultedService[], reports: number): Promise<void> {
  const ways = services.flatMap(({ ports }) => [
    { via: 'smtp' as const, way: makeSmtpWay(ports.smtp) },
    { via: 'https' as const, way: makeHttpsWay(ports.intake) },
  ])
  for (let n = 0; n < reports; n++) {
    const told = nextTold()
    const untilAccepted = async ({ via, way }: { via: 'smtp' | 'https'; way: Way }) => {
      for (let tries = 0; tries < 50; tries++) {
        const reply = await way.send(told)
        ledger.write(told.reportId, via, reply, 0)
        if (reply.kind === 'accepted') return
        await sleep(50 * random())
      }
      throw new Error(`${told.reportId} was not accepted in 50 tries`)
    }
    await Promise.all(ways.map(untilAccepted))
  }
  for (const { way } of ways) way.close()
}

test('any delivery may be repeated, to any instance: the same reports to two instances on both transports at once', async (t) => {
  const reports = 150
  const stage = await setStage(t, postgres)
  const services = [stage.service, ...(await more(t, stage, 1))]
  for (const service of services) await service.start()
  await bring(stage, services, reports)
  const { rows } = await stage.db.query<{ n: number }>('select count(distinct report_id)::int as n from report')
  assert.equal(rows[0]!.n, reports)
  await stage.judge('F22 two instances, the same reports', {
    notes: `${reports * 4} deliveries, ${stage.ledger.counts().temporary} told to come back`,
  })
})

test('four instances start on an empty database at once: one migrates, all take reports', async (t) => {
  const stage = await setStage(t, postgres)
  const services = [stage.service, ...(await more(t, stage, 3))]
  await Promise.all(services.map((service) => service.start()))
  await until('all are ready', async () => (await Promise.all(services.map((service) => service.isReady()))).every(Boolean)) // prettier-ignore
  assert.deepEqual(await applied(stage), migrations)
  await bring(stage, services, 20)
  await stage.judge('F23 four instances on an empty database')
})

test('a start that is killed in the midst of its migrations is finished by the next', async (t) => {
  const stage = await setStage(t, postgres)
  const { service, proxy } = stage
  proxy.set({ kind: 'delay', ms: 20 }) // So that there is a midst.
  for (let n = 0; n < migrations.length; n++) {
    const starting = service.start().catch(() => undefined) // No ready line.
    await until(`${n} have run`, async () => (await applied(stage)).length >= n)
    await sleep(120 * random())
    await service.kill()
    await starting
  }
  proxy.set({ kind: 'pass' })
  await service.start()
  await until('it is ready', () => service.isReady())
  assert.deepEqual(await applied(stage), migrations)
  await bring(stage, [service], 20)
  await stage.judge('F24 killed while migrating', { notes: `${migrations.length} kills` })
})

async function applied({ db }: Stage): Promise<string[]> {
  const { rows } = await db.query<{ there: boolean }>("select to_regclass('schema_migration') is not null as there")
  if (!rows[0]!.there) return []
  return (await db.query<{ name: string }>('select name from schema_migration order by name')).rows.map(({ name }) => name) // prettier-ignore
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000
  while (!(await holds())) {
    assert.ok(performance.now() < deadline, `30 s, and not yet: ${what}`)
    await sleep(10)
  }
}
