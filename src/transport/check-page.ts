/** GET /check, where the operator wants it: a domain seen from outside, as a page without scripts, for anybody. */
import { hash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { callerOf } from '../addresses.ts'
import type { Limits } from '../limits.ts'
import { makeRateCount } from '../rate.ts'
import { peerOf } from './https-request.ts'
import type { Logger } from './listener.ts'

/** What a check says, as far as the page shows it. All of it may hold texts of strangers. */
export type PublicCheck =
  | { kind: 'refused'; message: string }
  | { kind: 'checked'; domain: string; severity: string; findings: PublicFinding[] }
export type PublicFinding = { severity: string; subject: string; sentence: string; evidence: string[]; fix?: string; value?: string } // prettier-ignore

/** Keeps nothing, and calls public addresses alone. `text` is what somebody typed. */
export type CheckPublicly = (text: string) => Promise<PublicCheck>

export type CheckPageDeps = {
  checkPublicly: CheckPublicly
  limits: Pick<Limits, 'publicChecksPerMinute' | 'publicChecksAtOnce'>
  limitExempt: (address: string) => boolean
  log: Logger
}

const mostChars = 1_024

export function addCheckPage(app: FastifyInstance, deps: CheckPageDeps): void {
  const checksOf = makeRateCount(deps.limits.publicChecksPerMinute)
  let underWay = 0
  app.get('/check', { exposeHeadRoute: false }, async (request, reply) => {
    const text = asked(request)
    if (text === undefined) return send(reply, 200, '', '')
    if (!isOfAPerson(request)) return send(reply, 403, text, said('This is for people who ask, not for pages.'))
    if (text.length > mostChars) return send(reply, 400, '', said('That is no domain name.'))
    const peer = peerOf(request)
    const wait = deps.limitExempt(peer) ? 0 : checksOf(callerOf(peer), performance.now())
    if (wait > 0) return send(reply.header('retry-after', String(wait)), 429, text, said(`You have asked often. Please try again in ${wait} seconds.`)) // prettier-ignore
    if (underWay >= deps.limits.publicChecksAtOnce) return send(reply.header('retry-after', '30'), 503, text, said('Many are asking just now. Please try again in half a minute.')) // prettier-ignore
    underWay++
    try {
      const check = await deps.checkPublicly(text)
      deps.log.info({ transport: 'https', peer, domain: text, outcome: check.kind, request_id: request.id }, 'check page') // prettier-ignore
      return await send(reply, check.kind === 'refused' ? 400 : 200, text, resultOf(check))
    } finally {
      underWay--
    }
  })
}

/** Undefined where nothing is asked. A name given twice is not one. */
function asked({ query }: FastifyRequest): string | undefined {
  const { domain } = query as { domain?: unknown }
  return typeof domain === 'string' && domain.trim() !== '' ? domain.trim() : undefined
}

/** Fetch Metadata: a stranger's page must not make its visitors' browsers ask, as by an image of this address. */
const isOfAPerson = ({ headers }: FastifyRequest): boolean =>
  (headers['sec-fetch-dest'] ?? 'document') === 'document' && (headers['sec-fetch-mode'] ?? 'navigate') === 'navigate'

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character]!)

const said = (text: string): string => `<p role="alert">${escape(text)}</p>`

const order = ['error', 'warning', 'advice', 'ok']
const marks: Record<string, string> = { error: '✕', warning: '!', advice: 'i', ok: '✓' }

function resultOf(check: PublicCheck): string {
  if (check.kind === 'refused') return said(`That name ${check.message}.`)
  const sorted = check.findings.toSorted((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity))
  const title = `<h2><bdi>${escape(check.domain)}</bdi>: ${escape(check.severity)}</h2>`
  return `${title}<ul>${sorted.map(itemOf).join('')}</ul>`
}

function itemOf({ severity, subject, sentence, evidence, fix, value }: PublicFinding): string {
  const seen = severity === 'ok' ? [] : evidence
  return [
    `<li class="${escape(severity)}"><strong>${marks[severity] ?? ''} ${escape(severity)}</strong> <bdi>${escape(subject)}</bdi>`,
    `<p>${escape(sentence)}</p>`,
    ...(seen.length === 0 ? [] : [`<ul>${seen.map((line) => `<li><bdi>${escape(line)}</bdi></li>`).join('')}</ul>`]),
    ...(fix === undefined ? [] : [`<p>To do: ${escape(fix)}</p>`]),
    ...(value === undefined ? [] : [`<pre>${escape(value)}</pre>`]),
    '</li>',
  ].join('')
}

const style = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{max-width:46rem;margin:2rem auto;padding:0 1rem}
input,button{font:inherit;padding:.4rem .6rem}ul{padding-left:1.2rem}body>main>ul{list-style:none;padding:0}
body>main>ul>li{border-left:.3rem solid gray;padding:.1rem .8rem;margin:1rem 0}li.error{border-color:#c0392b!important}
li.warning{border-color:#d68910!important}li.ok{border-color:#1e8449!important}p{margin:.3rem 0}
pre{overflow-x:auto;padding:.6rem;border:1px solid gray}bdi,pre{overflow-wrap:anywhere}`

const headers = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${hash('sha256', style, 'base64')}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-robots-tag': 'noindex',
}

function send(reply: FastifyReply, status: number, text: string, result: string): FastifyReply {
  const page = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>MTA-STS, TLS-RPT and DANE of a domain</title><style>${style}</style></head><body><main>
<h1>MTA-STS, TLS-RPT and DANE of a domain</h1>
<form action="/check" method="get"><label>Domain <input name="domain" value="${escape(text.slice(0, mostChars))}" maxlength="253" autocomplete="off" autocapitalize="none" spellcheck="false" required></label> <button>Check</button></form>
<p>It is looked at from here, as senders of mail see it, which takes up to a minute. No mail is sent, and nothing is kept.</p>
${result}</main></body></html>
`
  return reply.code(status).headers(headers).send(page)
}
