/** RFC 1035 §4.2, RFC 7766: one question to one server, over UDP, and over TCP where UDP does not hold the answer. */
import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { on } from 'node:events'
import { connect, isIPv6 } from 'node:net'
import type { DecodedPacket } from 'dns-packet'
import { readReply, writeQuestion, type Question, type Reading } from './message.ts'

export type Server = { address: string; port: number }

/** `reason`: dns-timeout, dns-badresp for what cannot be read, or the network's word for it, as dns-connrefused. */
export type Exchanged =
  { kind: 'reply'; packet: DecodedPacket } | { kind: 'too-large' } | { kind: 'failed'; reason: string }

/** Rejects never. `tooLate` ends it; `edns: false` is for servers that do not know of it. */
export async function exchange(
  question: Question,
  server: Server,
  edns: boolean,
  tooLate: AbortSignal,
): Promise<Exchanged> {
  try {
    const reading = await overUdp(question, server, edns, tooLate)
    return toldOf(reading.kind === 'truncated' ? await overTcp(question, server, edns, tooLate) : reading)
  } catch (error) {
    if (tooLate.aborted) return { kind: 'failed', reason: 'dns-timeout' }
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error // No word of the network's: a defect of ours.
    return { kind: 'failed', reason: `dns-${code.replace(/^E/, '').toLowerCase()}` }
  }
}

/**
 * A socket of its own for each question: the kernel picks its port at random, and takes nothing in but what comes from
 * the server's address and port (RFC 5452 §9). Whatever is not the answer is passed over, so that who guesses wrong
 * does not end the wait for the right one.
 */
async function overUdp(question: Question, server: Server, edns: boolean, tooLate: AbortSignal): Promise<Reading> {
  const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4')
  socket.on('error', () => undefined) // The loop below hears of it; this is for an error that comes after the loop.
  try {
    const id = randomInt(65_536)
    const messages = on(socket, 'message', { signal: tooLate }) as AsyncIterable<[Buffer]>
    socket.once('connect', () => {
      socket.send(writeQuestion(question, id, edns))
    })
    socket.connect(server.port, server.address)
    for await (const [bytes] of messages) {
      const reading = readReply(bytes, question, id)
      if (reading.kind !== 'other') return reading
    }
    return { kind: 'other' }
  } finally {
    socket.close()
  }
}

async function overTcp(question: Question, server: Server, edns: boolean, tooLate: AbortSignal): Promise<Reading> {
  const id = randomInt(65_536)
  const message = writeQuestion(question, id, edns)
  const socket = connect({ host: server.address, port: server.port, signal: tooLate })
  socket.write(Buffer.concat([Buffer.from([message.length >> 8, message.length & 0xff]), message]))
  const chunks: Buffer[] = []
  let received = 0
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    received += chunk.length
    if (received < 2) continue
    const end = 2 + (chunks[0]!.length > 1 ? chunks[0]! : Buffer.concat(chunks)).readUInt16BE(0)
    if (received >= end) return readReply(Buffer.concat(chunks).subarray(2, end), question, id)
  }
  return { kind: 'malformed' } // Closed before the end.
}

function toldOf(reading: Reading): Exchanged {
  switch (reading.kind) {
    case 'reply':
      return reading
    case 'too-large':
      return { kind: 'too-large' }
    case 'truncated':
    case 'malformed':
    case 'other':
      return { kind: 'failed', reason: 'dns-badresp' }
  }
}
