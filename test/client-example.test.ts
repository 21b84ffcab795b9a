/** README's client example, as a reader would use it: its types from the running service, checked, and run. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import openapiTS, { astToString } from 'openapi-typescript'
import ts from 'typescript'
import { adminToken, runService } from './support/running-service.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const example = [...readme.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code!).find((code) => code.includes('openapi-fetch')) // prettier-ignore
assert.ok(example)

const service = await runService({ now: () => new Date('2026-03-02T12:00:00Z'), env: { POLICY_DOMAINS: 'ours.example' } }) // prettier-ignore
const baseUrl = `http://127.0.0.1:${service.ports.api}`

const folder = await mkdtemp(join(tmpdir(), 'tlsrpt-client-'))
after(() => rm(folder, { recursive: true, force: true }))
await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
await writeFile(join(folder, 'package.json'), '{"type":"module"}')
await writeFile(join(folder, 'tlsrpt.ts'), astToString(await openapiTS(new URL(`${baseUrl}/v1/openapi.json`))))

/** What the compiler says of this program in that folder. */
async function complaints(name: string, code: string): Promise<string[]> {
  const file = join(folder, name)
  await writeFile(file, code)
  const { options } = ts.convertCompilerOptionsFromJson({ target: 'es2024', lib: ['es2024'], module: 'nodenext', types: ['node'], strict: true, noEmit: true, skipLibCheck: true, allowImportingTsExtensions: true }, folder) // prettier-ignore
  const program = ts.createProgram([file], { ...options, typeRoots: [join(root, 'node_modules/@types')] })
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
}

test('the example passes the compiler, by types made of our OpenAPI document', async () => {
  assert.deepEqual(await complaints('example.ts', example), [])
})

test('these types know the groupings: one that is none of ours does not pass', async () => {
  const wrong = example.replace("'result_type'", "'result_typo'")
  assert.match((await complaints('wrong.ts', wrong)).join('\n'), /result_typo/)
})

test('the example runs against the service, and prints what fails', async () => {
  await service.post(
    Buffer.from(
      JSON.stringify({
        'organization-name': 'Sender',
        'date-range': { 'start-datetime': '2026-03-01T00:00:00Z', 'end-datetime': '2026-03-01T23:59:59Z' },
        'report-id': 'r-1',
        policies: [
          {
            policy: { 'policy-type': 'sts', 'policy-domain': 'ours.example' },
            summary: { 'total-successful-session-count': 7, 'total-failure-session-count': 3 },
            'failure-details': [
              {
                'result-type': 'certificate-expired',
                'receiving-mx-hostname': 'mx1.ours.example',
                'failed-session-count': 3,
              },
            ],
          },
        ],
      }),
    ),
  )
  const run = (token: string) =>
    promisify(execFile)(process.execPath, [join(folder, 'example.ts')], {
      env: { ...process.env, TLSRPT_API: baseUrl, TLSRPT_TOKEN: token },
    })
  const { stdout } = await run(adminToken)
  assert.equal(stdout, 'mx1.ours.example: 3 sessions failed with certificate-expired\n')
  await assert.rejects(run('none'), /A valid token is needed/)
})
