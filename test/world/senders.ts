/** Who reports, each in the shape of a sender of the field: how it writes a report, and the mail around it. */
import { gzipSync } from 'node:zlib'
import { keyPair, keyRecord, signDkim, type SignOptions } from '../support/dkim-signer.ts'
import { ruaAddress } from '../support/running-service.ts'
import type { Zone } from '../support/dns-server.ts'
import { mxHosts, type Judgement, type SenderName, type Session } from './ledger.ts'

/** What one sender tells in one report: `about` is the TLS-Report-Domain. */
export type Report = {
  id: string
  sender: SenderName
  about: string
  day: string
  part: 1 | 2
  sessions: Session[]
}

/** Everybody tells by recipient domain; mox also by MX host, with all recipient domains of that host in one report. */
export function reportsOf(ledger: Session[]): Report[] {
  const about = ({ sender, to, mx }: Session) =>
    sender === 'mox' ? (mx.endsWith('hoster.example') ? mx : 'alpha.example') : to
  const id = (session: Session) => `${session.sender} ${about(session)} ${session.day} ${session.part}`
  return [...Map.groupBy(ledger, id)].map(([id, sessions]) => {
    const { sender, day, part } = sessions[0]!
    return { id, sender, about: about(sessions[0]!), day, part, sessions }
  })
}

type Json = Record<string, unknown>
type Judged = Judgement & { mx: string }

type Shape = {
  organization: string
  /** Signs: d=, and who the reporter is. */
  domain: string
  contact: string | null
  submitter: string
  from: string
  reportId: (report: Report) => string
  /** A policy or a failure detail as this sender spells it. */
  policy?: (policy: Json, judgement: Judged) => Json
  detail?: (detail: Json) => Json
  noDetails?: [] | undefined
  firstPart?: string
  extraFields?: string[]
  key?: { type?: 'ed25519'; bits?: number; service?: string }
  signing: Partial<SignOptions>
}

const allFields = ['From', 'To', 'Subject', 'Date', 'Message-ID', 'MIME-Version', 'Content-Type']
const reportFields = ['TLS-Report-Domain', 'TLS-Report-Submitter']

