/** The page's typed client: its types are those of the OpenAPI document that the service serves. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import openapiTS, { astToString } from 'openapi-typescript'
import prettier from 'prettier'
import { runService } from '../support/running-service.ts'

const file = fileURLToPath(new URL('../../src/dashboard/api.d.ts', import.meta.url))
const service = await runService({ now: () => new Date('2026-03-02T12:00:00Z') })

test('src/dashboard/api.d.ts is what openapi-typescript makes of /v1/openapi.json', async () => {
  const types = astToString(await openapiTS(new URL(`http://127.0.0.1:${service.ports.api}/v1/openapi.json`)))
  const settings = await prettier.resolveConfig(file)
  const expected = await prettier.format(
    `/** Generated from our OpenAPI document: WRITE_CLIENT=yes npm test -- dashboard/client */\n${types}`,
    { ...settings, parser: 'typescript' },
  )
  if (process.env['WRITE_CLIENT'] === 'yes') await writeFile(file, expected)
  const actual = await readFile(file, 'utf8')
  assert.ok(actual === expected, 'the API has changed: run WRITE_CLIENT=yes npm test -- dashboard/client')
})
