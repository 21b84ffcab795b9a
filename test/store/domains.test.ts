import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deleteDomain, listDomains, makeOwnDomains, putDomain } from '../../src/store/domains.ts'
import type { Database } from '../../src/store/database.ts'
import { freshDatabase } from '../support/database.ts'

const { db } = await freshDatabase()
const own = (domain: string, given: { includeSubdomains?: boolean; mx?: string[] } = {}) => ({ domain, includeSubdomains: true, mx: [] as string[], ...given }) // prettier-ignore

/** A clock to turn, and a database that counts its questions and can be away. */
function apart() {
  const world = { seconds: 0, asked: 0, away: false }
  const query = (text: string) => {
    world.asked++
    return world.away ? Promise.reject(new Error('away')) : db.query(text)
  }
  return { world, db: { query } as unknown as Database, now: () => new Date(world.seconds * 1_000) }
}

test('what is put is listed by name, replaced under its name, and gone when deleted', async () => {
  assert.equal(await putDomain(db, own('b.example', { mx: ['mx.host.example'] })), 'created')
  assert.equal(await putDomain(db, own('a.example', { includeSubdomains: false })), 'created')
  const [a, b] = await listDomains(db)
  assert.ok(a!.createdAt instanceof Date)
  assert.deepEqual(
    { ...a, createdAt: undefined },
    { ...own('a.example', { includeSubdomains: false }), createdAt: undefined },
  )
  assert.deepEqual(b!.mx, ['mx.host.example'])
  assert.equal(await putDomain(db, own('b.example')), 'updated')
  assert.deepEqual((await listDomains(db))[1]!.mx, [])
  assert.equal(await deleteDomain(db, 'a.example'), true)
  assert.equal(await deleteDomain(db, 'a.example'), false)
})

test('the list is asked once a second at most, and at once after a miss', async () => {
  const { world, db: counting, now } = apart()
  const domains = makeOwnDomains(counting, [], false, now)
  assert.equal((await domains.ownership()).ownerOf('new.example'), undefined)
  await domains.ownership()
  assert.equal(world.asked, 1)
  await putDomain(db, own('new.example'))
  assert.equal((await domains.ownership()).ownerOf('new.example'), undefined, 'not yet heard of')
  assert.equal((await domains.refresh()).ownerOf('new.example'), 'new.example')
  assert.equal((await domains.ownership()).ownerOf('sub.new.example'), 'new.example')
  world.seconds += 1
  await domains.ownership()
  assert.equal(world.asked, 3)
})

test('many misses at once share the next look-up, which starts after each of them', async () => {
  const { world, db: counting, now } = apart()
  const domains = makeOwnDomains(counting, [], false, now)
  const early = domains.refresh()
  await putDomain(db, own('burst.example'))
  const late = await Promise.all(Array.from({ length: 50 }, () => domains.refresh()))
  await early
  assert.ok(late.every((ownership) => ownership.ownerOf('burst.example') === 'burst.example'))
  assert.ok(world.asked <= 3, `${world.asked} questions`)
})

test('while the database is away the last list holds; before the first one there is none', async () => {
  const { world, db: flaky, now } = apart()
  const domains = makeOwnDomains(flaky, [own('fixed.example')], false, now)
  world.away = true
  await assert.rejects(domains.ownership(), /away/)
  world.away = false
  assert.equal((await domains.ownership()).ownerOf('b.example'), 'b.example')
  world.away = true
  world.seconds += 3_600
  assert.equal((await domains.ownership()).ownerOf('b.example'), 'b.example')
  assert.ok((await domains.list()).some(({ domain }) => domain === 'b.example'))
  await assert.rejects(domains.refresh(), /away/, 'after a miss nobody may guess')
  world.away = false
  assert.equal((await domains.refresh()).ownerOf('b.example'), 'b.example')
})

test('a domain of the environment is its own, with the MX hosts that the store knows', async () => {
  await putDomain(db, own('fixed.example', { includeSubdomains: false, mx: ['mx.elsewhere.example'] }))
  const domains = makeOwnDomains(db, [own('fixed.example')], false, () => new Date(0))
  const listed = (await domains.list()).find(({ domain }) => domain === 'fixed.example')
  assert.equal(listed?.source, 'environment')
  const ownership = await domains.ownership()
  assert.equal(ownership.ownerOf('sub.fixed.example'), 'fixed.example')
  assert.deepEqual(ownership.ownersOfMx('mx.elsewhere.example'), ['fixed.example'])
})

test('under * whatever is asked for belongs to its organisational domain', async () => {
  const any = makeOwnDomains(db, [], true, () => new Date(0))
  assert.equal((await any.ownership()).ownerOf('mail.stranger.example'), 'stranger.example')
  assert.equal(any.any, true)
})
