/** Reports by mail, signed with RSA-2048: many in a connection, one in a connection, and one with STARTTLS. */
import { mean, type Figure, type Scenario } from '../bench.ts'
import { startDnsServer } from '../../test/support/dns-server.ts'
import { mailparserFloor, parseFloor, verifyFloor, withNullServer } from '../floors.ts'
import { compareIntake, describe, measureIntake, turns } from '../intake.ts'
import { addUp, mail, partOf, type MailPace } from '../load.ts'
import { keyNames, makeMailKey, signMails, type MailKey } from '../mails.ts'
import { gzipReports, makeReports } from '../reports.ts'

const senders = 30
/** smtp-server waits a tenth of a second before it greets, so many have to wait at once. */
const connections = 64

export const smtpScenario: Scenario = {
  name: 'smtp',
  run: (bench) =>
    withKeys(async (key, env) => {
      bench.say('signing mails')
      const reports = makeReports(3_000, 'typical')
      const mails = await signMails(reports, key)
      const others = await signMails(makeReports(10_000, 'typical', new Date(), 2), key) // Until then V8 still compiles.
      await mailparserFloor(mails) // Compiled from then on.
      const measure = async (what: string, pace: MailPace, target: boolean): Promise<Figure> => {
        const floors = { session: [] as number[], perMail: [] as number[] }
        const measured = await withNullServer(
          'smtp',
          (port) => mail(port, others.slice(0, 2_000).values(), pace),
          (nullServer) =>
            compareIntake(bench, what, {
              env,
              warmUp: async ({ smtp }) => {
                const quick = await mail(smtp, others.slice(1_000).values(), { ...pace, messagesPerConnection: 50 })
                return addUp([quick, await mail(smtp, others.slice(0, 1_000).values(), pace)])
              },
              measured: ({ smtp }, turn) => mail(smtp, partOf(mails, turn, turns).values(), pace),
              beside: async (turn) => {
                const some = partOf(mails, turn, turns)
                floors.session.push(await nullServer((port) => mail(port, some.values(), pace)))
                const parse = parseFloor(gzipReports(partOf(reports, turn, turns)))
                floors.perMail.push((await mailparserFloor(some)) + verifyFloor(key.privateKey, 600) + parse)
              },
              profiled: ({ smtp }) => mail(smtp, mails.values(), { ...pace, seconds: 2 }),
            }),
        )
        const [session, perMail] = [mean(floors.session), mean(floors.perMail)]
        const floor = session + perMail + measured.copy
        return {
          what,
          value: measured.service + measured.postgres,
          unit: 'us',
          floor,
          ...(target && { target: { of: 'ratio', atMost: 1.5 } }),
          note: `${describe(measured)}; ${measured.shares}; floor: session ${Math.round(session)}, mailparser + verify + gunzip + JSON.parse ${Math.round(perMail)}, COPY ${Math.round(measured.copy)}`,
        }
      }
      return [
        await measure('50 a connection', { connections, messagesPerConnection: 50, startTls: false }, true),
        await measure('1 a connection', { connections, messagesPerConnection: 1, startTls: false }, true),
        await measure('1 a connection, STARTTLS', { connections, messagesPerConnection: 1, startTls: true }, false),
      ]
    }),
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
