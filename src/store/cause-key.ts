/** What makes a cause of failures, and how its failure details are found (causes.ts). */
import type { Bind } from './question.ts'

export type CauseKey = {
  domain: string
  resultType: string
  /** Null is "the sender did not say". */
  receivingMxHostname: string | null
}

/** The columns of a key, as a group has them, and as they are read. */
export const keyColumns = 'domain, result_type, receiving_mx_hostname'
export const selectedKey = `domain, result_type as "resultType", receiving_mx_hostname as "receivingMxHostname"`

/** A name for what is the same. */
export const nameOf = ({ domain, resultType, receivingMxHostname }: CauseKey): string =>
  JSON.stringify([domain, resultType, receivingMxHostname])

/** Each once. */
export const domainsOf = (causes: readonly CauseKey[]): string[] => [...new Set(causes.map(({ domain }) => domain))]

/** Whether a failure detail counts: one may say that nothing failed. */
export const isFailure = 'counted and failed_session_count > 0'

/** The same of what the details of a policy add up to (cellsOf in tally.ts). */
export const isFailedCell = 'tallied > 0'

/** What cells are joined with, so that those of the causes are left. */
export function joinedCauses(causes: readonly CauseKey[], bind: Bind): string {
  const of = (name: keyof CauseKey) => `${bind(causes.map((cause) => cause[name]))}::text[]`
  return `unnest(${of('domain')}, ${of('resultType')}, ${of('receivingMxHostname')}) as cause (of_domain, of_type, of_mx)
    on of_domain = domain and of_type = result_type and of_mx is not distinct from receiving_mx_hostname`
}

/**
 * A condition over failure details: of these causes. Postgres looks each detail up in a hash table, where it would walk
 * through all details of a domain for each cause that it joined (7 s for twenty causes of 32,000 details). Where a
 * sender's word has a line break another cause may pass as well: by their groups they are told apart.
 */
export function isOfCauses(causes: readonly CauseKey[], bind: Bind): string {
  const names = causes.map((cause) => [cause.domain, cause.resultType, cause.receivingMxHostname ?? ''].join('\n'))
  return `domain = any(${bind(domainsOf(causes))}::text[])
    and domain || E'\\n' || result_type || E'\\n' || coalesce(receiving_mx_hostname, '') = any(${bind(names)}::text[])`
}
