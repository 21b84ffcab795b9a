-- What the accepted submissions said, a row per domain of ours, flat: facts carry what they are asked by (DESIGN.md).
-- All are partitioned by month of the UTC day the report's range starts, so retention drops whole months.
create table report (
  domain            text        not null,
  day               date        not null,
  identity          bytea       not null,       -- DomainReport in tlsrpt/verdict.ts
  variant           smallint    not null,       -- a first arrival is 0, so every later one collides and decides under the lock
  key               uuid        not null,
  submission_key    uuid        not null,       -- the arrival with the best trust
  content_hash      bytea       not null,
  trust             text        not null check (trust in ('verified', 'unverified')),
  reporter          text,
  standing          text        not null,       -- Standing in tlsrpt/identity.ts
  counted           boolean     not null,       -- the same on its policy and failure_detail rows
  decision          text        check (decision in ('include', 'exclude')), -- the operator's last word
  implausible       boolean     not null,
  transport         text        not null,
  organization      text,
  report_id         text        not null,
  contact_info      text,
  start_datetime    timestamptz not null,
  end_datetime      timestamptz not null,
  arrived_at        timestamptz not null,
  anomalies         jsonb       not null,
  successful        bigint      not null check (successful >= 0), -- primary policies, sessions
  failed            bigint      not null check (failed >= 0),
  primary key (domain, day, identity, variant)
) partition by range (day);
create table report_default partition of report default;
create index report_key on report (key);

create table policy (
  domain        text     not null,
  day           date     not null,
  report_key    uuid     not null,
  seq           smallint not null,              -- position in the report
  policy_domain text     not null,
  policy_type   text     not null,
  policy_type_raw text,
  policy_mode   text,
  "primary"     boolean  not null,
  trust         text     not null,
  reporter      text,
  organization  text,
  transport     text     not null,
  counted       boolean  not null,
  policy_string text[]   not null,
  mx_host       text[]   not null,
  successful    bigint   not null check (successful >= 0), -- sessions
  failed        bigint   not null check (failed >= 0),
  attributed    numeric  not null               -- sum of its failure details, which need not be `failed`
) partition by range (day);
create table policy_default partition of policy default;
create index policy_domain_day on policy (domain, day);

create table failure_detail (
  domain                 text     not null,
  day                    date     not null,
  report_key             uuid     not null,
  policy_seq             smallint not null,
  seq                    integer  not null,
  policy_domain          text     not null,
  policy_type            text     not null,
  policy_mode            text,
  "primary"              boolean  not null,
  trust                  text     not null,
  reporter               text,
  organization           text,
  transport              text     not null,
  counted                boolean  not null,
  result_type            text     not null,
  result_type_raw        text,
  sending_mta_ip         inet,
  sending_mta_ip_raw     text,                  -- as written, where it is no address or not in canonical form
  receiving_mx_hostname  text,
  receiving_mx_helo      text,
  receiving_ip           inet,
  receiving_ip_raw       text,
  failed_session_count   bigint   not null check (failed_session_count >= 0),
  additional_information text,
  failure_reason_code    text
) partition by range (day);
create table failure_detail_default partition of failure_detail default;
create index failure_detail_domain_day on failure_detail (domain, day);

-- For the views over all domains. Always the fold of the counted reports, whatever the order of arrivals.
create table day_total (
  domain     text    not null,
  day        date    not null,
  trust      text    not null,
  successful numeric not null,                  -- primary policies, sessions
  failed     numeric not null,
  reports    bigint  not null,
  primary key (domain, day, trust)
) partition by range (day);
create table day_total_default partition of day_total default;
