/** RFC 8460 §5.4: the POST of a self-test, over a connection that is there, within bounds. */
import { once } from 'node:events'
import { request as startRequest, type IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { within } from './outgoing.ts'

export type PostDeps = { userAgent: string; limits: { checkFetchMs: number; checkPolicyBytes: number } }

/** No redirect is followed. Rejects with the network's error, or ETIMEDOUT. */
export async function postTestReport(
  tls: TLSSocket,
  uri: string,
  body: Buffer,
  { userAgent, limits }: PostDeps,
): Promise<{ status: number; body: string }> {
  const { host, pathname, search } = new URL(uri)
  const request = startRequest({
    createConnection: () => tls,
    method: 'POST',
    path: `${pathname}${search}`,
    headers: { Host: host, 'User-Agent': userAgent, 'Content-Type': 'application/tlsrpt+gzip', 'Content-Length': body.length, Connection: 'close' }, // prettier-ignore
    setHost: false,
  })
  const broken = new Promise<never>((_resolve, reject) => request.on('error', reject))
  const exchange = async () => {
    request.end(body)
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    let text = ''
    for await (const chunk of response as AsyncIterable<Buffer>)
      if ((text += chunk.toString('latin1')).length > limits.checkPolicyBytes) break
    return { status: response.statusCode ?? 0, body: text }
  }
  try {
    return await within(limits.checkFetchMs, 'the answer', Promise.race([exchange(), broken]))
  } finally {
    request.destroy()
  }
}