export const shapes: Record<SenderName, Shape> = {
  google: {
    organization: 'Google Shape Inc.',
    domain: 'google-shape.example',
    contact: 'smtp-tls-reporting@google-shape.example',
    submitter: 'google-shape.example',
    from: 'noreply-smtp-tls-reporting@google-shape.example',
    reportId: ({ day, about }) => `${day}T00:00:00Z_${about}`, // As predictable as Google's.
    signing: { headers: [...reportFields, ...allFields, 'From', 'To', 'Cc', 'Subject', 'Date'] },
  },
  microsoft: {
    organization: 'Microsoft Shape Corporation',
    domain: 'microsoft-shape.example',
    contact: 'tlsrpt-noreply@microsoft-shape.example',
    submitter: 'microsoft-shape.example',
    from: 'tlsrpt-noreply@microsoft-shape.example',
    reportId: ({ day, about }) => `1344${day.replaceAll('-', '')}0071+${about}`,
    policy: (policy, { policyType }) => ({
      ...policy,
      'mx-host': undefined,
      ...(policyType === 'tlsa' && { 'policy-string': [JSON.stringify(policy['policy-string'])] }),
    }),
    firstPart: 'Content-Type: text/html; charset=us-ascii\r\n\r\n<html><body><p>A TLS report.</p></body></html>',
    key: { bits: 1024 },
    signing: { headers: allFields },
  },
  postfix: {
    organization: 'Postfix Shape Ltd',
    domain: 'postfix-shape.example',
    contact: 'smtp-tls-reporting@mail.postfix-shape.example',
    submitter: 'Postfix Shape Ltd',
    from: 'smtp-tls-reporting@mail.postfix-shape.example',
    reportId: ({ day, about, part }) => `${day}T00:00:00Z_idx${part}_${about}`,
    policy: (policy, { policyType }) =>
      policyType === 'no-policy-found' ? { ...policy, 'policy-domain': undefined } : policy,
    detail: (detail) => ({ ...detail, 'receiving-mx-helo': 'mx.example\r\nPIPELINING\r\nSTARTTLS\r\n8BITMIME' }),
    noDetails: [],
    extraFields: ['TLS-Required: No'],
    key: { service: 'tlsrpt' },
    signing: { headers: [...allFields, ...reportFields] },
  },
  mox: {
    organization: 'mox-shape.example',
    domain: 'mox-shape.example',
    contact: 'postmaster@mox-shape.example',
    submitter: 'mox-shape.example',
    from: 'postmaster@mox-shape.example',
    reportId: ({ day, about }) => `${day.replaceAll('-', '')}.${about}@mox-shape.example`,
    policy: (policy, { policyType, mx }) => (policyType === 'tlsa' ? { ...policy, 'mx-host': [mx] } : policy),
    noDetails: [],
    extraFields: ['TLS-Required: No'],
    key: { type: 'ed25519' },
    signing: { headers: [...allFields, ...reportFields, 'TLS-Required'] },
  },
  stalwart: {
    organization: 'Stalwart Shape',
    domain: 'stalwart-shape.example',
    contact: null,
    submitter: 'mail.stalwart-shape.example',
    from: 'noreply-tls@stalwart-shape.example',
    reportId: ({ day, about }) => `${Date.parse(day) / 1000}_1784631987${about.length}`,
    detail: (detail) => ({ ...detail, 'receiving-mx-helo': null, 'additional-information': null }),
    noDetails: [],
    signing: { canonicalization: 'relaxed/simple', headers: [...allFields, ...reportFields] },
  },
  stranger: {
    organization: 'Stranger',
    domain: 'stranger.example',
    contact: 'nobody@stranger.example',
    submitter: 'stranger.example',
    from: 'nobody@stranger.example',
    reportId: ({ day }) => day,
    signing: {},
  },
}

/** Stalwart counts a day from the first event on; the others tell whole UTC days. */
const rangeOf = ({ sender, day }: Report) => {
  const next = new Date(Date.parse(day) + 24 * 60 * 60 * 1000).toISOString().slice(0, 10)
  return sender === 'stalwart'
    ? { 'start-datetime': `${day}T09:13:44Z`, 'end-datetime': `${next}T09:13:44Z` }
    : { 'start-datetime': `${day}T00:00:00Z`, 'end-datetime': `${day}T23:59:59Z` }
}

export function writeReport(report: Report): Json {
  const { organization, contact, reportId } = shapes[report.sender]
  const judged = report.sessions.flatMap(({ judgements, mx }) => judgements.map((judgement) => ({ ...judgement, mx })))
  const policies = Map.groupBy(judged, ({ policyType, policyDomain }) => `${policyType} ${policyDomain}`)
  return {
    'organization-name': organization,
    'date-range': rangeOf(report),
    'contact-info': contact,
    'report-id': reportId(report),
    policies: [...policies.values()].map((judgements) => writePolicy(report.sender, judgements)),
  }
}

function writePolicy(sender: SenderName, judgements: Judged[]): Json {
  const { policy = (same: Json) => same, detail = (same: Json) => same, noDetails } = shapes[sender]
  const [first] = judgements
  const failed = judgements.filter((judgement) => judgement.failed)
  const lines = Map.groupBy(
    failed.flatMap(({ details }) => details),
    (each) => JSON.stringify(each),
  )
  const details = [...lines.values()].map((alike) =>
    detail({
      'result-type': alike[0]!.resultType,
      'sending-mta-ip': alike[0]!.sendingMtaIp,
      'receiving-mx-hostname': alike[0]!.receivingMxHostname,
      'receiving-ip': alike[0]!.receivingIp,
      'failed-session-count': alike.length,
      'failure-reason-code': alike[0]!.failureReasonCode,
    }),
  )
  return {
    policy: policy(policyBody(first!), first!),
    summary: {
      'total-successful-session-count': judgements.length - failed.length,
      'total-failure-session-count': failed.length,
    },
    'failure-details': details.length > 0 ? details : noDetails,
  }
}

