/** Reports of ninety days as Postgres itself writes them, by numbers that only look random; the keys differ from run to run. */
import { unhurried, type Database, type Queryable } from '../src/store/database.ts'
import type { Window } from '../src/store/question.ts'
import { tallied, tallyOf } from '../src/store/tally.ts'
import { resultTypes } from '../src/tlsrpt/result-types.ts'

export const days = 90
const reporterCount = 30
/** Failure details a day of the domain of this rank, in a world of ten million. By Zipf with a tail: 32,000 a month at the top, 500 in the middle, a few at the end. */
const detailsOfRank = '1067 * power(rank, -0.485) * (1 - rank / ($2 + 1.0))'

/** How much of what each domain has: as many details in ninety days, of which these `fixed` ranks have the same in every world. */
export async function makeDomains(
  db: Database,
  { details, domains, fixed }: { details: number; domains: number; fixed: readonly number[] },
): Promise<void> {
  await db.query(
    `create table bench_domain as
     with domain as (select rank, ${detailsOfRank} as a_day, rank in (${fixed.join(', ')}) as fixed
                     from generate_series(1, $2::int) rank),
          scale as (select ($1 / ${days}.0 - sum(a_day) filter (where fixed)) / sum(a_day) filter (where not fixed) as others from domain)
     select rank, 'domain' || rank || '.example' as domain, 1 + rank % 4 as mx_hosts, rank % 10 < 3 as has_tlsa, a_day,
       least(${reporterCount}, ceil(a_day / 5))::int as reporters
     from (select rank, a_day * case when fixed then 1 else others end as a_day from domain cross join scale) d`,
    [details, domains],
  )
  await db.query('analyze bench_domain')
}

/**
 * Reports of these days in the order in which they come: a reporter sends those on all domains, then the next one does.
 * One in ten is unverified. Some domains have a TLSA policy beside, which takes a quarter of the details.
 */
export async function fillSpan(tx: Queryable, { from, to }: Window): Promise<void> {
  const run = (text: string, values: unknown[] = []) => tx.query({ text, values, ...unhurried })
  await run("select setseed(0.5), set_config('work_mem', '256MB', true), set_config('max_parallel_workers_per_gather', '0', true)") // prettier-ignore
  await run(
    `create temporary table told on commit drop as
     select domain, day, mx_hosts, has_tlsa, by, by <= 27 as verified, arrived_at, sessions, details - tlsa_details as sts_details, tlsa_details,
       (lpad(to_hex((extract(epoch from arrived_at) * 1000)::bigint), 12, '0') || '7' || substr(random, 14))::uuid as key,
       (1000 * random())::int as successful, (random() < 0.1)::int as unattributed
     from (
       select *, case when has_tlsa then details / 4 else 0 end as tlsa_details, 1 + (8 * random())::int as sessions,
         (day + 1)::timestamp at time zone 'UTC' + by * interval '12 minutes' + rank * interval '100 ms' as arrived_at,
         replace(gen_random_uuid()::text, '-', '') as random
       from (
         select d.*, day::date, 1 + (rank * 7 + k) % ${reporterCount} as by,
           (floor(a_day / reporters * (n + 1) + share) - floor(a_day / reporters * n + share))::int as details
         from generate_series($1::date, $2::date - 1, interval '1 day') day
           cross join bench_domain d cross join lateral generate_series(1, reporters) k
           cross join lateral (select day::date - date '2000-01-01' as n, k / reporters::float8 as share) as turn
       ) a
     ) b order by day, by, rank`,
    [from, to],
  )
  const reporter = `case when verified then 'reporter-' || by || '.example' end`
  const borne = `t.domain, t.day, t.key, case when verified then 'verified' else 'unverified' end, ${reporter},
    'Reporter ' || by, case when verified then 'smtp' else 'https' end, true`
  await run(
    `insert into report (domain, day, key, trust, reporter, organization, transport, counted, identity, variant, submission_key,
       content_hash, standing, implausible, report_id, contact_info, start_datetime, end_datetime, arrived_at, anomalies, successful, failed)
     select ${borne}, sha256(uuid_send(key)), 0, key, sha256(uuid_send(key)), 'counted', false, key::text, 'tls@reporter-' || by || '.example',
       day::timestamp at time zone 'UTC', day::timestamp at time zone 'UTC' + interval '23:59:59', arrived_at, '[]',
       successful, sts_details * sessions + unattributed from told t`,
  )
  await run(
    `insert into failure_detail (domain, day, report_key, trust, reporter, organization, transport, counted, policy_seq, seq,
       policy_domain, policy_type, policy_mode, "primary", result_type, sending_mta_ip, receiving_mx_hostname, receiving_ip,
       failed_session_count, failure_reason_code)
     select ${borne}, policy_seq, seq - 1, domain, type, mode, policy_seq = 0, ($1::text[])[1 + floor(cardinality($1::text[]) * random() * random())],
       '198.51.100.0'::inet + by + seq, 'mx' || mx || '.' || domain, '2001:db8::'::inet + mx, sessions,
       case when mx = 1 then 'X509_V_ERR_CERT_HAS_EXPIRED' end
     from told t
       cross join lateral (values (0, 'sts', 'enforce', sts_details), (1, 'tlsa', null, tlsa_details)) p (policy_seq, type, mode, details)
       cross join lateral (select seq, 1 + floor(random() * mx_hosts)::int as mx from generate_series(1, details) seq) d`,
    [resultTypes.map(({ name }) => name)],
  )
  await run(
    `insert into policy (domain, day, report_key, trust, reporter, organization, transport, counted, seq, policy_domain, policy_type,
       policy_mode, "primary", policy_string, mx_host, successful, failed, attributed, tally_result_type, tally_mx, tally_failed, tally_first)
     select ${borne}, p.seq, t.domain, type, mode, p.seq = 0, strings, array['*.' || t.domain], case p.seq when 0 then successful else successful / 2 end,
       details * sessions + case p.seq when 0 then unattributed else 0 end, details * sessions, ${tallyOf('f')}
     from told t cross join lateral (values
       (0, 'sts', 'enforce', sts_details, array['version: STSv1', 'mode: enforce', 'mx: *.' || t.domain, 'max_age: 604800']),
       (1, 'tlsa', null, tlsa_details, array['3 1 1 ' || md5(t.domain) || md5(key::text)])) p (seq, type, mode, details, strings)
       left join (${tallied('day >= $1::date and day < $2::date')}) f
         on f.domain = t.domain and f.day = t.day and f.report_key = t.key and f.seq = p.seq
     where p.seq = 0 or has_tlsa order by arrived_at, p.seq`,
    [from, to],
  )
  await run(
    `insert into day_total (domain, day, trust, policy_type, successful, failed, attributed, reports, failed_of_type, policies)
     select domain, day, case when verified then 'verified' else 'unverified' end, type,
       coalesce(sum(successful) filter (where is_primary), 0),
       coalesce(sum(failed) filter (where is_primary), 0), coalesce(sum(attributed) filter (where is_primary), 0),
       count(*) filter (where is_primary), sum(failed), count(*)
     from told t cross join lateral (values
       ('sts', true, sts_details * sessions + unattributed, sts_details * sessions),
       ('tlsa', false, tlsa_details * sessions, tlsa_details * sessions)) p (type, is_primary, failed, attributed)
     where is_primary or has_tlsa group by domain, day, verified, type`,
  )
}
