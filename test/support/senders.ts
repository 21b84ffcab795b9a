/** Senders on both transports that repeat each report until it is accepted, and sometimes once more; all is in a ledger. */
import { once } from 'node:events'
import { Agent, request } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type { AckLedger, Reply, Via } from './ack-ledger.ts'
import { reportOn, signedMail, type Told } from './report-mail.ts'
import { connectSmtp, sendMail, type SmtpClient } from './smtp-client.ts'

export type SendersOptions = {
  ports: { smtp: number; intake: number }
  ledger: AckLedger
  /** How many there are; every second one begins by SMTP, the others by HTTPS. */
  count: number
  random: () => number
  /** Between two reports of one sender, on average. */
  pauseMs?: number
}

export type Senders = {
  /** Resolves when each has brought in what it was about, or has tried for 30 s more. */
  stop: () => Promise<void>
}

export const ruaAddress = 'tlsrpt@rua.example'
export const policyDomain = 'example.org'

/** No reply in this time is none at all. */
const patienceMs = 40_000
/** Of a sender that was told to come back. Real ones wait for minutes. */
const retryMs = 100
const repeatsOneIn = 5

let made = 0

/** A report like no other of this process, on a day that has passed. */
export function nextTold(): Told {
  const day = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)
  return { domain: policyDomain, day, reportId: `${process.pid}-${++made}`, failed: 1 + (made % 9) }
}

export function startSenders({ ports, ledger, count, random, pauseMs = 20 }: SendersOptions): Senders {
  let stoppedAt = Infinity
  const work = async (index: number) => {
    const ways: Record<Via, Way> = { smtp: makeSmtpWay(ports.smtp), https: makeHttpsWay(ports.intake) }
    const first: Via = index % 2 === 0 ? 'smtp' : 'https'
    const other: Via = first === 'smtp' ? 'https' : 'smtp'
    const bring = async (told: Told, via: Via) => {
      for (;;) {
        const startedAt = performance.now()
        const reply = await ways[via].send(told)
        ledger.write(told.reportId, via, reply, performance.now() - startedAt)
        if (reply.kind === 'accepted' || reply.kind === 'permanent') return
        if (performance.now() > stoppedAt + 30_000) return
        await sleep(retryMs * (0.5 + random()))
      }
    }
    while (stoppedAt === Infinity) {
      const told = nextTold()
      await bring(told, first)
      if (random() * repeatsOneIn < 1) await bring(told, random() < 0.5 ? first : other)
      await sleep(pauseMs * 2 * random())
    }
    ways.smtp.close()
    ways.https.close()
  }
  const working = Promise.all(Array.from({ length: count }, (_, i) => work(i)))
  return {
    stop: async () => {
      stoppedAt = performance.now()
      await working
    },
  }
}

/** One report one time. Never rejects. */
export type Way = { send: (told: Told) => Promise<Reply>; close: () => void }

export function makeSmtpWay(port: number): Way {
  let client: SmtpClient | undefined
  const unheard = (text: string): Reply => {
    client?.close()
    client = undefined
    return { kind: 'unheard', text }
  }
  return {
    send: async (told) => {
      const late = setTimeout(() => client?.close(), patienceMs)
      try {
        if (!client) {
          client = await connectSmtp(port)
          const greeting = await client.read()
          if (!greeting.startsWith('220')) return unheard(greeting)
          await client.say('EHLO sender.example')
        }
        const text = await sendMail(client, ruaAddress, signedMail(told))
        if (text === 'closed') return unheard(text)
        if (text.startsWith('421')) {
          client.close()
          client = undefined
        }
        return readReply(text)
      } catch (error) {
        return unheard(String(error))
      } finally {
        clearTimeout(late)
      }
    },
    close: () => client?.close(),
  }
}

function readReply(text: string): Reply {
  const submissionKey = / key=(\S+)/.exec(text)?.[1]
  const kind = text.startsWith('250') ? 'accepted' : text.startsWith('4') ? 'temporary' : 'permanent'
  return { kind, text, ...(submissionKey !== undefined && { submissionKey }) }
}

export function makeHttpsWay(port: number): Way {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false })
  return {
    send: (told) => post(agent, port, gzipSync(JSON.stringify(reportOn(told)))),
    close: () => {
      agent.destroy()
    },
  }
}

async function post(agent: Agent, port: number, body: Buffer): Promise<Reply> {
  const headers = { 'content-type': 'application/tlsrpt+gzip', 'content-length': body.length }
  const call = request({ agent, host: '127.0.0.1', port, path: '/v1/tlsrpt', method: 'POST', headers })
  const late = setTimeout(() => call.destroy(), patienceMs)
  call.on('error', () => undefined) // Also after the response has begun.
  try {
    call.end(body)
    const [response] = (await once(call, 'response')) as [AsyncIterable<Buffer> & { statusCode: number }]
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString()
    const { statusCode: status } = response
    const { submission_key: submissionKey } = JSON.parse(text) as { submission_key?: string }
    const kind = status === 200 ? 'accepted' : status === 503 || status === 429 ? 'temporary' : 'permanent'
    return { kind, text: `${status} ${text}`, ...(submissionKey !== undefined && { submissionKey }) }
  } catch (error) {
    return { kind: 'unheard', text: String(error) }
  } finally {
    clearTimeout(late)
  }
}
