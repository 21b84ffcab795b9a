/**
 * What goes wrong where (RFC 8460 §4.3): the failure details of a domain by result type and receiving MX, with who saw it
 * and since when. As in a summary, `failed` is by primary policies (DESIGN.md, "Counting honestly").
 */
import { tellsReason } from '../tlsrpt/headline.ts'
import { resultTypes } from '../tlsrpt/result-types.ts'
import type { Trust } from '../tlsrpt/submission.ts'
import { evidenceOf, reasonCodesOf, type Evidence, type ReasonCode } from './cause-evidence.ts'
import { isFailedCell, keyColumns, nameOf, selectedKey, type CauseKey } from './cause-key.ts'
import { causeRuns } from './cause-runs.ts'
import type { Database, Queryable } from './database.ts'
import { conditions, filterConditions, makeBind, splitFilters } from './question.ts'
import type { Bind, Question, TrustScope, Window } from './question.ts'
import { inSnapshot } from './snapshot.ts'
import { asked, isUnverified } from './sums.ts'
import { cellsOf } from './tally.ts'

/** Days are 'YYYY-MM-DD'. */
export type Cause = CauseKey &
  Evidence & {
    /** By those whose word is taken. */
    reasonCodes: ReasonCode[]
    /**
     * The last run of days that failed, which may have begun before the window. A run is of days with a report on the
     * domain by whoever tells of the cause: days without one break none.
     */
    since: string
    until: string
    /** It failed on the newest such day of the window. */
    ongoing: boolean
  }

export type CausesQuestion = Question & { limit: number }

/** Where a page ended. The names of strangers may be longer than a cursor, so a digest stands for them. */
export type CausePosition = [
  ongoing: boolean,
  refuses: boolean,
  failed: string,
  unverified: string,
  domain: string,
  digest: string,
]

/**
 * What is going on first, then what enforce refuses, then by sessions that failed; at most `limit`, each with its
 * position. As of one instant.
 */
export function listCauses(
  db: Database,
  question: CausesQuestion,
  after: CausePosition | undefined,
): Promise<{ cause: Cause; position: CausePosition }[]> {
  return inSnapshot(db, async (tx) => {
    const { bind, values } = makeBind()
    const text = `
      with ${ranked(question, bind)}
      select ${selectedKey}, is_told, ongoing, refuses, failed::text, unverified_failed::text as unverified, digest from ranked
      ${after === undefined ? '' : `where ${order} > ${keyOf(after, bind)}`} order by ${order} limit ${bind(question.limit)}`
    const { rows } = await tx.query<Ranked>(text, values)
    const isTold = rows.filter(({ is_told }) => is_told)
    const others = rows.filter(({ is_told }) => !is_told)
    const causes = new Map([
      ...(await told(tx, isTold, isTold, question.trust, question)),
      ...(await told(tx, others, others, 'unverified', question)),
    ])
    return rows.map((row) => ({ cause: causes.get(nameOf(row))!, position: positionOf(row) }))
  })
}

/** What failed for a domain on a day. */
export type FailingDay = { domain: string; day: string }

/**
 * The worst cause of each of these days, by domain, where there is one: what enforce refuses first, then by sessions that
 * failed on that day. Only by reports of that trust, and with reason codes only where a headline tells one. As of one
 * instant.
 */
export function worstCauses(
  db: Database,
  failing: readonly FailingDay[],
  window: Window,
  trust: Trust,
): Promise<Map<string, Cause>> {
  return inSnapshot(db, async (tx) => {
    const { rows } = await tx.query<CauseKey>(
      `select distinct on (domain) ${selectedKey}
       from (
         select ${keyColumns}, coalesce(sum(tallied) filter (where "primary"), 0) as failed
         from ${cellsOf('domain, day, "primary"', 'counted and domain = any($1::text[]) and day = any($2::date[]) and trust = $3')}
           join unnest($1::text[], $2::date[]) as failing (of_domain, on_day) on domain = of_domain and day = on_day
         where ${isFailedCell} group by ${keyColumns}
       ) cause order by domain, result_type = any($4::text[]) desc, failed desc, result_type collate "C", receiving_mx_hostname collate "C"`,
      [failing.map(({ domain }) => domain), failing.map(({ day }) => day), trust, refusing],
    )
    const inWords = rows.filter(({ resultType }) => tellsReason(resultType))
    const causes = await told(tx, rows, inWords, trust, { window, trust, filters: {}, visible: undefined })
    return new Map([...causes.values()].map((cause) => [cause.domain, cause]))
  })
}

