/** RFC 3207, RFC 8461 §4.2 and §5: what each MX host shows on port 25, and what a sender would make of it under enforce. */
import { patternsFor } from '../../mtasts/match.ts'
import type { ReadPolicy } from '../../mtasts/policy.ts'
import { utcDay } from '../../tlsrpt/dates.ts'
import { problemsText } from '../certificate-seen.ts'
import { isPassing, type HostSeen } from '../domain-seen.ts'
import type { MxAddressSeen, MxSeen, Unseen } from '../seen.ts'
import { certificateFindings, describeCertificate } from './certificate.ts'
import type { FindingCode } from './codes.ts'
import { finding, type Finding } from './finding.ts'

/** 'partly': by some of its addresses. 'unknown': none could be looked at. */
export type EnforceVerdict = 'delivers' | 'partly' | 'refuses' | 'unknown'

export function mxHostFindings(
  domain: string,
  hosts: readonly HostSeen[],
  read: ReadPolicy | undefined,
  at: Date,
): Finding[] {
  const verdicts = enforceVerdicts(hosts, read)
  const seen = nobodyAnswers(hosts) ? [noneAnswers(domain, hosts)] : hosts.flatMap(({ mx }) => hostFindings(mx, at))
  return [
    ...seen,
    ...hosts.map(({ mx }, i) => verdictFinding(mx, verdicts[i]!, read)),
    ...(hosts.length > 0 && verdicts.every((verdict) => verdict === 'refuses') ? [noMxLeft(domain, read)] : []),
  ]
}

/**
 * What a sender would do with each host if the policy were enforced; without a policy, if there were one that lists it.
 * In the order of `hosts`.
 */
export function enforceVerdicts(hosts: readonly HostSeen[], read: ReadPolicy | undefined): EnforceVerdict[] {
  const silent = nobodyAnswers(hosts)
  return hosts.map(({ mx }) => {
    if (!isListed(mx, read)) return 'refuses'
    if (silent) return 'unknown'
    if (mx.addresses.length === 0) return mx.unseen && isPassing(mx.unseen) ? 'unknown' : 'refuses'
    const known = mx.addresses.map(standingOf).filter((standing) => standing !== 'unknown')
    if (known.length === 0) return 'unknown'
    if (known.every((standing) => standing === 'good')) return 'delivers'
    return known.includes('good') ? 'partly' : 'refuses'
  })
}

function isListed({ host }: MxSeen, read: ReadPolicy | undefined): boolean {
  const meant = read?.kind === 'valid' ? read.policy : read?.meant
  return meant === undefined || meant.mode === 'none' || meant.mx.length === 0 || patternsFor(meant.mx, host).length > 0
}

const unknowable: readonly FindingCode[] = ['mx-not-seen', 'mx-no-route', 'mx-turns-us-away']

function standingOf(seen: MxAddressSeen): 'good' | 'bad' | 'unknown' {
  const fault = faultOf(seen)
  if (fault) return unknowable.includes(fault.code) ? 'unknown' : 'bad'
  return seen.certificate?.problems.length === 0 ? 'good' : 'bad'
}

/** Port 25 is often filtered on the way out: to whoever is so, every host looks dead. */
const nobodyAnswers = (hosts: readonly HostSeen[]): boolean => {
  const addresses = hosts.flatMap(({ mx }) => mx.addresses)
  const timedOut = ({ unseen, greeting }: MxAddressSeen) => unseen?.reason === 'timeout' && greeting === undefined
  const noWay = ({ unseen }: MxAddressSeen) => unseen?.reason === 'unreachable'
  return addresses.some(timedOut) && addresses.every((address) => timedOut(address) || noWay(address))
}

const noneAnswers = (domain: string, hosts: readonly HostSeen[]): Finding =>
  finding('mx-none-answers', domain, 'No MX host answers on port 25. Either all are down, or the network of this instance lets nothing out to port 25.', { evidence: hosts.flatMap(({ mx }) => mx.addresses.map(({ address, unseen }) => `${mx.host} [${address}]: ${unseen!.text}`)), fix: 'Try from another network before you believe it.' }) // prettier-ignore

function hostFindings(mx: MxSeen, at: Date): Finding[] {
  if (mx.addresses.length === 0 && mx.unseen) return [noAddressFinding(mx.host, mx.unseen)]
  return mx.addresses.flatMap((seen) => addressFindings(mx.host, seen, at))
}

function noAddressFinding(host: string, unseen: Unseen): Finding {
  const evidence = [unseen.text]
  if (isPassing(unseen)) return finding('mx-not-seen', host, 'The MX host cannot be looked at just now.', { evidence })
  return finding('mx-no-address', host, 'The MX host has no address in the DNS.', { evidence, fix: 'Publish its address, or take it out of the MX records.' }) // prettier-ignore
}

function addressFindings(host: string, seen: MxAddressSeen, at: Date): Finding[] {
  const subject = `${host} [${seen.address}]`
  const evidence = describe(seen)
  const fault = faultOf(seen)
  if (fault) return [finding(fault.code, subject, fault.sentence, { evidence, ...(fault.fix !== undefined && { fix: fault.fix }) })] // prettier-ignore
  const certificate = seen.certificate!
  const good =
    certificate.problems.length > 0
      ? []
      : [finding('mx-tls-good', subject, `It offers STARTTLS and ${seen.tlsVersion!}, and shows a valid certificate until ${utcDay(certificate.validTo)}.`, { evidence })] // prettier-ignore
  return [...good, ...certificateFindings('mx', subject, certificate, at)]
}

