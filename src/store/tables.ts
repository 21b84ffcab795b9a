/** Every table there is, named once: whoever moves or counts them all reads this list, and a test holds it to the schema. */
import type { Queryable } from './database.ts'

/** In the order in which writers lock them. `schema_migration` is not among them: it belongs to migrate.ts. */
export const tables = [
  'domain',
  'token',
  'reporter',
  'report',
  'policy',
  'failure_detail',
  'submission',
  'submission_raw',
  'day_total',
  'domain_check',
  'domain_check_turn',
] as const

export type Table = (typeof tables)[number]

/** Of each table the columns that are written, in their order: not those that Postgres generates. */
export async function writtenColumns(tx: Queryable): Promise<{ name: string; columns: string[] }[]> {
  const { rows } = await tx.query<{ name: string; columns: string[] }>(
    `select name, array_agg(attname::text order by attnum) as columns
     from unnest($1::text[]) with ordinality as wanted (name, position)
     join pg_attribute on attrelid = name::regclass and attnum > 0 and not attisdropped and attgenerated = ''
     group by name, position order by position`,
    [tables],
  )
  return rows
}
