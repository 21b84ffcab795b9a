/** Reports by mail, signed with RSA-2048: many in a connection, one in a connection, and one with STARTTLS. */
import { mean, type Bench, type Figure, type Scenario } from '../bench.ts'
import { startDnsServer } from '../../test/support/dns-server.ts'
import { mailparserFloor, parseFloor, verifyFloor, withNullServer, type NullServer } from '../floors.ts'
import { compareIntake, describe, measureIntake, turns } from '../intake.ts'
import { addUp, mail, partOf, type MailPace } from '../load.ts'
import { keyNames, makeMailKey, signMails, type MailKey } from '../mails.ts'
import { gzipReports, makeReports } from '../reports.ts'

const senders = 30
/** smtp-server waits a tenth of a second before it greets, so many have to wait at once. */
const connections = 64

const quick: MailPace = { connections, messagesPerConnection: 50, startTls: false }

type Case = { what: string; pace: MailPace; count: number; atMost?: number }

const cases: Case[] = [
  { what: '50 a connection', pace: quick, count: 3_000, atMost: 1.5 },
  { what: '1 a connection', pace: { ...quick, messagesPerConnection: 1 }, count: 3_000, atMost: 1.5 },
  // A handshake takes longer than all the rest: half as many tell as much.
  { what: '1 a connection, STARTTLS', pace: { ...quick, messagesPerConnection: 1, startTls: true }, count: 1_500 },
]

export const smtpScenario: Scenario = {
  name: 'smtp',
  run: (bench) =>
    withKeys(async (key, env) => {
      bench.say('signing mails')
      const reports = makeReports(3_000, 'typical')
      const mails = await signMails(reports, key)
      const others = await signMails(makeReports(10_000, 'typical', new Date(), 2), key) // Until then V8 still compiles.
      await mailparserFloor(mails) // Compiled from then on.
      return withNullServer('smtp', async (nullServer) => {
        await nullServer((port) => mail(port, others.slice(0, 4_000).values(), quick)) // So is this.
        const figures: Figure[] = []
        for (const one of cases)
          figures.push(await measure(bench, { key, env, reports, mails, others, nullServer }, one))
        return figures
      })
    }),
}

type Prepared = {
  key: MailKey
  env: Record<string, string>
  reports: string[]
  /** The same, signed, and those before which nothing is measured. */
  mails: Buffer[]
  others: Buffer[]
  nullServer: NullServer
}

async function measure(bench: Bench, prepared: Prepared, { what, pace, count, atMost }: Case): Promise<Figure> {
  const { key, env, reports, mails, others, nullServer } = prepared
  const [paced, before] = [others.slice(0, 1_000), others.slice(1_000)]
  const floors = { session: [] as number[], perMail: [] as number[] }
  bench.say(`${what}: warming up`)
  await nullServer((port) => mail(port, paced.values(), pace))
  const measured = await compareIntake(bench, what, {
    env,
    warmUp: async ({ smtp }) =>
      addUp([await mail(smtp, before.values(), quickly(pace)), await mail(smtp, paced.values(), pace)]),
    measured: ({ smtp }, turn) => mail(smtp, partOf(mails.slice(0, count), turn, turns).values(), pace),
    beside: async (turn) => {
      const some = partOf(mails.slice(0, count), turn, turns)
      floors.session.push(await nullServer((port) => mail(port, some.values(), pace)))
      const parse = parseFloor(gzipReports(partOf(reports, turn, turns)))
      floors.perMail.push((await mailparserFloor(some)) + verifyFloor(key.privateKey, 600) + parse)
    },
    profiled: ({ smtp }) => mail(smtp, mails.values(), { ...pace, seconds: 2 }),
  })
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

const quickly = (pace: MailPace): MailPace => ({ ...pace, messagesPerConnection: quick.messagesPerConnection })

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
      const measured = await measureIntake(bench, `${sustainedSeconds} s`, {
        env,
        warmUp: ({ smtp }) => mail(smtp, others.values(), pace),
        measured: ({ smtp }) => mail(smtp, mails.values(), { ...pace, seconds: sustainedSeconds }),
      })
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
