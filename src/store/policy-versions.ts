/** Which policies senders applied to us, by what they tell of them (RFC 8460 §4.4, "policy"). */
import { policyMaxAge } from '../tlsrpt/policy-string.ts'
import type { Trust } from '../tlsrpt/submission.ts'
import type { Database, Queryable } from './database.ts'
import { conditions, makeBind, type Bind, type Question } from './question.ts'
import { inSnapshot } from './snapshot.ts'
import { asked, isUnverified } from './sums.ts'

/** Null is "the sender did not say". Days are 'YYYY-MM-DD'. */
export type PolicyVersion = {
  domain: string
  /** Where the rows are by day; absent otherwise. */
  day?: string
  policyDomain: string
  policyType: string
  policyMode: string | null
  policyString: string[]
  mxHost: string[]
  /** Seconds, out of the policy string of an STS policy. */
  maxAge: number | null
  /** By whose word was asked for, or by the others where nobody else tells of it. */
  firstDay: string
  lastDay: string
  unverified: Told
  /** Those with most reports first, verified ones before the others, at most fifty. */
  reporters: VersionReporter[]
} & Told

/** Sessions of this policy, primary or not: several policies of one report may tell of the same sessions. */
type Told = { successful: bigint; failed: bigint; reports: bigint }

export type VersionReporter = {
  reporter: string | null
  organization: string | null
  trust: Trust
  firstDay: string
  lastDay: string
  reports: bigint
}

/** Anyone can write a new name into every report. */
const mostReporters = 50

export type PolicyVersionsQuestion = Question & {
  /** A row for each day of a version. */
  byDay: boolean
  limit: number
}

/** Where a page ended: a policy may be longer than a cursor, so a digest stands for it. */
export type PolicyVersionPosition = [domain: string, lastDay: string, digest: string]

/** By domain, those seen last first; at most `limit`, each with its position. As of one instant. */
export function listPolicyVersions(
  db: Database,
  question: PolicyVersionsQuestion,
  after: PolicyVersionPosition | undefined,
): Promise<{ version: PolicyVersion; position: PolicyVersionPosition }[]> {
  return inSnapshot(db, async (tx) => {
    const rows = await versionsOf(tx, question, after)
    const reporters = await reportersOf(tx, question, rows)
    return rows.map((row) => ({
      version: readVersion(row, reporters.get(nameOf(row)) ?? []),
      position: [row.domain, row.lastDay, row.digest],
    }))
  })
}

/** What makes a version, as the digest has it too. */
const columns = 'domain, policy_domain, policy_type, policy_mode, policy_string, mx_host'

const digestOf = `encode(sha256(convert_to(jsonb_build_array(policy_domain, policy_type, policy_mode, policy_string, mx_host)::text, 'UTF8')), 'hex')`

/** A WITH item: what each report tells of each version. */
const heard = (question: Question, bind: Bind): string => `
  heard as (
    select ${columns}, day, trust, reporter, organization, sum(successful) as successful, sum(failed) as failed
    from policy where counted and ${question.trust === 'unverified' ? isUnverified : 'true'} and ${conditions(question, bind)}
    group by ${columns}, day, trust, reporter, organization, report_key)`

type VersionRow = { digest: string; day: string | null } & Record<'successful' | 'failed', string> &
  Record<'unverifiedSuccessful' | 'unverifiedFailed', string> &
  Record<'reports' | 'unverifiedReports', bigint> &
  Omit<PolicyVersion, 'day' | 'maxAge' | 'unverified' | 'reporters' | keyof Told>

