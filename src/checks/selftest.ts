/**
 * The setup doctor: a report by each way that a domain has published (RFC 8460 §3), and where it gets lost.
 *
 * It proves names, addresses, ports and proxies, that the service reads what comes, asks the DNS for the key and keeps
 * what it decides, and that a signature is whole when it gets there. What comes is refused like any stranger's report
 * with an unknown key about a domain that is not ours: no door is opened for it, and nothing is counted.
 */
import type { LookUp } from '../dns/look-up.ts'
import type { DkimLimits } from '../dkim/verify.ts'
import { parseRecord } from '../tlsrpt/record.ts'
import { problemsText, seeCertificate, shakeHands, type Trust } from './certificate-seen.ts'
import { readMailHosts } from './mail-hosts.ts'
import { findAddresses, unseenOf, type Outgoing, type ResolveAddresses } from './outgoing.ts'
import { isOnUsualPort, isOwnRua, mailDomainOf, placeOfOwn } from './rua.ts'
import { postTestReport } from './selftest-post.ts'
import { makeTestReport, sendTestMail, type TestReport } from './selftest-report.ts'
import { readable } from './strangers-text.ts'

/** `subject` is a name or an address. The links of one way end with the one that is broken. */
export type Link = { link: LinkName; subject: string; holds: boolean; sentence: string }
export type LinkName = (typeof linkNames)[number]
export const linkNames = [
  ...(['record', 'listed', 'ours'] as const),
  ...(['mail-host', 'mail-connection', 'mail-taken', 'mail-arrived', 'mail-whole'] as const),
  ...(['https-connection', 'https-answered', 'https-arrived'] as const),
]

export type SelfTest = { domain: string; holds: boolean; firstBroken: Link | null; links: Link[] }

/** What the store has of a report of ours. */
export type Arrived = { verdict: string; reason: string | null; bytes?: Buffer }

export type SelfTestStore = {
  /** Of the refused mails that came since then, one with this text in it. */
  findMail: (token: string, since: Date) => Promise<Arrived | undefined>
  findPost: (submissionKey: string) => Promise<Arrived | undefined>
}

export type SelfTestDeps = {
  lookUp: LookUp
  resolveAddresses: ResolveAddresses
  outgoing: Outgoing
  trust: Trust
  ownAddresses: readonly string[]
  ehloName: string
  userAgent: string
  limits: DkimLimits & { checkTlsMs: number; checkFetchMs: number; checkPolicyBytes: number; selfTestArrivalMs: number }
  now: () => Date
  newToken: () => string
  wait: (milliseconds: number) => Promise<unknown>
  /** Whether reports about the domain are taken. */
  isOurs: boolean
  store: SelfTestStore
  onLink: (link: Link) => void
}

/** Rejects when the store does. `domain` as readDomainInput answers it. */
export async function runSelfTest(domain: string, deps: SelfTestDeps): Promise<SelfTest> {
  const published: Link[] = []
  const ways = await readWays(domain, deps, teller(published, deps))
  const report = await makeTestReport(deps.newToken(), deps.now(), deps.limits)
  const links = await Promise.all(
    ways.map(async (uri) => {
      const told: Link[] = []
      const tell = teller(told, deps)
      await (mailDomainOf(uri) === undefined ? testHttps(uri, report, deps, tell) : testMail(uri, report, deps, tell))
      return told
    }),
  )
  const all = [...published, ...links.flat()]
  const firstBroken = all.find(({ holds }) => !holds) ?? null
  return { domain, holds: firstBroken === null, firstBroken, links: all }
}

/** Notes a link, and says whether it holds. */
type Tell = (link: LinkName, subject: string, holds: boolean, sentence: string) => boolean

const teller =
  (links: Link[], { onLink }: Pick<SelfTestDeps, 'onLink'>): Tell =>
  (name, subject, holds, sentence) => {
    const link = { link: name, subject: readable(subject, 300), holds, sentence: readable(sentence, 600) }
    links.push(link)
    onLink(link)
    return holds
  }

