-- What is ours, as the operator said it. Domains of POLICY_DOMAINS live in the environment and are not in here.
create table domain (
  domain             text        primary key,   -- A-labels, lower case, no trailing dot
  include_subdomains boolean     not null default true,
  mx                 text[]      not null default '{}', -- hosts that serve it: DANE policies name them
  created_at         timestamptz not null default now()
);

-- Bearer and intake tokens: 256 random bits, kept only as SHA-256.
create table token (
  key        uuid        primary key,
  name       text        not null,
  hash       bytea       not null unique,
  scopes     text[]      not null,
  domains    text[]      not null,              -- [] is every domain
  created_at timestamptz not null default now(),
  revoked_at timestamptz
);
