/** What a self-test asks of the store (src/checks/selftest.ts): whether its own report is among what was refused. */
import type { Arrived, SelfTestStore } from '../checks/selftest.ts'
import type { Database } from './database.ts'
import { getSubmission, readRaw } from './submissions.ts'

/** Newer ones are looked through; bytes are read of no more. */
const lookedThrough = 200

export const makeSelfTestStore = (db: Database): SelfTestStore => ({
  findMail: (token, since) => findRefusedMail(db, token, since),
  findPost: (submissionKey) => findArrived(db, submissionKey),
})

async function findRefusedMail(db: Database, token: string, since: Date): Promise<Arrived | undefined> {
  const { rows } = await db.query<Arrived & { bytes: Buffer }>(
    `with newest as (
       select arrived_on, arrival_key, verdict, reason from submission
       where arrived_on >= ($1::timestamptz at time zone 'UTC')::date and domain = '' and transport = 'smtp' and arrived_at >= $1
       order by key desc limit ${lookedThrough}
     )
     select verdict, reason, bytes from newest join submission_raw using (arrived_on, arrival_key)
     where submission_raw.domain = '' and position(convert_to($2, 'UTF8') in bytes) > 0 limit 1`,
    [since, token],
  )
  return rows[0]
}

async function findArrived(db: Database, submissionKey: string): Promise<Arrived | undefined> {
  const found = await getSubmission(db, submissionKey, undefined)
  if (!found) return undefined
  const raw = await readRaw(db, submissionKey, undefined)
  const { verdict, reason } = found
  return { verdict, reason, ...(raw?.kind === 'found' && { bytes: raw.bytes }) }
}