/** The first address of each kind that is ours; none where the record does not lead here. */
async function readWays(domain: string, { lookUp, ownAddresses, isOurs }: SelfTestDeps, tell: Tell): Promise<string[]> {
  const name = `_smtp._tls.${domain}`
  const looked = await lookUp(name, 'TXT')
  if (looked.kind === 'unreachable') {
    tell('record', name, false, `The DNS cannot tell ${name} just now (${looked.reason}).`)
    return []
  }
  const record = parseRecord(looked.kind === 'found' ? looked.records : [])
  if (record.kind === 'missing') {
    tell('record', name, false, `There is no TLSRPT record at ${name}, so nobody sends reports.`)
    return []
  }
  if (record.kind === 'invalid') {
    tell('record', name, false, `The TLSRPT record at ${name} counts for nothing: ${record.problems.join(' ')}`)
    return []
  }
  tell('record', name, true, 'There is a TLSRPT record.')
  const place = placeOfOwn(record.rua, ownAddresses)
  const list = record.rua.join(', ')
  if (place === undefined) {
    tell('listed', name, false, `The record at ${name} sends reports to ${list}, and not to this instance, which is ${ownAddresses.join(' and ') || 'without an address: set RUA_ADDRESSES'}.`) // prettier-ignore
    return []
  }
  tell('listed', name, true, place === 0 ? 'This instance is its first address.' : `This instance is address number ${place + 1} in it; senders that use only the first one report elsewhere.`) // prettier-ignore
  if (!tell('ours', domain, isOurs, isOurs ? 'Reports about it are taken.' : `Reports about ${domain} arrive here and are refused as not-ours: add the domain.`)) return [] // prettier-ignore
  const own = record.rua.filter((uri) => isOwnRua(uri, ownAddresses) && isOnUsualPort(uri))
  const isMail = (uri: string) => mailDomainOf(uri) !== undefined
  return [own.find(isMail), own.find((uri) => !isMail(uri))].filter((uri) => uri !== undefined)
}

const narrow = 'CHECK_ALLOW_CIDRS lets a self-test call addresses that are not public.'

/** A connection to the first address of a host that takes one; undefined where there is none, which is told. */
async function connectTo(
  host: string,
  service: 'smtp' | 'https',
  link: LinkName,
  { resolveAddresses, outgoing }: SelfTestDeps,
  tell: Tell,
) {
  const found = await findAddresses(host, resolveAddresses, outgoing)
  if (found.kind === 'failed') {
    tell(link, host, false, `${host} cannot be called: ${found.unseen.text}.`)
    return undefined
  }
  const why = found.blocked.length > 0 ? [`${found.blocked.join(', ')} is not public; ${narrow}`] : []
  for (const address of found.allowed) {
    const connected = await outgoing.connect(address, service)
    if (connected.kind === 'connected') return { ...connected, address }
    why.unshift(`${address}: ${connected.unseen.text}`)
  }
  tell(link, host, false, `Nobody answers at ${host}: ${why.join('; ')}.`)
  return undefined
}

async function testMail(uri: string, report: TestReport, deps: SelfTestDeps, tell: Tell): Promise<void> {
  const mailDomain = mailDomainOf(uri)!
  const address = decodeURIComponent(uri.replace(/^mailto:/i, '').replace(/\?.*$/s, ''))
  const mailHosts = readMailHosts(mailDomain, await deps.lookUp(mailDomain, 'MX'), true, 1)
  const first = mailHosts.kind === 'hosts' ? mailHosts.hosts[0] : undefined
  if (!first) {
    tell('mail-host', mailDomain, false, `The MX of ${mailDomain} cannot be told, or there is none.`)
    return
  }
  tell('mail-host', mailDomain, true, `Its mail goes to ${first.host}.`)
  const connected = await connectTo(first.host, 'smtp', 'mail-connection', deps, tell)
  if (!connected) return
  tell('mail-connection', first.host, true, `${connected.address} takes connections.`)
  const since = new Date(deps.now().getTime() - 600_000) // Clocks differ; the token does not.
  try {
    const said = await sendTestMail(connected.socket, { name: deps.ehloName, host: first.host }, report.mail(address))
    const isOurAnswer = /^550 .* key=[\w-]+/s.test(said)
    if (!tell('mail-taken', address, said.startsWith('250') || isOurAnswer, isOurAnswer ? 'This service answered, as it answers a stranger whose key nobody knows.' : `${first.host} answered: ${said}`)) return // prettier-ignore
  } catch (error) {
    tell('mail-taken', address, false, `The conversation with ${first.host} broke off: ${(error as Error).message}.`)
    return
  } finally {
    connected.socket.destroy()
  }
  const arrived = await waitFor(() => deps.store.findMail(report.token, since), deps)
  if (!arrived) {
    tell('mail-arrived', address, false, `${first.host} took the mail, and it has not come to this service within ${deps.limits.selfTestArrivalMs / 1000} s: look at the queue and the log of that server.`) // prettier-ignore
    return
  }
  tell('mail-arrived', address, true, 'The mail is in the store.')
  await tellWhole(address, arrived, report, tell)
}

