-- What the operator said of a reporter (the organisational domain of a verified d=); of all others there is no row.
create table reporter (
  domain   text        primary key,             -- A-labels, lower case
  standing text        not null check (standing in ('known', 'new', 'blocked')),
  noted_by text        not null,                -- name of the token
  noted_at timestamptz not null
);

-- Who decided on a report, when and why; null where nobody has.
alter table report add column decided_by text, add column decided_at timestamptz, add column decision_reason text;
create index report_reporter_day on report (reporter, day);
