/**
 * The schema can be sharded by `domain` without rewriting it (docs/scale.md): the rules of Citus for tables that it
 * distributes, held against the catalog. A table that is new must be put into one of the two lists below.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Queryable } from '../../src/store/database.ts'
import { makePartitions } from '../../src/store/partitions.ts'
import { tables } from '../../src/store/tables.ts'
import { emptyDatabase, freshDatabase } from '../support/database.ts'

type Plan = {
  /** Distributed: table -> the day it is partitioned by; null: it grows with domains alone, so it is not. */
  growing: Record<string, string | null>
  /** Small, and the same on every node. */
  reference: readonly string[]
}

const plan: Plan = {
  growing: {
    report: 'day',
    policy: 'day',
    failure_detail: 'day',
    day_total: 'day',
    submission: 'arrived_on',
    submission_raw: 'arrived_on',
    domain_check: null,
    domain_check_turn: null,
  },
  reference: ['domain', 'token', 'reporter', 'schema_migration'],
}

/** What keeps the tables of schema public from being sharded by `domain`, a sentence each; [] is what it should be. */
async function shardingProblems(db: Queryable, { growing, reference }: Plan): Promise<string[]> {
  const { rows } = await db.query<{ problem: string }>(
    `with recursive planned as (
       select c.oid, c.relname::text as name, c.relname::text as root, c.relkind,
              case when c.relname = any($1::text[]) then 'growing' when c.relname = any($3::text[]) then 'reference' end as kind
       from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
       union all
       select c.oid, c.relname::text, p.root, c.relkind, p.kind
       from planned p join pg_inherits i on i.inhparent = p.oid join pg_class c on c.oid = i.inhrelid
     ), grown as (
       select * from planned where kind = 'growing'
     ), named as (
       select t.oid, array_agg(a.attnum) filter (where a.attname = 'domain') as domain_column
       from planned t join pg_attribute a on a.attrelid = t.oid group by t.oid
     )
     select format('%s is in neither list: say whether it grows or is a reference table', name) as problem
     from planned where kind is null
     union all
     select format('%s is in a list, and there is no such table', listed)
     from unnest($1::text[] || $3::text[]) listed where not exists (select from planned where name = listed and name = root)
     union all
     select format('%s has no column "domain text not null" to be sharded by', name)
     from grown where not exists (
       select from pg_attribute a where a.attrelid = grown.oid and a.attname = 'domain' and a.atttypid = 'text'::regtype and a.attnotnull)
     union all
     select format('%s is not partitioned by the range of %s', name, wanted.day)
     from grown join unnest($1::text[], $2::text[]) as wanted (name, day) using (name)
     where name = root and wanted.day is not null and pg_get_partkeydef(oid) is distinct from format('RANGE (%I)', wanted.day)
     union all
     select format('%s is a partition with partitions of its own', name) from grown where name <> root and relkind = 'p'
     union all
     select format('%s: the unique index %s does not hold domain', g.name, i.indexrelid::regclass)
     from grown g join pg_index i on i.indrelid = g.oid join named n using (oid)
     where i.indisunique and not coalesce(n.domain_column && (i.indkey::int2[])[0:i.indnkeyatts - 1], false)
     union all
     select format('%s: the exclusion constraint %s would hold within a shard only', g.name, conname)
     from grown g join pg_constraint c on c.conrelid = g.oid and contype = 'x'
     union all
     select format('%s is a sequence: numbers that all nodes would have to agree on', relname)
     from pg_class where relnamespace = 'public'::regnamespace and relkind = 'S'
     union all
     select format('%s.%s is an identity column', p.name, attname)
     from planned p join pg_attribute a on a.attrelid = p.oid where attidentity <> ''
     union all
     select format('%s is a reference table and cannot refer to %s, which is sharded', a.name, b.name)
     from pg_constraint c join planned a on a.oid = c.conrelid join grown b on b.oid = c.confrelid
     where contype = 'f' and a.kind = 'reference'
     union all
     select format('%s refers to %s by %s without domain on both sides', a.name, b.name, conname)
     from pg_constraint c join grown a on a.oid = c.conrelid join grown b on b.oid = c.confrelid
       join named na on na.oid = a.oid join named nb on nb.oid = b.oid
     where contype = 'f' and not exists (
       select from unnest(c.conkey, c.confkey) as pair (here, there)
       where array[here] = na.domain_column and array[there] = nb.domain_column)
     union all
     select format('%s has the trigger %s', g.name, tgname)
     from grown g join pg_trigger on tgrelid = g.oid where not tgisinternal
     union all
     select format('%s has the rule %s', g.name, rulename) from grown g join pg_rewrite on ev_class = g.oid
     order by problem`,
    [Object.keys(growing), Object.values(growing), reference],
  )
  return rows.map(({ problem }) => problem)
}

