/** Reports by mail, signed with RSA-2048: many in a connection, one in a connection, and one with STARTTLS. */
import { mean, type Figure, type Scenario } from '../bench.ts'
import { startDnsServer } from '../../test/support/dns-server.ts'
import { mailparserFloor, parseFloor, verifyFloor, withNullServer, type NullServer } from '../floors.ts'
import { compareIntakes, describe, measureIntake, turns, type Compared, type ComparedLoad } from '../intake.ts'
import { mail, partOf, type MailPace } from '../load.ts'
import { keyNames, makeMailKey, signMails, type MailKey } from '../mails.ts'
import { gzipReports, makeReports } from '../reports.ts'

const senders = 30
/** smtp-server waits a tenth of a second before it greets, so many have to wait at once. */
const connections = 64

const quick: MailPace = { connections, messagesPerConnection: 50, startTls: false }

/** `before` as many mails come, then what is measured, and as many as `profiled` under a profiler. */
type Case = { what: string; pace: MailPace; before: number; count: number; profiled: number; atMost?: number }

const single: MailPace = { ...quick, messagesPerConnection: 1 }

const cases: Case[] = [
  // Until then V8 still compiles.
  { what: '50 a connection', pace: quick, before: 10_000, count: 3_000, profiled: 1_500, atMost: 1.5 },
  { what: '1 a connection', pace: single, before: 1_000, count: 2_400, profiled: 800, atMost: 1.5 },
  // A handshake takes longer than all the rest: half as many tell as much.
  { what: '1 a connection, STARTTLS', pace: { ...single, startTls: true }, before: 500, count: 1_200, profiled: 500 },
]

export const smtpScenario: Scenario = {
  name: 'smtp',
  run: (bench) =>
    withKeys(async (key, env) => {
      bench.say('signing mails')
      const sets: MailSet[] = []
      for (const [i, { before, count, profiled }] of cases.entries()) {
        const reports = makeReports(before + count + profiled, 'typical', new Date(), i)
        sets.push({ key, reports, mails: await signMails(reports, key) })
      }
      await mailparserFloor(sets[0]!.mails.slice(0, 3_000)) // Compiled from then on.
      return withNullServer('smtp', async (nullServer) => {
        await nullServer((port) => mail(port, sets[0]!.mails.slice(0, 4_000).values(), quick)) // So is this.
        const loads = cases.map((one, i) => loadOf(one, sets[i]!, nullServer))
        const measured = await compareIntakes(bench, loads, env)
        return cases.map((one, i) => figureOf(one, measured[i]!, loads[i]!.floors))
      })
    }),
}

/** Of one case: reports, and the same signed. */
type MailSet = { key: MailKey; reports: string[]; mails: Buffer[] }
/** CPU microseconds a mail, of each turn. */
type Floors = { session: number[]; perMail: number[] }

function loadOf(
  { what, pace, before, count }: Case,
  { key, reports, mails }: MailSet,
  nullServer: NullServer,
): ComparedLoad & { floors: Floors } {
  const floors: Floors = { session: [], perMail: [] }
  const during = <T>(all: readonly T[], turn: number) => partOf(all.slice(before, before + count), turn, turns)
  return {
    what,
    floors,
    warmUp: async ({ smtp }) => {
      await nullServer((port) => mail(port, mails.slice(0, Math.min(before, 1_000)).values(), pace))
      return mail(smtp, mails.slice(0, before).values(), pace)
    },
    measured: ({ smtp }, turn) => mail(smtp, during(mails, turn).values(), pace),
    beside: async (turn) => {
      const some = during(mails, turn)
      floors.session.push(await nullServer((port) => mail(port, some.values(), pace)))
      const parse = parseFloor(gzipReports(during(reports, turn)))
      floors.perMail.push((await mailparserFloor(some)) + verifyFloor(key.privateKey, 600) + parse)
    },
    profiled: ({ smtp }) => mail(smtp, mails.slice(before + count).values(), pace),
  }
}

function figureOf({ what, atMost }: Case, measured: Compared, floors: Floors): Figure {
  const [session, perMail] = [mean(floors.session), mean(floors.perMail)]
  return {
    what,
    value: measured.service + measured.postgres,
    unit: 'us',
    floor: session + perMail + measured.copy,
    ...(atMost !== undefined && { target: { of: 'ratio', atMost } as const }),
    note: `${describe(measured)}; ${measured.shares}; floor: session ${Math.round(session)}, mailparser + verify + gunzip + JSON.parse ${Math.round(perMail)}, COPY ${Math.round(measured.copy)}`,
  }
}

const sustainedSeconds = 30
/** More than are taken in that time, where it is not far beyond the target; to sign one takes 0.7 ms. */
const sustainedMails = 38_000

export const smtpSustainedScenario: Scenario = {
  name: 'smtp-sustained',
  run: (bench) =>
    withKeys(async (key, env) => {
      bench.say(`signing ${sustainedMails} mails`)
      const mails = await signMails(makeReports(sustainedMails, 'typical'), key)
      const others = await signMails(makeReports(2_000, 'typical', new Date(), 2), key)
      const pace = { connections: 32, messagesPerConnection: 50, startTls: false }
      const measured = await measureIntake(
        bench,
        `${sustainedSeconds} s`,
        {
          warmUp: ({ smtp }) => mail(smtp, others.values(), pace),
          measured: ({ smtp }) => mail(smtp, mails.values(), { ...pace, seconds: sustainedSeconds }),
        },
        env,
      )
      const { accepted, seconds } = measured.load
      return [
        {
          what: `50 a connection, ${Math.round(seconds)} s`,
          value: accepted / seconds,
          unit: '/s',
          target: { of: 'value', atLeast: 1_000 },
          note: describe(measured),
        },
      ]
    }),
}

/** Their keys can be looked up while `work` runs. */
async function withKeys(work: (key: MailKey, env: Record<string, string>) => Promise<Figure[]>): Promise<Figure[]> {
  const key = makeMailKey()
  const dns = await startDnsServer(Object.fromEntries(keyNames(senders).map((name) => [name, key.record])))
  try {
    return await work(key, { DNS_SERVERS: dns.address })
  } finally {
    await dns.close()
  }
}
