-- What fails by result type and MX is asked more than anything else. A policy carries its failure details added up by the
-- two, so that hundreds of reports are read where there were tens of thousands of details (docs/performance.md).
set local work_mem = '64MB';

alter table policy -- The arrays go together, an element for each result type and MX of the policy; null without details.
  add column tally_result_type text[],
  add column tally_mx text[],                   -- null is what the sender did not say
  add column tally_failed numeric[],            -- sessions
  add column tally_first smallint[];            -- of what it is the first in its report: firstOf in store/tally.ts

update policy p
set tally_result_type = t.tally_result_type, tally_mx = t.tally_mx, tally_failed = t.tally_failed, tally_first = t.tally_first
from (
  select domain, day, report_key, policy_seq as seq, array_agg(result_type order by at) as tally_result_type,
    array_agg(mx order by at) as tally_mx, array_agg(failed order by at) as tally_failed,
    array_agg((of_pair + 2 * of_type + 4 * of_mx)::smallint order by at) as tally_first
  from (
    select *, (row_number() over (partition by report_key, domain, day, result_type, mx order by policy_seq, at) = 1)::int as of_pair,
      (row_number() over (partition by report_key, domain, day, result_type order by policy_seq, at) = 1)::int as of_type,
      (row_number() over (partition by report_key, domain, day, mx order by policy_seq, at) = 1)::int as of_mx
    from (
      select domain, day, report_key, policy_seq, result_type, receiving_mx_hostname as mx, min(seq) as at,
        sum(failed_session_count) as failed
      from failure_detail group by report_key, domain, day, policy_seq, result_type, receiving_mx_hostname
    ) cell
  ) marked
  group by report_key, domain, day, policy_seq
) t
where p.domain = t.domain and p.day = t.day and p.report_key = t.report_key and p.seq = t.seq;

-- How many reporters a domain has heard of in a window, out of the index alone.
alter table report drop constraint report_pkey;
alter table report add primary key (domain, day, identity, variant) include (reporter, counted);