test('every table can be sharded by domain or be a reference table, its partitions included', async (t) => {
  const { db } = await freshDatabase(t)
  await makePartitions(db)({ reported: ['2026-02-01'], arrived: ['2026-02-01'] })
  assert.deepEqual(await shardingProblems(db, plan), [])
})

test('what is moved and counted is what is sharded, and the reference tables', () => {
  const planned = [...Object.keys(plan.growing), ...plan.reference].filter((name) => name !== 'schema_migration')
  assert.deepEqual(planned.sort(), [...tables].sort())
})

const sound = `
  create table fact (domain text not null, day date not null, key uuid not null, primary key (domain, day, key))
    partition by range (day);
  create table fact_default partition of fact default;
  create index on fact (key);
  create unique index on fact (lower(domain), day, domain);
  create table note (domain text not null, day date not null, fact_key uuid not null, standing text not null references standing,
    foreign key (domain, day, fact_key) references fact (domain, day, key)) partition by range (day);
  create table note_default partition of note default;
  create table peer (domain text not null, day date not null, key uuid) partition by range (day);`

const violations: [name: string, sql: string, problem: RegExp][] = [
  ['a table in neither list', 'create table stray (domain text not null)', /^stray is in neither list/],
  ['a table that is gone', 'drop table note', /^note is in a list, and there is no such table$/],
  ['no domain', 'drop table note; create table note (day date) partition by range (day)', /^note has no column "domain/],
  ['a domain that may be absent', 'alter table note alter domain drop not null', /^note has no column "domain/],
  ['a domain of another type', 'alter table note alter domain type varchar(255)', /^note has no column "domain/],
  ['no partitions', 'drop table note; create table note (domain text not null, day date not null)', /^note is not partitioned by the range of day$/],
  ['partitions by something else', 'drop table note; create table note (domain text not null, day date not null) partition by range (domain)', /^note is not partitioned by the range of day$/],
  ['partitions of a partition', "create table fact_2026 partition of fact for values from ('2026-01-01') to ('2027-01-01') partition by range (day)", /^fact_2026 is a partition with partitions of its own$/],
  ['a primary key without domain', 'alter table note add primary key (day, fact_key)', /^note: the unique index note_pkey does not hold domain$/],
  ['a unique constraint without domain', 'alter table note add unique (day, fact_key)', /^note: the unique index note_day_fact_key_key does not hold/],
  ['a unique index that only includes domain', 'create unique index on note (day) include (domain)', /^note: the unique index note_day_domain_idx does not hold/],
  ['a unique index on an expression of domain', 'create unique index on note (day, lower(domain))', /^note: the unique index note_day_lower_idx does not hold/],
  ['a unique index on one partition', 'create unique index on fact_default (key)', /^fact_default: the unique index fact_default_key_idx1 does not hold/],
  ['an exclusion constraint', 'alter table fact_default add exclude using btree (key with =)', /^fact_default: the exclusion constraint fact_default_key_excl /],
  ['a sequence', 'create sequence arrival_number', /^arrival_number is a sequence/],
  ['a serial column', 'alter table fact add number bigserial', /^fact_number_seq is a sequence/],
  ['an identity column', 'alter table standing add number bigint generated always as identity', /^standing.number is an identity column$/],
  ['a foreign key without domain', 'alter table peer add constraint of_the_day unique (day, key); alter table fact add foreign key (day, key) references peer (day, key)', /^fact refers to peer by fact_day_key_fkey without domain/],
  ['a foreign key that pairs domain with something else', 'alter table note add column other text, add foreign key (other, day, fact_key) references fact (domain, day, key)', /^note refers to fact by note_other_day_fact_key_fkey without domain/],
  ['a foreign key from a reference table', 'alter table standing add domain text, add day date, add key uuid, add foreign key (domain, day, key) references fact (domain, day, key)', /^standing is a reference table and cannot refer to fact/],
  ['a trigger', 'create trigger touch before update on fact for each row execute function suppress_redundant_updates_trigger()', /^fact has the trigger touch$/],
  ['a rule', 'create rule keep as on delete to note do instead nothing', /^note has the rule keep$/],
] // prettier-ignore

test('each of the rules can be broken, and says so', async (t) => {
  const { db } = await emptyDatabase(t)
  const growing = { fact: 'day', note: 'day', peer: 'day' }
  await db.query(`create table standing (standing text primary key); ${sound}`)
  assert.deepEqual(await shardingProblems(db, { growing, reference: ['standing'] }), [])
  for (const [name, sql, problem] of violations) {
    await t.test(name, async () => {
      const tx = await db.connect()
      await tx.query('begin')
      await tx.query(sql)
      const problems = await shardingProblems(tx, { growing, reference: ['standing'] })
      await tx.query('rollback')
      tx.release()
      assert.ok(
        problems.some((each) => problem.test(each)),
        `it says ${JSON.stringify(problems)}`,
      )
    })
  }
})
