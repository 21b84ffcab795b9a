-- Summaries over all domains are answered from the totals, of which there is one where there are hundreds of facts.
set local work_mem = '64MB';

-- A stranger's word is part of a key now, and an index row is 2,704 bytes at most.
update policy set policy_type = left(policy_type, 255) where length(policy_type) > 255;
update failure_detail set policy_type = left(policy_type, 255) where length(policy_type) > 255;

truncate day_total;
alter table day_total drop constraint day_total_pkey;
alter table day_total
  alter column successful   type bigint,        -- adding up 200,000 numerics takes twice as long; 9.2e18 sessions a day will do
  alter column failed       type bigint,
  add column policy_type    text    not null,   -- ' ' for reports without policies
  add column attributed     bigint  not null,   -- like successful and failed, and the reports: of the primary type
  add column failed_of_type bigint  not null,   -- sessions, whether the type is primary or not
  add column policies       bigint  not null,   -- of the type, likewise
  add primary key (domain, day, trust, policy_type);

insert into day_total (domain, day, trust, policy_type, successful, failed, attributed, reports, failed_of_type, policies)
select domain, day, trust, policy_type, coalesce(sum(successful) filter (where "primary"), 0),
  coalesce(sum(failed) filter (where "primary"), 0), coalesce(sum(attributed) filter (where "primary"), 0),
  count(distinct report_key) filter (where "primary"), sum(failed), count(*)
from policy where counted group by domain, day, trust, policy_type
union all
select domain, day, trust, ' ', 0, 0, 0, count(*), 0, 0
from report r where counted and not exists (
  select from policy p where p.domain = r.domain and p.day = r.day and p.report_key = r.key)
group by domain, day, trust;

-- Whether a reporter has a counted report in a window, by one look.
drop index report_reporter_day;
create index report_reporter_day on report (reporter, day, counted);
