/** `token create|list|revoke` as a person and as a script use them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findIntakeToken, findToken } from '../../src/store/tokens.ts'
import { freshDatabase } from '../support/database.ts'
import { runProgram } from '../support/program.ts'

const { db, url } = await freshDatabase()
const token = (...args: string[]) => runProgram(['token', ...args], { DATABASE_URL: url })

test('a token is created, listed and revoked, for people', async () => {
  const created = await token('create', 'Grafana', '--scope', 'read,write', '--domain', 'A.Example.', 'b.example')
  assert.equal(created.code, 0, created.stderr)
  const [, key = '', secret = ''] = /^Key {4}(\S+)\nToken {2}(\S+)\n$/.exec(created.stdout) ?? []
  assert.deepEqual(await findToken(db, secret), {
    key,
    name: 'Grafana',
    scopes: ['read', 'write'],
    domains: ['a.example', 'b.example'],
  })
  const listed = await token('list')
  assert.match(listed.stdout, new RegExp(`^${key}  since \\d{4}-\\d\\d-\\d\\d  Grafana: read, write for a.example, b.example\n$`)) // prettier-ignore
  assert.equal((await token('revoke', key)).stdout, `${key} opens nothing any more.\n`)
  assert.equal(await findToken(db, secret), undefined)
  assert.match((await token('list')).stdout, /revoked/)
})

test('the same for programs', async () => {
  const created = await token('create', 'b’s reports', '--scope', 'ingest', '--domain', 'b.example', '--json')
  const { key, token: secret, ...spec } = JSON.parse(created.stdout) as { key: string; token: string }
  assert.deepEqual(spec, { name: 'b’s reports', scopes: ['ingest'], domains: ['b.example'] })
  assert.deepEqual(await findIntakeToken(db, secret), { key, domains: ['b.example'] })
  const [row] = JSON.parse((await token('list', '--json')).stdout) as Record<string, unknown>[]
  assert.deepEqual([row?.['key'], row?.['revoked_at']], [key, null])
  assert.deepEqual(JSON.parse((await token('revoke', key, '--json')).stdout), { key, revoked: true })
  const none = await token('revoke', 'x', '--json')
  assert.deepEqual([none.code, JSON.parse(none.stdout)], [1, { key: 'x', revoked: false }])
})

test('what nobody may have is exit 2 and one line that names the option', async () => {
  for (const [args, line] of [
    [['create', 'x', '--scope', 'root'], "--scope knows no 'root'"],
    [
      ['create', 'x', '--scope', 'ingest,read'],
      '--scope ingest goes with no other scope: its token stands in public DNS',
    ],
    [['create', '', '--scope', 'read'], 'NAME must have 1 to 100 characters'],
    [
      ['create', 'x', '--scope', 'read', '--domain', 'a.example', 'localhost'],
      '--domain localhost must be a domain name with a public suffix below it',
    ],
    [['create', 'x'], "error: required option '--scope <scopes...>' not specified"],
  ] as const) {
    const { code, stdout, stderr } = await token(...args)
    assert.deepEqual([code, stdout, stderr.trim()], [2, '', line])
  }
  const { rows } = await db.query('select from token where name in ($1, $2)', ['x', ''])
  assert.equal(rows.length, 0)
})
