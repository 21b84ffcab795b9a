/** Senders: raw sockets, so that the load costs as little as it can beside what is measured. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

export type Load = {
  /** Taken by the receiver: 200, or 250. */
  accepted: number
  /** Any other answer, by its code. */
  refused: Map<number, number>
  seconds: number
  /** Of each report, from its first byte to the answer. */
  milliseconds: number[]
}

/** One load that came in several turns. */
export function addUp(turns: readonly Load[]): Load {
  const refused = new Map<number, number>()
  for (const [code, count] of turns.flatMap((turn) => [...turn.refused]))
    refused.set(code, (refused.get(code) ?? 0) + count)
  return {
    accepted: turns.reduce((sum, { accepted }) => sum + accepted, 0),
    refused,
    seconds: turns.reduce((sum, { seconds }) => sum + seconds, 0),
    milliseconds: turns.flatMap(({ milliseconds }) => milliseconds),
  }
}

/** The part of `items` that is for this one of so many turns. */
export const partOf = <Item>(items: readonly Item[], turn: number, turns: number): Item[] =>
  items.slice((turn * items.length) / turns, ((turn + 1) * items.length) / turns)

export type Pace = {
  /** At most so many under way at once. */
  connections: number
  /** Stops after this time, even if there are more. */
  seconds?: number
}

type Send = (item: Buffer) => Promise<number>
export type Client = { send: Send; close: () => void }

/** Has `connections` clients take from `items` until there are none. */
async function run(items: Iterator<Buffer>, pace: Pace, open: () => Client | Promise<Client>): Promise<Load> {
  const startedAt = performance.now()
  const load: Load = { accepted: 0, refused: new Map(), seconds: 0, milliseconds: [] }
  const until = startedAt + (pace.seconds ?? Infinity) * 1000
  const next = (): Buffer | undefined => {
    if (performance.now() >= until) return undefined
    const item = items.next() as IteratorResult<Buffer, undefined>
    return item.value
  }
  const worker = async () => {
    const client = await open()
    for (let item = next(); item !== undefined; item = next()) {
      const sentAt = performance.now()
      const code = await client.send(item)
      load.milliseconds.push(performance.now() - sentAt)
      if (code === 200 || code === 250) load.accepted++
      else load.refused.set(code, (load.refused.get(code) ?? 0) + 1)
    }
    client.close()
  }
  await Promise.all(Array.from({ length: pace.connections }, worker))
  load.seconds = (performance.now() - startedAt) / 1000
  return load
}

/** POST /v1/tlsrpt over keep-alive connections, plain HTTP. */
export const post = (port: number, bodies: Iterator<Buffer>, pace: Pace): Promise<Load> =>
  run(bodies, pace, () => httpClient(port))

/** Sends one after another; `send` answers the status. */
export function httpClient(port: number): Client {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let received = ''
  let answer: { resolve: (code: number) => void; reject: (error: Error) => void } | undefined
  socket.on('data', (data: Buffer) => {
    received += data.toString('latin1')
    const head = received.indexOf('\r\n\r\n')
    if (head === -1) return
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(received)?.[1] ?? 0)
    if (received.length < head + 4 + length) return
    const code = Number(received.slice(9, 12))
    received = ''
    answer?.resolve(code)
  })
  socket.on('close', () => answer?.reject(new Error('the receiver has closed the connection')))
  socket.on('error', () => undefined)
  return {
    send: (body) =>
      new Promise((resolve, reject) => {
        answer = { resolve, reject }
        if (socket.destroyed) reject(new Error('the receiver has closed the connection'))
        socket.cork()
        socket.write(
          `POST /v1/tlsrpt HTTP/1.1\r\nhost: rua.example\r\ncontent-type: application/tlsrpt+gzip\r\ncontent-length: ${body.length}\r\n\r\n`,
        )
        socket.write(body)
        socket.uncork()
      }),
    close: () => {
      answer = undefined
      socket.destroy()
    },
  }
}

export type MailPace = Pace & { messagesPerConnection: number; startTls: boolean }

/** Mails by SMTP; `mails` are whole messages with stuffed dots, up to and without the final dot. */
export const mail = (port: number, mails: Iterator<Buffer>, pace: MailPace): Promise<Load> =>
  run(mails, pace, () => smtpClient(port, pace))

function smtpClient(port: number, { messagesPerConnection, startTls }: MailPace): Client {
  let session: Session | undefined
  let sent = 0
  return {
    send: async (message) => {
      session ??= await openSession(port, startTls)
      const { say } = session
      await say('MAIL FROM:<>\r\n')
      await say('RCPT TO:<tlsrpt@rua.example>\r\n')
      await say('DATA\r\n')
      const code = await say(Buffer.concat([message, Buffer.from('.\r\n')]))
      if (++sent % messagesPerConnection === 0) {
        await say('QUIT\r\n')
        session.socket.destroy()
        session = undefined
      }
      return code
    },
    close: () => session?.socket.destroy(),
  }
}

type Session = { socket: Socket; say: (data: string | Buffer) => Promise<number> }

async function openSession(port: number, startTls: boolean): Promise<Session> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const plain = session(socket)
  await plain.greeting
  await plain.say('EHLO sender.example\r\n')
  if (!startTls) return { socket, say: plain.say }
  await plain.say('STARTTLS\r\n')
  socket.removeAllListeners('data')
  const secure = connectTls({ socket, rejectUnauthorized: false })
  await once(secure, 'secureConnect')
  const { say } = session(secure)
  await say('EHLO sender.example\r\n')
  return { socket: secure, say }
}

/** One answer at a time: the code of its last line. */
function session(socket: Socket): { greeting: Promise<number>; say: Session['say'] } {
  let received = ''
  let waiting: { resolve: (code: number) => void; reject: (error: Error) => void } | undefined
  const answer = () => new Promise<number>((resolve, reject) => (waiting = { resolve, reject }))
  socket.on('data', (data: Buffer) => {
    received += data.toString('latin1')
    const last = /(?:^|\n)(\d{3}) [^\n]*\n$/.exec(received)
    if (!last) return
    received = ''
    waiting?.resolve(Number(last[1]))
  })
  socket.on('close', () => waiting?.reject(new Error('the receiver has closed the connection')))
  socket.on('error', () => undefined)
  return {
    greeting: answer(),
    say: (data) => {
      const answered = answer()
      socket.write(data)
      return answered
    },
  }
}
