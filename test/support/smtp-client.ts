/** A raw SMTP client: every byte, segment and moment is the test's; it may come from any loopback address. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls'

export type SmtpClient = {
  /** The next whole reply, its lines joined with '\n'; 'closed' once the server has hung up. */
  read: () => Promise<string>
  /** Sends bytes as they are; resolves once the kernel has them. */
  write: (bytes: string | Buffer) => Promise<void>
  /** Sends one command line and reads its reply. */
  say: (command: string) => Promise<string>
  /** STARTTLS and the handshake. */
  startTls: (options?: ConnectionOptions) => Promise<TLSSocket>
  /** The handshake alone. */
  shakeHands: (options?: ConnectionOptions) => Promise<TLSSocket>
  /** Whether the server has not hung up yet. */
  isOpen: () => boolean
  /** Sends a RST. */
  reset: () => void
  close: () => void
}

/** Connects from `from` and does not wait for the greeting. */
export async function connectSmtp(port: number, { from = '127.0.0.1', host = '127.0.0.1' } = {}): Promise<SmtpClient> {
  const raw = connect({ port, host, localAddress: from, noDelay: true })
  let socket: Socket = raw
  let received = ''
  let ended = false
  let wake = () => {}
  const listen = (to: Socket) => {
    to.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1')
      wake()
    })
    to.on('error', () => undefined) // A reset is an end like any other to a test.
    to.on('close', () => {
      ended = true
      wake()
    })
  }
  listen(raw)
  await once(raw, 'connect')

  const read = async (): Promise<string> => {
    for (;;) {
      const reply = /^(?:\d{3}-[^\n]*\r\n)*\d{3}(?: [^\n]*)?\r\n/.exec(received)?.[0]
      if (reply !== undefined) {
        received = received.slice(reply.length)
        return reply.trimEnd().replaceAll('\r\n', '\n')
      }
      if (ended) return 'closed'
      await new Promise<void>((resolve) => (wake = resolve))
    }
  }
  const write = (bytes: string | Buffer) =>
    new Promise<void>((resolve) => {
      socket.write(bytes, () => {
        resolve()
      })
    })
  const say = async (command: string) => {
    await write(`${command}\r\n`)
    return read()
  }
  const shakeHands = async (options: ConnectionOptions = {}) => {
    raw.removeAllListeners('data')
    const tls = connectTls({ socket: raw, rejectUnauthorized: false, ...options })
    listen(tls)
    await once(tls, 'secureConnect')
    socket = tls
    return tls
  }
  return {
    read,
    write,
    say,
    shakeHands,
    startTls: async (options) => {
      const reply = await say('STARTTLS')
      if (!reply.startsWith('220 ')) throw new Error(`no TLS: ${reply}`)
      return shakeHands(options)
    },
    isOpen: () => !ended,
    reset: () => {
      raw.resetAndDestroy()
    },
    close: () => {
      raw.destroy()
    },
  }
}

/** Connects and reads the greeting, and says EHLO. */
export async function greetSmtp(port: number, options?: { from?: string; host?: string }): Promise<SmtpClient> {
  const client = await connectSmtp(port, options)
  await client.read()
  await client.say('EHLO client.example')
  return client
}

/** One mail on an open session, its dots stuffed and its end sent; resolves to the reply after the final dot. */
export async function sendMail(client: SmtpClient, to: string, message: string | Buffer): Promise<string> {
  for (const command of ['MAIL FROM:<reports@sender.example>', `RCPT TO:<${to}>`, 'DATA']) {
    const reply = await client.say(command)
    if (!/^[23]/.test(reply)) return reply
  }
  const text = Buffer.from(message).toString('latin1')
  await client.write(Buffer.from(`${text.replace(/^\./gm, '..')}.\r\n`, 'latin1'))
  return client.read()
}

/**
 * Writes each of `words` as it is and reads a reply after it, beginning with the greeting. Resolves to the basic and
 * enhanced code of each, such as '220, 250, 550 5.1.1, closed'.
 */
export async function converse(port: number, words: (string | Buffer)[], from?: string): Promise<string> {
  return converseOn(await connectSmtp(port, from === undefined ? {} : { from }), words)
}

/** The same on a connection whose greeting is still to be read; closes it. */
export async function converseOn(client: SmtpClient, words: (string | Buffer)[]): Promise<string> {
  const replies = [await client.read()]
  for (const word of words) {
    await client.write(word)
    replies.push(await client.read())
  }
  client.close()
  return replies.map(codesOf).join(', ')
}

/** '250 2.6.0' of '250 2.6.0 accepted key=...'; of several lines the last. */
export const codesOf = (reply: string): string => /^(?:\d{3}(?: \d\.\d\.\d+)?|closed)/.exec(reply.split('\n').at(-1)!)?.[0] ?? reply // prettier-ignore