/** A policy string may stand a thousand times in a report, so versions are paged before anything is made of them. */
async function versionsOf(
  tx: Queryable,
  question: PolicyVersionsQuestion,
  after: PolicyVersionPosition | undefined,
): Promise<VersionRow[]> {
  const { bind, values } = makeBind()
  const main = asked[question.trust]
  const day = question.byDay ? ', day' : ''
  const sum = (column: string, where: string) => `coalesce(sum(${column}) filter (where ${where}), 0)`
  const { rows } = await tx.query<VersionRow>(
    `with ${heard(question, bind)}, version as (
       select ${columns}${day || ', null::date as day'}, ${digestOf} as digest,
         ${sum('successful', main)} as successful, ${sum('failed', main)} as failed, count(*) filter (where ${main}) as reports,
         ${sum('successful', isUnverified)} as "unverifiedSuccessful", ${sum('failed', isUnverified)} as "unverifiedFailed",
         count(*) filter (where ${isUnverified}) as "unverifiedReports",
         coalesce(min(day) filter (where ${main}), min(day)) as "firstDay",
         coalesce(max(day) filter (where ${main}), max(day)) as "lastDay"
       from heard group by ${columns}${day}
     )
     select domain, day, policy_domain as "policyDomain", policy_type as "policyType", policy_mode as "policyMode",
       policy_string as "policyString", mx_host as "mxHost", digest, successful, failed, reports,
       "unverifiedSuccessful", "unverifiedFailed", "unverifiedReports", "firstDay", "lastDay"
     from version ${after ? `where ${isAfter(after, bind)}` : ''}
     order by domain collate "C", "lastDay" desc, digest collate "C" limit ${bind(question.limit)}`,
    values,
  )
  return rows
}

function isAfter([domain, lastDay, digest]: PolicyVersionPosition, bind: Bind): string {
  const [name, day] = [bind(domain), bind(lastDay)]
  return `(domain collate "C" > ${name} or domain = ${name}
    and ("lastDay" < ${day}::date or "lastDay" = ${day}::date and digest collate "C" > ${bind(digest)}))`
}

type Named = { domain: string; day: string | null; digest: string }

const nameOf = ({ domain, day, digest }: Named): string => `${domain} ${day ?? ''} ${digest}`

/** Of these versions, by their names. */
async function reportersOf(
  tx: Queryable,
  question: PolicyVersionsQuestion,
  versions: readonly VersionRow[],
): Promise<Map<string, VersionReporter[]>> {
  const { bind, values } = makeBind()
  const domain = [...new Set(versions.map((version) => version.domain))]
  const day = question.byDay ? ', day' : ''
  const { rows } = await tx.query<VersionReporter & Named>(
    `with ${heard({ ...question, filters: { ...question.filters, domain } }, bind)}, teller as (
       select domain${day || ', null::date as day'}, ${digestOf} as digest, trust, reporter, organization,
         min(day) as "firstDay", max(day) as "lastDay", count(*) as reports
       from heard group by ${columns}${day}, trust, reporter, organization
     ), placed as (
       select *, row_number() over (partition by domain, day, digest
         order by ${isUnverified}, reports desc, reporter collate "C", organization collate "C") as place
       from teller where digest = any(${bind(versions.map((version) => version.digest))}::text[])
     )
     select domain, day, digest, trust, reporter, organization, "firstDay", "lastDay", reports
     from placed where place <= ${mostReporters} order by place`,
    values,
  )
  const tellers = Map.groupBy(rows, nameOf)
  return new Map(
    [...tellers].map(([name, found]) => [name, found.map(({ domain: _d, day: _n, digest: _g, ...teller }) => teller)]),
  )
}

function readVersion(row: VersionRow, reporters: VersionReporter[]): PolicyVersion {
  const { digest: _, day, successful, failed, unverifiedSuccessful, unverifiedFailed, unverifiedReports, ...rest } = row
  return {
    ...rest,
    ...(day !== null && { day }),
    maxAge: policyMaxAge(row.policyType, row.policyString) ?? null,
    successful: BigInt(successful),
    failed: BigInt(failed),
    unverified: {
      successful: BigInt(unverifiedSuccessful),
      failed: BigInt(unverifiedFailed),
      reports: unverifiedReports,
    },
    reporters,
  }
}
