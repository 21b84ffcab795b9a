/** RFC 8461 §3.1: the `_mta-sts` record, and whether record and policy stand together. */
import type { LookedUp } from '../../dns/look-up.ts'
import { policyId } from '../../mtasts/policy.ts'
import { formatStsRecord, parseStsRecord } from '../../mtasts/record.ts'
import { isPassing, policyTextOf, type PolicyText } from '../domain-seen.ts'
import type { PolicySeen } from '../seen.ts'
import { finding, type Finding } from './finding.ts'

const oneRecord = 'Publish exactly one TXT record of this form at the name.'

export function stsRecordFindings(domain: string, looked: LookedUp<'TXT'>, policy: PolicySeen): Finding[] {
  const name = `_mta-sts.${domain}`
  if (looked.kind === 'unreachable') {
    const sentence = 'The DNS cannot tell just now whether there is an MTA-STS record.'
    return [finding('sts-record-unreachable', name, sentence, { evidence: [looked.reason] })]
  }
  const records = looked.kind === 'found' ? looked.records : []
  const evidence = [...looked.aliases.map((alias) => `CNAME ${alias}`), ...records.map((text) => `TXT ${text}`)]
  const policyText = policyTextOf(policy)
  const parsed = parseStsRecord(records)
  switch (parsed.kind) {
    case 'found':
      return [
        finding('sts-record-found', name, `There is an MTA-STS record, with the id ${parsed.id}.`, { evidence }),
        ...parsed.warnings.map((text) => finding('sts-record-odd', name, text, { evidence, fix: oneRecord, value: formatStsRecord(parsed.id) })), // prettier-ignore
        ...withoutPolicy(name, policy, policyText),
      ]
    case 'invalid':
      return [...Map.groupBy(parsed.problems, ({ kind }) => kind)].map(([kind, all]) => {
        const more = all.length > 1 ? ` (and ${all.length - 1} more like it)` : ''
        const told = { evidence: [...evidence, ...all.slice(1).map(({ text }) => text)], fix: oneRecord }
        return finding(`sts-record-${kind}`, name, `${all[0]!.text}${more}`, { ...told, value: suggestedRecord(policyText) }) // prettier-ignore
      })
    case 'missing':
      return missing(name, looked.aliases, parsed.similar, evidence, policyText)
  }
}

/** An id for a policy that is not there yet: the one in §3.1. */
const suggestedRecord = (policyText: PolicyText | undefined): string =>
  formatStsRecord(policyText?.read.kind === 'valid' ? policyId(policyText.read.policy) : '20160831085700Z')

/** What only passes proves nothing. */
function withoutPolicy(name: string, { host, unseen }: PolicySeen, policyText: PolicyText | undefined): Finding[] {
  const usable = policyText?.fetched === true && policyText.read.kind === 'valid'
  if (usable || (unseen && isPassing(unseen))) return []
  const sentence = `The record announces a policy, and https://${host}/.well-known/mta-sts.txt gives none that counts.`
  const fix = 'Publish the policy, or take the record away if the domain is to have no MTA-STS.'
  return [finding('sts-record-without-policy', name, sentence, { evidence: unseen ? [unseen.text] : [], fix })]
}

function missing(
  name: string,
  aliases: string[],
  similar: string[],
  evidence: string[],
  policyText: PolicyText | undefined,
): Finding[] {
  const value = suggestedRecord(policyText)
  const found = similar.map(
    (text) =>
    finding('sts-record-similar', name, 'A TXT record looks like an MTA-STS record, and is none: it must begin with v=STSv1; exactly.', { evidence: [`TXT ${text}`], fix: oneRecord, value }), // prettier-ignore
  )
  if (aliases.length > 0 && similar.length === 0) {
    const sentence = `The name is an alias for ${aliases.at(-1)!}, which has no MTA-STS record.`
    const fix = 'Have the record published at the end of the alias, or replace the alias with the record.'
    found.push(finding('sts-record-alias-dangling', name, sentence, { evidence, fix, value }))
  }
  if (looksLikePolicy(policyText)) {
    const sentence = 'A policy is published, but without this record no sender looks for it.'
    return [...found, finding('sts-policy-without-record', name, sentence, { evidence, fix: oneRecord, value })]
  }
  if (found.length > 0) return found
  const sentence = 'The domain has no MTA-STS: anyone in between can make senders hand over mail in the clear.'
  const fix = 'Publish a policy in mode testing and then this record; see the generated records of this domain.'
  return [finding('sts-not-set-up', name, sentence, { evidence, fix })]
}

/** A web server may answer anything with a page. */
const looksLikePolicy = (policyText: PolicyText | undefined): boolean =>
  policyText !== undefined && (policyText.read.kind === 'valid' || policyText.read.meant.mode !== undefined)