const describe = ({ greeting, tlsVersion, certificate, unseen }: MxAddressSeen): string[] => [
  ...(greeting === undefined ? [] : [`greeting: ${greeting}`]),
  ...(tlsVersion === undefined ? [] : [tlsVersion]),
  ...(certificate ? describeCertificate(certificate) : []),
  ...(unseen ? [unseen.text] : []),
]

type Fault = { code: FindingCode; sentence: string; fix?: string }

const oldTls = /^(?:SSLv|TLSv1(?:\.1)?$)/

/** What stops a sender before it looks at the certificate. */
function faultOf({ greeting, offersStarttls, tlsVersion, certificate, unseen }: MxAddressSeen): Fault | undefined {
  if (offersStarttls === false) {
    return { code: 'mx-no-starttls', sentence: 'It does not offer STARTTLS: mail arrives in the clear.', fix: 'Turn on STARTTLS on port 25; if it is on, look for a firewall or a mail gateway in front that hides it.' } // prettier-ignore
  }
  if (tlsVersion !== undefined && oldTls.test(tlsVersion)) {
    return { code: 'mx-tls-too-old', sentence: `It offers no more than ${tlsVersion}; senders want TLS 1.2 or better.`, fix: 'Turn on TLS 1.2 and 1.3.' } // prettier-ignore
  }
  if (unseen && unseen.reason !== 'bad-certificate') return unseenFault(unseen, greeting !== undefined)
  if (!certificate) return { code: 'mx-tls-failed', sentence: 'It shows no certificate.' }
  return undefined
}

/** `greeted`: then a refusal is the mail server's own word, in SMTP, and about us. */
function unseenFault({ reason, text }: Unseen, greeted: boolean): Fault {
  switch (reason) {
    case 'blocked-address':
      return { code: 'mx-address-blocked', sentence: 'Its address is not a public one: no sender can reach it.', fix: 'Publish the public address, or take the host out of the MX records.' } // prettier-ignore
    case 'unreachable':
      return { code: 'mx-no-route', sentence: 'There is no way to it from this instance; others may have one.' }
    case 'budget':
    case 'dns-unreachable':
      return { code: 'mx-not-seen', sentence: 'It could not be looked at just now.' }
    case 'refused':
      return greeted
        ? { code: 'mx-turns-us-away', sentence: `It does not talk to this instance: ${text}.` }
        : unreachableFault(text)
    case 'tls-failed':
      return { code: 'mx-tls-failed', sentence: `The TLS handshake fails: ${text}.`, fix: 'Look into the log of the mail server, and try: openssl s_client -starttls smtp -connect HOST:25' } // prettier-ignore
    case 'bad-reply':
    case 'too-large':
      return { code: 'mx-bad-reply', sentence: `It does not answer as a mail server does: ${text}.` }
    case 'timeout':
    case 'reset':
    case 'no-address':
    case 'no-such-name':
    case 'bad-certificate':
      return unreachableFault(text)
  }
}

const unreachableFault = (text: string): Fault => ({
  code: 'mx-unreachable',
  sentence: `It does not answer on port 25: ${text}.`,
  fix: 'See that the mail server runs, and that port 25 is open to everyone.',
})

const verdictSentences = {
  delivers: ['a sender delivers to this MX host', 'a sender would deliver to this MX host'],
  partly: ['a sender delivers to this MX host by some of its addresses only', 'a sender would deliver to this MX host by some of its addresses only'],
  refuses: ['a sender does not deliver to this MX host', 'a sender would not deliver to this MX host'],
  unknown: ['it could not be seen what a sender does with this MX host', 'it could not be seen what a sender would do with this MX host'],
} as const // prettier-ignore

function verdictFinding(mx: MxSeen, verdict: EnforceVerdict, read: ReadPolicy | undefined): Finding {
  const [now, then] = verdictSentences[verdict]
  const sentence = `${when(read)} ${isEnforced(read) ? now : then}.`
  return finding(`mx-enforce-${verdict}`, mx.host, sentence, { evidence: reasonsFor(mx, read) })
}

function reasonsFor(mx: MxSeen, read: ReadPolicy | undefined): string[] {
  if (!isListed(mx, read)) return ['the policy does not list it']
  if (mx.addresses.length === 0) return mx.unseen ? [mx.unseen.text] : []
  return mx.addresses.map((seen) => `${seen.address}: ${reasonOf(seen)}`)
}

function reasonOf(seen: MxAddressSeen): string {
  const fault = faultOf(seen)
  if (fault) return fault.sentence
  const problems = seen.certificate?.problems ?? []
  return problems.length === 0 ? 'TLS as a sender wants it.' : `${problemsText(problems)}.`
}

const isEnforced = (read: ReadPolicy | undefined): boolean => read?.kind === 'valid' && read.policy.mode === 'enforce'

/** Today, or if it were so. */
function when(read: ReadPolicy | undefined): string {
  if (isEnforced(read)) return 'As the policy is enforced,'
  return read === undefined ? 'If there were an enforced policy that lists it,' : 'If the policy were enforced,'
}

const noMxLeft = (domain: string, read: ReadPolicy | undefined): Finding =>
  finding('enforce-no-mx-left', domain, `${when(read)} no MX host is left: senders that know MTA-STS ${isEnforced(read) ? '' : 'would '}return all mail.`, { fix: 'Do not enforce before at least one MX host passes.' }) // prettier-ignore
