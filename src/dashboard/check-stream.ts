/** POST /v1/checks as it is under way: its answer is a stream of server-sent events (WHATWG HTML §9.2), which openapi-fetch cannot read. */
import { Refused, type Schemas } from './client.ts'

export type Step = { step: string; subject: string; state: 'begun' | 'ended' }

/** Throws Refused where the service does, and where the stream ends too soon. */
export async function makeCheck(domain: string, onStep: (step: Step) => void): Promise<Schemas['Check']> {
  const response = await fetch('/v1/checks', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ domain }),
  }).catch(() => {
    throw new Refused(0, { detail: 'The service cannot be reached.' })
  })
  if (!response.ok || !response.body) throw new Refused(response.status, await problemOf(response))
  for await (const { event, data } of eventsOf(response.body)) {
    if (event === 'progress') onStep(data as Step)
    else if (event === 'check') return data as Schemas['Check']
    else throw new Refused(response.status, data as Schemas['Problem'])
  }
  throw new Refused(0, { detail: 'The service ended the check before it was over.' })
}

const problemOf = (response: Response): Promise<Partial<Schemas['Problem']>> =>
  response.json().catch(() => ({})) as Promise<Partial<Schemas['Problem']>>

/** As our service writes them: one `event` line and one `data` line of JSON each. */
async function* eventsOf(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<{ event: string; data: unknown }> {
  // prettier-ignore
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  for (;;) {
    const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }))
    if (done || value === undefined) return
    text += value
    const events = text.split('\n\n')
    text = events.pop()!
    for (const event of events) {
      const match = /^event: (.+)\ndata: (.+)$/.exec(event)
      if (match) yield { event: match[1]!, data: JSON.parse(match[2]!) as unknown }
    }
  }
}