type Ranked = CauseKey & {
  is_told: boolean
  ongoing: boolean
  refuses: boolean
  failed: string
  unverified: string
  digest: string
}

/** All ascending, so that a page goes on behind a row by one comparison. */
const order = '(not ongoing, not refuses, -failed, -unverified_failed, domain, digest)'

const keyOf = ([ongoing, refuses, failed, unverified, domain, digest]: CausePosition, bind: Bind): string =>
  `(${bind(!ongoing)}::boolean, ${bind(!refuses)}::boolean, -${bind(failed)}::numeric, -${bind(unverified)}::numeric, ${bind(domain)}::text, ${bind(digest)}::text)`

const positionOf = ({ ongoing, refuses, failed, unverified, domain, digest }: Ranked): CausePosition => [
  ongoing,
  refuses,
  failed,
  unverified,
  domain,
  digest,
]

/** WITH items, of which `ranked` has a row for each cause. `is_told`: not by unverified reports alone, if others count. */
function ranked(question: Question, bind: Bind): string {
  const { trust, filters } = question
  const main = asked[trust]
  const ofSide = trust === 'unverified' ? isUnverified : 'true'
  const ofDomains = { ...question, filters: filters.domain === undefined ? {} : { domain: filters.domain } }
  const [ofDetails, ofPolicies] = splitFilters(filters)
  const told = `counted and ${ofSide} and ${conditions({ ...question, filters: ofPolicies }, bind)}`
  return `
    newest as (
      select domain, max(day) filter (where ${main}) as day, max(day) filter (where ${isUnverified}) as unverified_day
      from day_total where ${ofSide} and ${conditions(ofDomains, bind)} group by domain
    ), cause as (
      select ${keyColumns},
        coalesce(sum(tallied) filter (where "primary" and ${main}), 0) as failed,
        coalesce(sum(tallied) filter (where "primary" and ${isUnverified}), 0) as unverified_failed,
        max(day) filter (where ${main}) as last_seen, max(day) filter (where ${isUnverified}) as unverified_last_seen
      from ${cellsOf('domain, day, trust, "primary"', told)}
      where ${[isFailedCell, ...filterConditions(ofDetails, bind)].join(' and ')} group by ${keyColumns}
    ), ranked as (
      select domain collate "C" as domain, result_type, receiving_mx_hostname, failed, unverified_failed,
        last_seen is not null as is_told,
        coalesce(last_seen = newest.day, unverified_last_seen = newest.unverified_day, false) as ongoing,
        result_type = any(${bind(refusing)}::text[]) as refuses,
        encode(sha256(convert_to(concat_ws(E'\\n', result_type, receiving_mx_hostname), 'UTF8')), 'hex') as digest
      from cause left join newest using (domain)
    )`
}

const refusing = resultTypes.filter(({ enforceRefuses }) => enforceRefuses).map(({ name }) => name)

/** All about these causes, by their names, as `trust` tells it; why they failed of those in `explained`. */
async function told(
  tx: Queryable,
  keys: readonly CauseKey[],
  explained: readonly CauseKey[],
  trust: TrustScope,
  question: Question,
): Promise<Map<string, Cause>> {
  if (keys.length === 0) return new Map()
  const evidence = await evidenceOf(tx, keys, trust, question)
  const reasonCodes = await reasonCodesOf(tx, explained, trust, question)
  const found = keys.map(({ domain, resultType, receivingMxHostname }) => {
    const key = { domain, resultType, receivingMxHostname }
    return { ...key, ...evidence.get(nameOf(key))! }
  })
  const runs = await causeRuns(tx, found, trust, question.window)
  return new Map(
    found.map((cause, i): [string, Cause] => {
      const { since, toNewest } = runs[i]!
      const name = nameOf(cause)
      const told = { reasonCodes: reasonCodes.get(name) ?? [], since, until: cause.lastSeen, ongoing: toNewest }
      return [name, { ...cause, ...told }]
    }),
  )
}
