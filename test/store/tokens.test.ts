import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { v7 as uuidv7 } from 'uuid'
import {
  createToken,
  findIntakeToken,
  findToken,
  makeTokenFinder,
  revokeToken,
  type Scope,
} from '../../src/store/tokens.ts'
import { databaseAway } from '../support/api.ts'
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

test('a token for the API is found with what it may, one for the intake is none', async () => {
  const { key, token } = await make(['read', 'write'], ['a.example'])
  assert.deepEqual(await findToken(db, token), { key, name: 'test', scopes: ['read', 'write'], domains: ['a.example'] })
  assert.equal(await findToken(db, (await make(['ingest'])).token), undefined)
})

/** A finder with a clock to set, and how often it asked the database. */
function aFinder() {
  const clock = { ms: 0 }
  const asked = { times: 0 }
  db.on('acquire', () => asked.times++)
  return { clock, asked, ...makeTokenFinder(db, () => new Date(clock.ms)) }
}

test('a busy token is asked for once a second, also by many at once', async () => {
  const { token, key } = await make(['read'])
  const { find, clock, asked } = aFinder()
  const found = await Promise.all(Array.from({ length: 100 }, () => find(token)))
  assert.ok(found.every((one) => one?.key === key))
  clock.ms = 999
  await find(token)
  assert.equal(asked.times, 1)
  clock.ms = 1_000
  await find(token)
  assert.equal(asked.times, 2)
})

test('a revoked token is found no longer than a second, by clocks that are set back as well', async () => {
  const { token, key } = await make(['read'])
  const { find, clock } = aFinder()
  clock.ms = 5_000
  assert.ok(await find(token))
  assert.equal(await revokeToken(db, key, undefined), true)
  clock.ms = 6_000
  assert.equal(await find(token), undefined)

  const again = await make(['read'])
  assert.ok(await find(again.token))
  await revokeToken(db, again.key, undefined)
  clock.ms = 0
  assert.equal(await find(again.token), undefined)
})

test('what is no token is not remembered, and takes nothing from those that are', async () => {
  const { token } = await make(['read'])
  const { find, asked } = aFinder()
  await find(token)
  for (let i = 0; i < 1_500; i++) await find(`wrong-${i}`)
  assert.equal(asked.times, 1_501)
  await find(token)
  assert.equal(asked.times, 1_501)
})

test('while the database is away nobody is told that his token is wrong, and it is asked again at once', async () => {
  const away = databaseAway()
  const { find } = makeTokenFinder(away, () => new Date(0))
  await assert.rejects(find('x'))
  await assert.rejects(find('x'))
})

test('revoking tells whether there was such a token, whatever the key looks like', async () => {
  const { key } = await make(['read'])
  assert.equal(await revokeToken(db, key.toUpperCase(), undefined), true)
  assert.equal(await revokeToken(db, key, undefined), true)
  for (const none of [uuidv7(), 'x', '']) assert.equal(await revokeToken(db, none, undefined), false)
})
