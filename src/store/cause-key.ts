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

/**
 * Whether a failure detail counts: one may say that nothing failed. What policies carry added up (tally.ts) would do but for
 * the reason codes, and takes as long to read: with the details of one report nearly as many cells as details come out.
 */
export const isFailure = 'counted and failed_session_count > 0'

/**
 * A condition over failure details: of these causes. Postgres looks each detail up in a hash table, where it would walk
 * through all details of a domain for each cause that it joined (7 s for twenty causes of 32,000 details). Where a
 * sender's word has a line break another cause may pass as well: by their groups they are told apart.
 */
export function isOfCauses(causes: readonly CauseKey[], bind: Bind): string {
  const domains = bind([...new Set(causes.map(({ domain }) => domain))])
  const names = bind(
    causes.map((cause) => [cause.domain, cause.resultType, cause.receivingMxHostname ?? ''].join('\n')),
  )
  return `domain = any(${domains}::text[])
    and domain || E'\\n' || result_type || E'\\n' || coalesce(receiving_mx_hostname, '') = any(${names}::text[])`
}