/** What the verdict has to be: signed by a key that the DNS does not have, or with DKIM_POLICY=mark, about nobody of ours. */
const isExpected = ({ verdict, reason }: Arrived) =>
  (verdict === 'unauthenticated' && reason === 'no-key') || verdict === 'not-ours'

async function tellWhole(address: string, arrived: Arrived, report: TestReport, tell: Tell): Promise<void> {
  const why = arrived.bytes ? await report.whyBroken(arrived.bytes) : 'its bytes were not kept'
  if (why !== undefined) {
    tell('mail-whole', address, false, `Something on the way to ${address} changes mails (${why}), so that no report of anybody can be verified: footers, banners and re-encoding do that.`) // prettier-ignore
    return
  }
  const { verdict, reason } = arrived
  tell('mail-whole', address, isExpected(arrived), isExpected(arrived) ? 'It came as it was sent: its signature holds.' : `The service could not read its own report: ${verdict}, ${reason ?? ''}.`) // prettier-ignore
}

async function testHttps(uri: string, report: TestReport, deps: SelfTestDeps, tell: Tell): Promise<void> {
  const { hostname } = new URL(uri)
  const connected = await connectTo(hostname, 'https', 'https-connection', deps, tell)
  if (!connected) return
  const { socket } = connected
  let key: string | undefined
  try {
    const tls = await shakeHands(socket, hostname, deps.trust.forPolicy, deps.limits)
    const problems = seeCertificate(tls, hostname, deps.trust, deps.now())?.problems ?? []
    tell('https-connection', hostname, true, problems.length === 0 ? `${connected.address} talks TLS.` : `${connected.address} talks TLS; senders may ignore that ${problemsText(problems)}, and some do not.`) // prettier-ignore
    const { status, body } = await postTestReport(tls, uri, report.gzip, deps)
    key = submissionKeyOf(body)
    if (!tell('https-answered', uri, key !== undefined, key === undefined ? `${hostname} answered ${status}, and not as this service does.` : 'This service answered, as it answers a report about a domain that is not ours.')) return // prettier-ignore
  } catch (error) {
    const answered = socket.bytesRead > 0
    tell(answered ? 'https-answered' : 'https-connection', uri, false, `The conversation with ${hostname} broke off: ${unseenOf(error, 'bad-reply').text}.`) // prettier-ignore
    return
  } finally {
    socket.destroy()
  }
  const arrived = await deps.store.findPost(key!)
  tell('https-arrived', uri, arrived !== undefined && isExpected(arrived), arrived ? (isExpected(arrived) ? 'The report is in the store.' : `The service could not read its own report: ${arrived.verdict}, ${arrived.reason ?? ''}.`) : 'Another instance answered, whose store is not this one.') // prettier-ignore
}

function submissionKeyOf(body: string): string | undefined {
  try {
    const { submission_key: key } = JSON.parse(body) as { submission_key?: unknown }
    return typeof key === 'string' ? key : undefined
  } catch {
    return undefined
  }
}

const pollMs = 500

async function waitFor<T>(
  find: () => Promise<T | undefined>,
  { limits, now, wait }: SelfTestDeps,
): Promise<T | undefined> {
  for (const until = now().getTime() + limits.selfTestArrivalMs; ;) {
    const found = await find()
    if (found !== undefined || now().getTime() >= until) return found
    await wait(pollMs)
  }
}
