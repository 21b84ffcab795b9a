/** What changed between two checks of one domain, as sentences. */
import type { Check } from './check.ts'
import type { CertificateObserved, MxObserved, Observed } from './observed.ts'

export type Change = { code: ChangeCode; subject: string; sentence: string }

export type ChangeCode =
  | 'finding-new'
  | 'finding-gone'
  | 'sts-id'
  | 'sts-id-without-policy' // The id changed, the policy did not: senders fetch it for nothing.
  | 'policy'
  | 'policy-without-sts-id' // The policy changed, the id did not: senders that have the old one keep it.
  | 'certificate'
  | 'mx-added'
  | 'mx-removed'
  | 'enforce-verdict'
  | 'tlsa'
  | 'tlsrpt-record'

/** From `before` to `after`. What could not be seen in one of them is not compared. */
export function diffChecks(before: Check, after: Check): Change[] {
  return [
    ...stsChanges(after.domain, before.observed, after.observed),
    ...certificateChange(before.observed.policyHost.host, [before.observed.policyHost.certificate], [after.observed.policyHost.certificate]), // prettier-ignore
    ...mxChanges(after.domain, before.observed.mx, after.observed.mx),
    ...tlsrptChanges(after.domain, before.observed.tlsrptRecord, after.observed.tlsrptRecord),
    ...findingChanges(before, after),
  ]
}

function stsChanges(domain: string, before: Observed, after: Observed): Change[] {
  const name = `_mta-sts.${domain}`
  const [then, now] = [before.stsRecord?.id, after.stsRecord?.id]
  const idChanged = then !== undefined && now !== undefined && then !== now
  const difference = before.policy && after.policy ? policyDifference(before.policy, after.policy) : undefined
  const told = difference !== undefined && difference.length > 0
  if (idChanged && difference?.length === 0) {
    return [{ code: 'sts-id-without-policy', subject: name, sentence: `The id changed from ${then} to ${now}, the policy did not.` }] // prettier-ignore
  }
  const sameId = now !== undefined && then === now
  return [
    ...(idChanged ? [{ code: 'sts-id', subject: name, sentence: `The id changed from ${then} to ${now}.` } as const] : []), // prettier-ignore
    ...(told ? [{ code: sameId ? 'policy-without-sts-id' : 'policy', subject: after.policyHost.host, sentence: `The policy changed: ${difference.join('; ')}${sameId ? '. The id did not, so that senders keep the old one' : ''}.` } as const] : []), // prettier-ignore
  ]
}

type Policy = NonNullable<Observed['policy']>

function policyDifference(before: Policy, after: Policy): string[] {
  const said = (value: string | number | undefined) => value ?? 'none that is valid'
  const added = after.mx.filter((pattern) => !before.mx.includes(pattern))
  const removed = before.mx.filter((pattern) => !after.mx.includes(pattern))
  return [
    ...(before.mode === after.mode ? [] : [`mode from ${said(before.mode)} to ${said(after.mode)}`]),
    ...(before.maxAge === after.maxAge ? [] : [`max_age from ${said(before.maxAge)} to ${said(after.maxAge)}`]),
    ...(added.length > 0 ? [`mx added: ${listed(added)}`] : []),
    ...(removed.length > 0 ? [`mx removed: ${listed(removed)}`] : []),
  ]
}

const mostListed = 10
const listed = (items: string[]): string =>
  items.length > mostListed ? `${items.slice(0, mostListed).join(', ')} and ${items.length - mostListed} more` : items.join(', ') // prettier-ignore

type Certificates = (CertificateObserved | undefined)[]

/** Where a host shows the same to all, that is said once. */
function certificateChange(host: string, before: Certificates, after: Certificates): Change[] {
  const sentences = after.flatMap((now, i) => {
    const then = before[i]
    if (!now || !then || now.fingerprint === then.fingerprint) return []
    const what = now.validTo > then.validTo ? 'was renewed' : 'was replaced'
    const key = now.publicKeyFingerprint === then.publicKeyFingerprint ? 'the same key' : 'another key'
    return [`The certificate of ${host} ${what}, now until ${now.validTo.slice(0, 10)}, with ${key}.`]
  })
  return [...new Set(sentences)].map((sentence) => ({ code: 'certificate', subject: host, sentence }))
}

function mxChanges(domain: string, before: MxObserved[] | undefined, after: MxObserved[] | undefined): Change[] {
  if (!before || !after) return []
  const earlier = new Map(before.map((mx) => [mx.host, mx]))
  const hosts = new Set(after.map(({ host }) => host))
  return [
    ...after.filter(({ host }) => !earlier.has(host)).map(({ host }): Change => ({ code: 'mx-added', subject: domain, sentence: `${host} is a new MX host.` })), // prettier-ignore
    ...before.filter(({ host }) => !hosts.has(host)).map(({ host }): Change => ({ code: 'mx-removed', subject: domain, sentence: `${host} is no MX host any more.` })), // prettier-ignore
    ...after.flatMap((mx) => hostChanges(earlier.get(mx.host), mx)),
  ]
}

const verdicts = {
  delivers: 'delivered to',
  partly: 'delivered to by some of its addresses',
  refuses: 'not delivered to',
  unknown: 'not known',
} as const

function hostChanges(before: MxObserved | undefined, after: MxObserved): Change[] {
  if (!before) return []
  const { host } = after
  const then = after.addresses.map(({ address }) => before.addresses.find((seen) => seen.address === address)?.certificate) // prettier-ignore
  const compared = before.enforce !== 'unknown' && after.enforce !== 'unknown' && before.enforce !== after.enforce
  return [
    ...certificateChange(host, then, after.addresses.map(({ certificate }) => certificate)), // prettier-ignore
    ...(compared ? [{ code: 'enforce-verdict', subject: host, sentence: `Under enforce, ${host} was ${verdicts[before.enforce]} and is now ${verdicts[after.enforce]}.` } as const] : []), // prettier-ignore
    ...(before.tlsa && after.tlsa && before.tlsa.join() !== after.tlsa.join() ? [{ code: 'tlsa', subject: `_25._tcp.${host}`, sentence: `The TLSA records of ${host} changed: ${listed(after.tlsa) || 'there are none now'}.` } as const] : []), // prettier-ignore
  ]
}

type TlsrptRecord = Observed['tlsrptRecord']

function tlsrptChanges(domain: string, before: TlsrptRecord, after: TlsrptRecord): Change[] {
  if (!before || !after || before.rua.join() === after.rua.join()) return []
  const to = after.rua.length > 0 ? `reports now go to ${listed(after.rua)}` : 'reports now go nowhere'
  return [{ code: 'tlsrpt-record', subject: `_smtp._tls.${domain}`, sentence: `The TLSRPT record changed: ${to}.` }]
}

/** That something is as it should be is no news; that it was not, and is now, is. */
function findingChanges(before: Check, after: Check): Change[] {
  const told = ({ findings }: Check) =>
    new Map(findings.filter(({ severity }) => severity !== 'ok').map((one) => [`${one.code} ${one.subject}`, one]))
  const [then, now] = [told(before), told(after)]
  return [
    ...[...now].filter(([key]) => !then.has(key)).map(([, { subject, sentence }]): Change => ({ code: 'finding-new', subject, sentence: `New: ${sentence}` })), // prettier-ignore
    ...[...then].filter(([key]) => !now.has(key)).map(([, { subject, sentence }]): Change => ({ code: 'finding-gone', subject, sentence: `No longer: ${sentence}` })), // prettier-ignore
  ]
}
