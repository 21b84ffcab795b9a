/** What the parts of an answer add up to, in SQL: the same whether they come from the facts or from the day totals. */
import type { Dimension, TrustScope } from './question.ts'

export const list = (items: readonly string[]): string => items.join(', ')

export const isUnverified = `trust = 'unverified'`

/** Whose facts make the main numbers. */
export const asked: Record<TrustScope, string> = {
  verified: `trust = 'verified'`,
  unverified: isUnverified,
  any: 'true',
}

/**
 * Columns over parts with type, trust, successful, failed, unattributed, reports, first_seen and last_seen: `facts` is 0
 * where there is nothing on either side of trust. Where the parts are failure details nobody knows what succeeded.
 */
export function addedUp(detailed: boolean, trust: TrustScope): string {
  const sessions = (column: string, where: string) =>
    detailed ? 'null::numeric' : `coalesce(sum(${column}) filter (where ${where}), 0)`
  const main = asked[trust]
  return `
    count(type) filter (where ${main} or ${isUnverified}) as facts,
    ${sessions('successful', main)} as successful,
    coalesce(sum(failed) filter (where ${main}), 0) as failed,
    ${sessions('unattributed', main)} as unattributed,
    coalesce(sum(reports) filter (where ${main}), 0)::bigint as reports,
    (min(first_seen) filter (where ${main}))::text as first_seen,
    (max(last_seen) filter (where ${main}))::text as last_seen,
    ${sessions('successful', isUnverified)} as unverified_successful,
    coalesce(sum(failed) filter (where ${isUnverified}), 0) as unverified_failed,
    coalesce(sum(reports) filter (where ${isUnverified}), 0)::bigint as unverified_reports`
}

/** Sums out of a subquery with type and failed, as readNumbers takes them (aggregates.ts). */
export const ofTypes = 'jsonb_agg(jsonb_build_array(type, failed_of_type::text))'

/** Which rows of a summary are wanted. */
export type Page = {
  groupBy: readonly Dimension[]
  /** Expressions over g0, g1, ... and the columns of addedUp. */
  order: string
  limit: number
  offset: number
}
