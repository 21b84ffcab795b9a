-- Every arrival and its verdict, and the bytes it came as. A row here is never changed by a later arrival.
-- Partitioned by the UTC day of arrival, which is also the day inside the key (UUID version 7): a key alone finds its month.
create table submission (
  arrived_on  date        not null,
  key         uuid        not null,
  domain      text        not null,             -- the first domain of ours in it, '' when none: the shard key
  domains     text[]      not null,             -- all domains of ours in it
  arrival_key uuid        not null,             -- one mail with several report parts makes several submissions
  part        smallint    not null,             -- 0-based, within the arrival
  arrived_at  timestamptz not null,
  transport   text        not null,
  provenance  jsonb       not null,             -- Provenance in tlsrpt/submission.ts
  verdict     text        not null,
  reason      text,                             -- finer than the verdict; only where it is not 'accepted'
  trust       text,
  reporter    text,
  anomalies   jsonb       not null,             -- [{code, pointer}]
  problems    jsonb       not null,             -- [{code, pointer, message}]
  dkim        jsonb       not null,             -- DkimResult[] in dkim/verify.ts; the verdict of the day of arrival
  reports     jsonb       not null,             -- [{key, domain, verdict}]
  primary key (arrived_on, domain, key)
) partition by range (arrived_on);
create table submission_default partition of submission default;
create index submission_key on submission (key);
create index submission_arrival_key on submission (arrival_key);

-- The bytes as they came, once for an arrival. Kept for another time than the verdicts, so in a table of its own.
create table submission_raw (
  arrived_on  date        not null,
  domain      text        not null,
  arrival_key uuid        not null,
  arrived_at  timestamptz not null,
  form        text        not null check (form in ('message', 'report')),
  refused     boolean     not null,             -- every part was refused: the short retention applies
  source      text        not null,             -- network of the peer: whom to evict first
  bytes       bytea       not null,
  size        integer     not null generated always as (octet_length(bytes)) stored,
  primary key (arrived_on, domain, arrival_key)
) partition by range (arrived_on);
alter table submission_raw alter column bytes set storage external; -- mostly gzip already
create table submission_raw_default partition of submission_raw default;
create index submission_raw_arrival_key on submission_raw (arrival_key);
create index submission_raw_refused on submission_raw (arrived_at) include (source, size) where refused; -- all that eviction asks
