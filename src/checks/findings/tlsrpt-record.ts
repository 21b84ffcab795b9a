/** RFC 8460 §3: the `_smtp._tls` record, whether this instance is in it, and whether it is reached by it. */
import type { LookedUp } from '../../dns/look-up.ts'
import { formatRecord, parseRecord } from '../../tlsrpt/record.ts'
import type { DomainSeen } from '../domain-seen.ts'
import { isOwnRua, placeOfOwn } from '../rua.ts'
import { finding, type Finding } from './finding.ts'

const similarVersion = /^["'\s]*v\s*=\s*TLSRPT/i

/** `own`: `rua` URIs of this instance, the most useful first; without any, it is not asked whether they are in it. */
export function tlsrptFindings(
  { domain, tlsrptRecord: looked, loops, ownRua }: DomainSeen,
  own: readonly string[],
): Finding[] {
  // prettier-ignore
  const name = `_smtp._tls.${domain}`
  if (looked.kind === 'unreachable') {
    const sentence = 'The DNS cannot tell just now whether there is a TLSRPT record.'
    return [finding('tlsrpt-record-unreachable', name, sentence, { evidence: [looked.reason] })]
  }
  const records = looked.kind === 'found' ? looked.records : []
  const evidence = [...looked.aliases.map((alias) => `CNAME ${alias}`), ...records.map((text) => `TXT ${text}`)]
  const suggested = own.length > 0 ? { value: formatRecord([...own]) } : {}
  const parsed = parseRecord(records)
  switch (parsed.kind) {
    case 'missing':
      return missing(name, looked, records, evidence, suggested)
    case 'invalid': {
      const isSeveral = records.filter((record) => parseRecord([record]).kind !== 'missing').length > 1
      const fix = 'Publish exactly one TXT record of the form v=TLSRPTv1; rua=mailto:...'
      const more = parsed.problems.length > 1 ? ` (and ${parsed.problems.length - 1} more)` : ''
      const code = isSeveral ? 'tlsrpt-record-several' : 'tlsrpt-record-syntax'
      const told = { evidence: [...evidence, ...parsed.problems.slice(1)], fix, ...suggested }
      return [finding(code, name, `${parsed.problems[0]!}${more}`, told)]
    }
    case 'found': {
      const sentence = `Reports go to ${parsed.rua.join(' and to ')}.`
      return [
        finding('tlsrpt-record-found', name, sentence, { evidence }),
        ...parsed.warnings.map((warning) => finding('tlsrpt-record-odd', name, warning, { evidence, value: formatRecord(parsed.rua) })), // prettier-ignore
        ...(own.length > 0 ? [ownFinding(name, parsed.rua, own)] : []),
        ...ownRua.flatMap((seen) => reachedFinding(name, seen)),
        ...loops.map(loopFinding),
      ]
    }
  }
}

function missing(
  name: string,
  looked: LookedUp<'TXT'> & { kind: 'found' | 'missing' },
  records: string[],
  evidence: string[],
  suggested: { value?: string },
): Finding[] {
  const fix = 'Publish this TXT record at the name.'
  const similar = records.filter((record) => similarVersion.test(record))
  if (similar.length > 0) {
    const sentence = 'A TXT record looks like a TLSRPT record, and is none: it must begin with v=TLSRPTv1; exactly.'
    return [finding('tlsrpt-record-similar', name, sentence, { evidence: similar, fix, ...suggested })]
  }
  if (looked.aliases.length > 0) {
    const sentence = `The name is an alias for ${looked.aliases.at(-1)!}, which has no TLSRPT record.`
    const byAlias = 'Have the record published at the end of the alias, or replace the alias with the record.'
    return [finding('tlsrpt-record-alias-dangling', name, sentence, { evidence, fix: byAlias, ...suggested })]
  }
  const sentence = 'There is no TLSRPT record: senders tell nobody what fails.'
  return [finding('tlsrpt-record-missing', name, sentence, { evidence, fix, ...suggested })]
}

function ownFinding(name: string, rua: string[], own: readonly string[]): Finding {
  const place = placeOfOwn(rua, own)
  if (place === 0) return finding('tlsrpt-names-us', name, 'This instance is the first address in the record.')
  const others = rua.filter((uri) => !isOwnRua(uri, own))
  const value = formatRecord([...own, ...others])
  if (place === undefined) {
    const sentence = 'This instance is not in the record: reports go elsewhere.'
    return finding('tlsrpt-does-not-name-us', name, sentence, { evidence: rua, fix: 'Put its addresses first.', value })
  }
  const sentence = 'This instance is in the record, but not first; senders may use only the first address.'
  return finding('tlsrpt-names-us-later', name, sentence, { evidence: rua, fix: 'Put its addresses first.', value })
}

/** Of what there was no room or time to look at, nothing is known. */
function reachedFinding(name: string, { uri, unseen }: DomainSeen['ownRua'][number]): Finding[] {
  if (!unseen) return [finding('tlsrpt-rua-reached', name, `${uri} leads to a server that answers.`)]
  if (unseen.reason === 'budget') return []
  const fix = 'See where the name leads, and that the port is open; from inside its own network, a public address may not work.' // prettier-ignore
  return [finding('tlsrpt-rua-not-reached', name, `${uri} could not be reached by its published name.`, { evidence: [unseen.text], fix })] // prettier-ignore
}

/** RFC 8460 §3: reports about the delivery of reports would be answered by reports. */
const loopFinding = (mailDomain: string): Finding =>
  finding('tlsrpt-loop', `_smtp._tls.${mailDomain}`, `${mailDomain} receives reports and asks for reports itself, so that reports are made about the delivery of reports.`, { fix: 'Receive reports at a domain of its own, without a TLSRPT record; or live with a few more.' }) // prettier-ignore
