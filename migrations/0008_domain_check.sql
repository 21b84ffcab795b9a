-- What a domain of ours, or one that somebody asked about, looked like from outside (RFC 8460, RFC 8461). As many of a
-- domain are kept as store/checks.ts says, so it grows with domains and not with time: no partitions.
create table domain_check (
  domain     text        not null,              -- A-labels, lower case
  key        uuid        not null,              -- version 7: in the order of asking
  started_at timestamptz not null,
  ended_at   timestamptz not null,
  severity   text        not null check (severity in ('ok', 'advice', 'warning', 'error')),
  asked_by   text,                              -- name of the token; null: the daily check
  result     jsonb       not null,              -- a Check (src/checks/check.ts)
  primary key (domain, key)
);
create index domain_check_key on domain_check (key);

-- When a domain was last taken for its daily check: several instances share the work by it.
create table domain_check_turn (
  domain   text        primary key,
  taken_at timestamptz not null
);
