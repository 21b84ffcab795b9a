/** Reports by mail, signed with RSA-2048: many in a connection, one in a connection, and one with STARTTLS. */
import { mean, type Figure, type Scenario } from '../bench.ts'
import { startDnsServer } from '../../test/support/dns-server.ts'
import { copyFloor } from '../copy-floor.ts'
import { withNullServer, type NullServer } from '../floors.ts'
import {
  compare,
  describe,
  emptyStore,
  measure,
  shares,
  turns,
  warmUp,
  withIntake,
  type Intake,
  type Measured,
} from '../intake.ts'
import { mail, partOf, type MailPace } from '../load.ts'
import { keyNames, makeMailKey, signMails, type MailKey } from '../mails.ts'
import { makeReports } from '../reports.ts'

const senders = 30
/** smtp-server waits a tenth of a second before it greets, so many have to wait at once. */
const connections = 64

const quick: MailPace = { connections, messagesPerConnection: 50, startTls: false }

/** Beyond what queues and caches can hide, as far as mails can be had: to sign one takes half a millisecond of two processors. */
const sustainedMails = 38_000
const sustainedSeconds = 30

/** So many mails have V8 compile what the floor needs. */
const untilCompiled = 12_000

type Case = {
  what: string
  pace: MailPace
  /** Mails at this pace before, then beside their floor, and under a profiler. */
  counts: { before: number; compared: number; profiled: number }
  atMost?: number
}

const single: MailPace = { ...quick, connections: 128, messagesPerConnection: 1 }

const cases: Case[] = [
  { what: '50 a connection', pace: quick, counts: { before: 3_000, compared: 3_000, profiled: 1_500 }, atMost: 1.5 },
  { what: '1 a connection', pace: single, counts: { before: 600, compared: 2_400, profiled: 800 }, atMost: 1.5 },
  // A handshake takes longer than all the rest: half as many tell as much.
  {
    what: '1 a connection, STARTTLS',
    pace: { ...single, startTls: true },
    counts: { before: 300, compared: 1_200, profiled: 500 },
  },
]

export const smtpScenario: Scenario = {
  name: 'smtp',
  run: (bench) =>
    withKeys((key, env) =>
      withIntake(bench, env, async (intake) => {
        bench.say(`signing ${sustainedMails} mails`)
        const first = await signMails(makeReports(sustainedMails, 'typical'), key)
        const perSecond = await sustained(intake, first) // Before all others, so that V8 has nothing left to compile.
        await emptyStore(intake) // So the same mails are new once more.
        const mails = first.values()
        const sets = cases.map((one) => makeSet(one, mails))
        const compared = await withNullServer('smtp', async (nullServer) => {
          await nullServer((port) => mail(port, first.slice(0, untilCompiled).values(), quick))
          const all: Compared[] = []
          for (const set of sets) all.push(await besideFloor(intake, set, nullServer))
          return all
        })
        const times: string[] = []
        for (const { what, pace, after } of sets)
          times.push(await shares(intake, what, ({ smtp }) => mail(smtp, after.values(), pace)))
        bench.say('the floor of the rows')
        const copy = await copyFloor(bench.server, intake.database, 20_000)
        return [...sets.map((set, i) => figureOf(set, compared[i]!, copy, times[i]!)), perSecond]
      }),
    ),
}

/** As fast as they are taken, with the load on the same processors. */
async function sustained(intake: Intake, mails: readonly Buffer[]): Promise<Figure> {
  const what = '50 a connection, sustained'
  const pace = { ...quick, connections: 32 }
  await warmUp(intake, what, ({ smtp }) => mail(smtp, mails.slice(0, 2_000).values(), pace))
  const found = await measure(intake, what, ({ smtp }) =>
    mail(smtp, mails.slice(2_000).values(), { ...pace, seconds: sustainedSeconds }),
  )
  const { accepted, seconds } = found.load
  return {
    what: `50 a connection, ${Math.round(seconds)} s`,
    value: accepted / seconds,
    unit: '/s',
    target: { of: 'value', atLeast: 1_000 },
    note: describe(found),
  }
}

type MailSet = Case & Record<'before' | 'during' | 'after', Buffer[]>

/** Takes its mails from `mails`. */
function makeSet(one: Case, mails: Iterator<Buffer, undefined>): MailSet {
  const take = (count: number) => Array.from({ length: count }, () => mails.next().value!)
  const { before, compared, profiled } = one.counts
  return { ...one, before: take(before), during: take(compared), after: take(profiled) }
}

/** What was measured, and CPU microseconds a mail of its floor, but for COPY. */
type Compared = { found: Measured; mailFloor: number }

async function besideFloor(
  intake: Intake,
  { what, pace, before, during }: MailSet,
  nullServer: NullServer,
): Promise<Compared> {
  await warmUp(intake, what, ({ smtp }) => mail(smtp, before.values(), pace))
  await nullServer((port) => mail(port, before.values(), pace))
  const floors: number[] = []
  const some = (turn: number) => partOf(during, turn, turns).values()
  const found = await compare(
    intake,
    what,
    ({ smtp }, turn) => mail(smtp, some(turn), pace),
    async (turn) => void floors.push(await nullServer((port) => mail(port, some(turn), pace))),
  )
  return { found, mailFloor: mean(floors) }
}

function figureOf({ what, atMost }: Case, { found, mailFloor }: Compared, copy: number, times: string): Figure {
  return {
    what,
    value: found.service + found.postgres,
    unit: 'us',
    floor: mailFloor + copy,
    ...(atMost !== undefined && { target: { of: 'ratio', atMost } as const }),
    note: `${describe(found)}; ${times}; floor: session, mailparser, verify, gunzip and JSON.parse ${Math.round(mailFloor)}, COPY ${Math.round(copy)}`,
  }
}

/** Their keys can be looked up while `work` runs. */
async function withKeys<T>(work: (key: MailKey, env: Record<string, string>) => Promise<T>): Promise<T> {
  const key = makeMailKey()
  const dns = await startDnsServer(Object.fromEntries(keyNames(senders).map((name) => [name, key.record])))
  try {
    return await work(key, { DNS_SERVERS: dns.address })
  } finally {
    await dns.close()
  }
}
