/** Every bad input on the list has a row here, a test elsewhere, or a reason why there is none. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { compression } from './compression.ts'
import { dkim } from './dkim.ts'
import { byOtherTests, never } from './elsewhere.ts'
import { http } from './http.ts'
import { identity } from './identity.ts'
import { json } from './json.ts'
import { mails } from './mails.ts'
import { smtp } from './smtp.ts'

const listed = 225
const rows = [...compression, ...json, ...mails, ...dkim, ...smtp, ...http, ...identity]

/** Of the files that have tests and no table: `number: 7`, `crowd(112, 'title'` and `test('4: title'`. */
const inTests = globSync('test/bad-inputs/*.test.ts').flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(/\bnumber: (\d+)|Row\((\d+)|crowd\((\d+)|test\(['`](\d+): /g)].map((match) =>
    Number(match.slice(1).find(Boolean)),
  ),
)
const here = new Set([...rows.map(({ number }) => number), ...inTests])
const elsewhere = [...Object.keys(byOtherTests), ...Object.keys(never)].map(Number)

test(`every one of the ${listed} bad inputs is somewhere, and nothing that is here is said to be elsewhere`, () => {
  const places = [...here, ...elsewhere].sort((a, b) => a - b)
  assert.deepEqual(
    places,
    Array.from({ length: listed }, (_, i) => i + 1),
  )
})

test('no two rows have one name', () => {
  const names = rows.map(({ number, title }) => `${number}: ${title}`)
  assert.deepEqual(names.filter((name, i) => names.indexOf(name) < i), []) // prettier-ignore
})

for (const [number, [file, name]] of Object.entries(byOtherTests)) {
  test(`${number} is in ${file}`, () => {
    const source = readFileSync(file, 'utf8')
    assert.ok(["'", '`', '"'].some((quote) => source.includes(`test(${quote}${name}`)), name) // prettier-ignore
  })
}
