-- The bound on what nobody verified (src/store/quota.ts) is one of bytes, too: 20 KB of gzip can be 20 MB of policies.
alter table report add column bytes integer not null default 0; -- as it came, and its texts; 0 where somebody vouches for it
