/** RFC 8461 §3.2 and §3.3: the policy host, and the policy itself. */
import { deviations, type Deviation, type DeviationCode, type StsPolicy } from '../../mtasts/policy.ts'
import { policyTextOf, type PolicyText } from '../domain-seen.ts'
import type { PolicySeen, Unseen } from '../seen.ts'
import { certificateFindings } from './certificate.ts'
import type { FindingCode } from './codes.ts'
import { finding, type Finding } from './finding.ts'

/**
 * `announced`: whether there is a record, or something that was meant to be one. Without, a web server at the name that
 * serves no policy is nobody's fault.
 */
export function policyFindings(policy: PolicySeen, announced: boolean, at: Date): Finding[] {
  const policyText = policyTextOf(policy)
  if (!announced && (!policyText || policyText.read.kind === 'invalid')) return []
  return [
    ...(policy.certificate ? certificateFindings('policy', policy.host, policy.certificate, at) : []),
    ...fetchFindings(policy, policyText),
    ...(policyText ? textFindings(`https://${policy.host}/.well-known/mta-sts.txt`, policyText) : []),
  ]
}

function fetchFindings({ host, address, addresses, reply, unseen }: PolicySeen, policyText?: PolicyText): Finding[] {
  const asked = address ?? addresses.join(', ')
  const evidence = [...(asked === '' ? [] : [`asked ${asked}`]), ...(unseen ? [unseen.text] : [])]
  if (unseen && unseen.reason !== 'bad-certificate') return [unseenFinding(host, unseen, evidence)]
  if (!reply) return []
  const { status, location, mediaType } = reply
  if (status !== 200) {
    evidence.push(`status ${status}`)
    if (location === undefined || status < 300 || status > 399) {
      return [finding('policy-status', host, `The policy host answers with status ${status}; it must be 200.`, { evidence, fix: 'Serve the policy at exactly /.well-known/mta-sts.txt.' })] // prettier-ignore
    }
    const sentence = `The policy host redirects to ${location}; senders do not follow.`
    const fix = `Serve the policy at https://${host}/.well-known/mta-sts.txt itself, before any rule that redirects.`
    return [finding('policy-redirect', host, sentence, { evidence: [...evidence, `Location: ${location}`], fix })]
  }
  evidence.push(
    `status 200, ${mediaType ?? 'no media type'}, ${reply.body.length} bytes, ${lineEndings(policyText!.text)}`,
  )
  const found = policyText!.fetched ? [finding('policy-fetched', host, 'The policy was fetched.', { evidence })] : []
  if (mediaType === 'text/plain') return found
  const sentence = `The policy is served as ${mediaType ?? 'nothing in particular'}; senders may insist on text/plain.`
  const fix = 'Serve the file with Content-Type: text/plain.'
  return [...found, finding('policy-media-type', host, sentence, { evidence, fix })]
}

function lineEndings(text: string): string {
  const [crlf, lf] = [text.includes('\r\n'), /(?:^|[^\r])\n/.test(text)]
  return crlf && lf ? 'CRLF and LF' : crlf ? 'CRLF' : lf ? 'LF' : 'a single line'
}

function unseenFinding(host: string, unseen: Unseen, evidence: string[]): Finding {
  switch (unseen.reason) {
    case 'budget':
    case 'dns-unreachable':
    case 'unreachable':
      return finding('policy-not-seen', host, 'The policy host cannot be looked at just now.', { evidence })
    case 'no-address':
    case 'no-such-name':
      return finding('policy-host-missing', host, 'The policy host has no address in the DNS.', { evidence, fix: 'Publish an address for it, or a CNAME to whoever hosts the policy.' }) // prettier-ignore
    case 'blocked-address':
      return finding('policy-address-blocked', host, 'The address of the policy host is not a public one: no sender can reach it.', { evidence, fix: 'Publish the public address of the web server.' }) // prettier-ignore
    case 'too-large':
      return finding('policy-too-large', host, 'The answer of the policy host is larger than senders read.', { evidence, fix: 'Keep the policy below 64 KiB; wildcards make it shorter.' }) // prettier-ignore
    case 'refused':
    case 'timeout':
    case 'reset':
    case 'tls-failed':
    case 'bad-certificate':
    case 'bad-reply':
      return finding('policy-unreachable', host, `The policy cannot be fetched: ${unseen.text}.`, { evidence, fix: 'See that HTTPS works on port 443 for everyone, with TLS 1.2 or better.' }) // prettier-ignore
  }
}

function textFindings(url: string, { read }: PolicyText): Finding[] {
  const found = [...(read.kind === 'invalid' ? read.problems : []), ...read.warnings]
  const byCode = Map.groupBy(found, ({ code }) => code)
  const deviationFindings = [...byCode].map(([code, all]) => deviationFinding(url, code, all))
  return read.kind === 'valid' ? [...validFindings(url, read.policy), ...deviationFindings] : deviationFindings
}

function deviationFinding(url: string, code: DeviationCode, all: Deviation[]): Finding {
  const evidence = all.map(({ line, text }) => (line === undefined ? text : `line ${line}: ${text}`))
  const more = all.length > 1 ? ` (and ${all.length - 1} more like it)` : ''
  const fix = deviations[code] === 'problem' ? 'Correct the policy file: to senders it is not valid.' : 'Correct the policy file: some senders may stumble.' // prettier-ignore
  return finding(`policy-${code}`, url, `${all[0]!.text}${more}`, { evidence, fix })
}

const day = 86_400

function validFindings(url: string, { mode, maxAge, mx }: StsPolicy): Finding[] {
  const evidence = [`mode: ${mode}`, `max_age: ${maxAge}`, ...mx.map((pattern) => `mx: ${pattern}`)]
  return [
    finding('policy-valid', url, `The policy is valid, and may be kept by senders for ${days(maxAge)}.`, { evidence }),
    modeFinding(url, mode),
    ...maxAgeFindings(url, mode, maxAge),
  ]
}

const days = (seconds: number): string => {
  const count = Math.round((seconds / day) * 10) / 10
  return count === 1 ? '1 day' : `${count} days`
}

const modeSentences = {
  enforce: 'The policy is enforced: senders that know MTA-STS deliver only over TLS to an MX host that passes.',
  testing: 'The policy is in testing: senders report failures, and deliver all the same.',
  none: 'The policy says that there is none: senders forget what they knew.',
} as const

function modeFinding(url: string, mode: StsPolicy['mode']): Finding {
  const code = `policy-mode-${mode}` as const satisfies FindingCode
  const fix = {
    enforce: {},
    testing: {
      fix: 'When reports have been clean for two weeks, set the mode to enforce and change the id of the record.',
    },
    none: {
      fix: 'When every older max_age has run out, take the record and the policy host away; or go back to testing.',
    },
  }[mode]
  return finding(code, url, modeSentences[mode], fix)
}

/** §3.2 expects weeks. To take a policy away, a small max_age is right. */
function maxAgeFindings(url: string, mode: StsPolicy['mode'], maxAge: number): Finding[] {
  if (mode === 'none') return []
  if (maxAge < day) {
    const sentence = `max_age is ${maxAge} seconds: less than a day protects from little, and Google ignores it.`
    return [finding('policy-max-age-short', url, sentence, { fix: 'Set max_age to a week at least.', value: 'max_age: 604800' })] // prettier-ignore
  }
  if (mode === 'testing' || maxAge >= 14 * day) return []
  const sentence = `max_age is ${days(maxAge)}; once a policy is stable, weeks are expected.`
  return [finding('policy-max-age-low', url, sentence, { fix: 'Raise max_age.', value: 'max_age: 2592000' })]
}
