/** RFC 8460 §5.5: the service is killed at each point of the road where something of it is in the world already. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Via } from '../support/ack-ledger.ts'
import { startPostgres } from '../support/postgres-server.ts'
import type { ProxyPoint } from '../support/postgres-proxy.ts'
import { zone } from '../support/report-mail.ts'
import { makeHttpsWay, makeSmtpWay, nextTold } from '../support/senders.ts'
import { setStage } from './stage.ts'

const postgres = await startPostgres()
after(postgres.close)

const points: ProxyPoint[] = ['asked', 'half-sent', 'committed', 'acknowledged']

test('250 or 2xx means committed, and what was not acknowledged may come again: killed at each point of the road', async (t) => {
  const stage = await setStage(t, postgres)
  const { service, proxy, ledger, dns } = stage
  await service.start()
  const kinds: string[] = []
  let kills = 0

  /** One report, with the service killed when `arm` says so; then the same again, until it is accepted. */
  const killAt = async (via: Via, point: string, arm: (reached: () => void) => void) => {
    const told = nextTold()
    const make = { smtp: () => makeSmtpWay(service.ports.smtp), https: () => makeHttpsWay(service.ports.intake) }[via]
    let killed: Promise<unknown> | undefined
    const reached = new Promise<void>((resolve) => {
      arm(() => {
        killed ??= service.kill()
        resolve()
      })
    })
    const way = make()
    const before = await way.send(told)
    way.close()
    ledger.write(told.reportId, via, before, 0)
    await reached
    await killed
    kills++
    proxy.set({ kind: 'pass' })
    kinds.push(`${via} ${point}: ${before.kind}`)
    await service.start()
    const again = make()
    const deadline = performance.now() + 10_000
    for (let accepted = false; !accepted;) {
      const reply = await again.send(told)
      ledger.write(told.reportId, via, reply, 0)
      accepted = reply.kind === 'accepted'
      assert.ok(accepted || performance.now() < deadline, `${via} ${point}: ${reply.text}`)
      await sleep(50)
    }
    again.close()
  }

  const [[name, record]] = Object.entries(zone) as [[string, string]] // First: an answer is kept.
  await killAt('smtp', 'key asked for', (reached) => {
    dns.zone[name] = {
      send: () => {
        dns.zone[name] = record
        reached()
        return []
      },
    }
  })
  for (const via of ['smtp', 'https'] as const) {
    for (const point of points) {
      await killAt(via, point, (reached) => {
        proxy.set({ kind: 'stop-at', point, reached })
      })
    }
  }
  await killAt('smtp', 'begun', (reached) => {
    proxy.set({ kind: 'stop-at', point: 'begun', reached })
  })

  assert.deepEqual(
    kinds.filter((kind) => kind.endsWith('accepted')),
    kinds.filter((kind) => kind.includes('acknowledged') && kind.endsWith('accepted')),
    'nobody hears of an acceptance before the COMMIT is acknowledged',
  )
  await stage.judge('F2 killed at each point of the road', { notes: `${kills} kills` })
})
