import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { v7 as uuidv7 } from 'uuid'
import { createToken, findIntakeToken, type Scope } from '../../src/store/tokens.ts'
import { freshDatabase } from '../support/database.ts'

const { db } = await freshDatabase()

async function make(scopes: Scope[], domains: string[] = []): Promise<{ key: string; token: string }> {
  const made = { key: uuidv7(), token: randomBytes(32).toString('base64url') }
  await createToken(db, { name: 'test', scopes, domains }, made.key, made.token)
  return made
}

test('an intake token is found with the domains it ties a post to', async () => {
  const { key, token } = await make(['ingest'], ['a.example', 'b.example'])
  assert.deepEqual(await findIntakeToken(db, token), { key, domains: ['a.example', 'b.example'] })
})

test('no other text is a token: not a part of it, not its hash, not its key', async () => {
  const { key, token } = await make(['ingest'])
  const { rows } = await db.query<{ hash: Buffer }>('select hash from token where key = $1', [key])
  for (const wrong of [
    '',
    token.slice(1),
    `${token} `,
    token.toUpperCase(),
    rows[0]!.hash.toString('hex'),
    key,
    '%',
    "' or true --",
  ]) {
    assert.equal(await findIntakeToken(db, wrong), undefined)
  }
})

test('a token for the API is none for the intake', async () => {
  for (const scope of ['read', 'write', 'admin'] as const)
    assert.equal(await findIntakeToken(db, (await make([scope])).token), undefined)
})

test('a revoked token is none', async () => {
  const { key, token } = await make(['ingest'])
  await db.query('update token set revoked_at = now() where key = $1', [key])
  assert.equal(await findIntakeToken(db, token), undefined)
})

test('the store knows no token, only its SHA-256', async () => {
  const { token } = await make(['ingest'])
  const { rows } = await db.query<{ text: string }>('select token::text as text from token')
  assert.ok(rows.length > 0 && rows.every(({ text }) => !text.includes(token)))
})

test('the same token cannot be made twice', async () => {
  const { token } = await make(['ingest'])
  await assert.rejects(
    createToken(db, { name: 'again', scopes: ['read'], domains: [] }, uuidv7(), token),
    /duplicate key/,
  )
})
