import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConfig, secretsOf } from '../src/config.ts'
import { makeConcealer } from '../src/secrets.ts'

const config = readConfig({ DATABASE_URL: 'postgres://ada:pa%22ss%20word@h/d', ADMIN_TOKEN: 'a-token-for-tests-only' })

test('passwords and the admin token do not stand in a line, in any spelling; the rest does', () => {
  const conceal = makeConcealer(secretsOf(config))
  for (const line of [
    'token a-token-for-tests-only!',
    'pa%22ss%20word',
    'pa"ss word',
    JSON.stringify({ p: 'pa"ss word' }),
  ])
    assert.doesNotMatch(conceal(line), /tests-only|ss word|ss%20word/)
  assert.equal(conceal('to postgres://u:x@db.example/d as "u"'), 'to postgres://[concealed]@db.example/d as "u"')
  assert.equal(conceal('{"peer":"192.0.2.1"}\n'), '{"peer":"192.0.2.1"}\n')
})

test('a line stays the JSON that it was', () => {
  const conceal = makeConcealer(secretsOf(config))
  const line = JSON.stringify({ level: 50, err: { message: 'pa"ss word' }, msg: 'postgres://ada:pa"ss@h' })
  assert.deepEqual(Object.keys(JSON.parse(conceal(line)) as object), ['level', 'err', 'msg'])
})

test('where there is no secret nothing is concealed', () => {
  for (const env of [{}, { DATABASE_URL: 'postgres://h/d' }, { DATABASE_URL: 'postgres://ada@h/d' }])
    assert.deepEqual(secretsOf(readConfig(env)), [])
})
