/** As SQLite tests itself: the first exchange with Postgres fails, then the second, and so on, until a report comes through unharmed. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Via } from '../support/ack-ledger.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { makeHttpsWay, makeSmtpWay, nextTold } from '../support/senders.ts'
import { assertAlive, setStage } from './stage.ts'

const postgres = await startPostgres()
after(postgres.close)

/** Of opening a connection and recording: fewer were seen would mean that this shows less than it says. */
const fewestPieces = 6

test('F3: the n-th piece to or from Postgres is lost, or half of it: the sender is told to come back, and then it counts once', async (t) => {
  const stage = await setStage(t, postgres)
  const { service, proxy, ledger } = stage
  await service.start()
  const ways = { smtp: makeSmtpWay(service.ports.smtp), https: makeHttpsWay(service.ports.intake) }
  t.after(() => {
    for (const way of Object.values(ways)) way.close()
  })
  let failures = 0

  /** Whether there was an n-th piece. The report is accepted in the end. */
  const failAt = async (via: Via, piece: number, torn: boolean): Promise<boolean> => {
    const told = nextTold()
    let wasReached = false
    proxy.cut() // So that all of a connection's life is on the road of this one report.
    await sleep(20)
    const reached = () => {
      wasReached = true
    }
    proxy.set({ kind: 'fail-at', piece, torn, reached })
    const deadline = performance.now() + 10_000
    for (let isAccepted = false; !isAccepted;) {
      const reply = await ways[via].send(told)
      ledger.write(told.reportId, via, reply, 0)
      isAccepted = reply.kind === 'accepted'
      assert.ok(isAccepted || reply.kind === 'temporary', `${via}, piece ${piece}: ${reply.kind} ${reply.text}`)
      assert.ok(performance.now() < deadline, `${via}, piece ${piece}: not accepted in 10 s`)
    }
    proxy.set({ kind: 'pass' })
    return wasReached
  }

  for (const via of ['smtp', 'https'] as const) {
    for (const torn of [false, true]) {
      let piece = 1
      while (await failAt(via, piece, torn)) piece++
      assert.ok(piece > fewestPieces, `only ${piece - 1} pieces by ${via}`)
      failures += piece - 1
    }
  }
  await assertAlive(stage)
  const { temporary } = ledger.counts()
  await stage.judge('F3 n-th exchange with Postgres fails', {
    notes: `${failures} failures, ${temporary} told to come back`,
  })
})
