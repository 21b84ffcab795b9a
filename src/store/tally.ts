/**
 * The failure details of a policy added up by result type and receiving MX (RFC 8460 §4.4), as its row carries them: the
 * same in JavaScript, for what arrives, and in SQL, for what is stored.
 */
import type { FailureDetail } from '../tlsrpt/report.ts'

/** An element for each result type and MX, in the order in which the details name them. */
export type Tally = {
  resultTypes: string[]
  mx: (string | undefined)[]
  /** Sessions. */
  failed: bigint[]
  /** Of what the element is the first one in its report, `firstOf` added up. */
  first: number[]
}

/** So that reports are counted as sessions are, by adding up: each has one first element for everything it names. */
export const firstOf = { pair: 1, resultType: 2, mx: 4 } as const

/** Of the policies of one report, in their order. undefined is a policy without failure details. */
export function tallies(policies: readonly { failureDetails: readonly FailureDetail[] }[]): (Tally | undefined)[] {
  const mxOfTypes = new Map<string, Set<string | undefined>>()
  const allMx = new Set<string | undefined>()
  return policies.map(({ failureDetails }) => {
    if (failureDetails.length === 0) return undefined
    const tally: Tally = { resultTypes: [], mx: [], failed: [], first: [] }
    const places = new Map<string, Map<string | undefined, number>>()
    for (const { resultType, receivingMxHostname: mx, failedSessionCount } of failureDetails) {
      const ofType = getOrAdd(places, resultType, () => new Map<string | undefined, number>())
      const place = ofType.get(mx)
      if (place !== undefined) {
        tally.failed[place]! += BigInt(failedSessionCount)
        continue
      }
      ofType.set(mx, tally.failed.length)
      const isNewType = !mxOfTypes.has(resultType)
      const mxOfType = getOrAdd(mxOfTypes, resultType, () => new Set<string | undefined>())
      tally.resultTypes.push(resultType)
      tally.mx.push(mx)
      tally.failed.push(BigInt(failedSessionCount))
      tally.first.push(
        (mxOfType.has(mx) ? 0 : firstOf.pair) + (isNewType ? firstOf.resultType : 0) + (allMx.has(mx) ? 0 : firstOf.mx),
      )
      mxOfType.add(mx)
      allMx.add(mx)
    }
    return tally
  })
}

function getOrAdd<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}

/** The columns of `policy` that hold it, of a table by this name. */
export const tallyOf = (alias: string): string =>
  ['tally_result_type', 'tally_mx', 'tally_failed', 'tally_first'].map((column) => `${alias}.${column}`).join(', ')

/**
 * The elements as rows of a table: columns of the policies that pass `where`, and result_type, receiving_mx_hostname and
 * `tallied` sessions. Taken apart in the select list they cost a third of what they do in FROM.
 */
export const cellsOf = (columns: string, where: string): string => `(
  select ${columns}, unnest(tally_result_type) as result_type, unnest(tally_mx) as receiving_mx_hostname,
    unnest(tally_failed) as tallied
  from policy where ${where}) cell`

/**
 * A SELECT of these columns by domain, day, report_key and seq. `where` is a condition over failure_detail. What tells rows
 * apart quickest comes first: Postgres sorts all of them.
 */
export const tallied = (where: string): string => `
  select domain, day, report_key, policy_seq as seq, array_agg(result_type order by at) as tally_result_type,
    array_agg(mx order by at) as tally_mx, array_agg(failed order by at) as tally_failed,
    array_agg((${firstOf.pair} * of_pair + ${firstOf.resultType} * of_type + ${firstOf.mx} * of_mx)::smallint order by at) as tally_first
  from (
    select *, ${isFirst('result_type, mx')} as of_pair, ${isFirst('result_type')} as of_type, ${isFirst('mx')} as of_mx
    from (
      select domain, day, report_key, policy_seq, result_type, receiving_mx_hostname as mx, min(seq) as at,
        sum(failed_session_count) as failed
      from failure_detail where ${where} group by report_key, domain, day, policy_seq, result_type, receiving_mx_hostname
    ) cell
  ) marked
  group by report_key, domain, day, policy_seq`

const isFirst = (of: string): string =>
  `(row_number() over (partition by report_key, domain, day, ${of} order by policy_seq, at) = 1)::int`