function policyBody({ policyType, policyDomain, policyMode }: Judged): Json {
  const names = { 'policy-type': policyType, 'policy-domain': policyDomain }
  if (policyType === 'no-policy-found') return names
  if (policyType === 'tlsa') return { ...names, 'policy-string': ['3 1 1 ab12', '3 1 1 cd34'] }
  const hosts = Object.keys(mxHosts).filter((host) => host.endsWith(`.${policyDomain}`))
  const lines = ['version: STSv1', `mode: ${policyMode!}`, ...hosts.map((host) => `mx: ${host}`), 'max_age: 604800']
  return { ...names, 'policy-string': lines, 'mx-host': hosts }
}

const selector = 'tlsrpt2026'
export const liarDomain = 'liar.example'

const keyOf = (domain: string) => {
  const key = Object.values(shapes).find((shape) => shape.domain === domain)?.key
  return keyPair(key?.type ?? 'rsa', key?.bits ?? 2048, domain)
}

/** The key records of everybody who signs, the liar's among them. */
export const zone: Zone = Object.fromEntries(
  [...Object.values(shapes), { domain: liarDomain, key: undefined }].map(({ domain, key }) => [
    `${selector}._domainkey.${domain}`,
    keyRecord(keyOf(domain), { s: key?.service }),
  ]),
)

/**
 * The mail for a report, signed. A sender that tries again, as `attempt` counts, writes a new mail around the same
 * report. `instead` is for the liar: the same mail with a signature of his own, or in his name altogether.
 */
export function composeMail(
  report: Report,
  json: Json,
  attempt: number,
  instead: { signer?: string; from?: string } = {},
): Buffer {
  const { domain, submitter, from, firstPart, extraFields = [], signing, reportId } = shapes[report.sender]
  const boundary = `=_${report.sender}_${attempt}`
  const range = rangeOf(report)
  const seconds = Object.values(range).map((instant) => Date.parse(instant) / 1000)
  const sentAt = new Date(Date.parse(range['end-datetime']) + (attempt + 1) * 3_600_000)
  const message = [
    `From: ${instead.from ?? from}`,
    `To: ${ruaAddress}`,
    `Date: ${sentAt.toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <${attempt}.${reportId(report).replace(/[^\w.]/g, '.')}@${domain}>`,
    `Subject: Report Domain: ${report.about} Submitter: ${submitter} Report-ID:\r\n <${reportId(report)}>`,
    `TLS-Report-Domain: ${report.about}`,
    `TLS-Report-Submitter: ${submitter}`,
    ...extraFields,
    'MIME-Version: 1.0',
    `Content-Type: multipart/report; report-type="tlsrpt"; boundary="${boundary}"`,
    '',
    `--${boundary}`,
    firstPart ?? 'Content-Type: text/plain\r\n\r\nThis is an aggregate TLS report.',
    `--${boundary}`,
    'Content-Type: application/tlsrpt+gzip',
    'Content-Transfer-Encoding: base64',
    `Content-Disposition: attachment; filename="${domain}!${report.about}!${seconds.join('!')}.json.gz"`,
    '',
    gzipSync(JSON.stringify(json), { level: 1 + (attempt % 9) })
      .toString('base64')
      .replace(/.{76}(?=.)/g, '$&\r\n'),
    `--${boundary}--`,
    '',
  ].join('\r\n')
  const signer = instead.signer ?? domain
  return signDkim(message, { ...signing, key: keyOf(signer), domain: signer, selector })
}
