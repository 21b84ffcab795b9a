/** What fuzzing begins with: every report and mail of the shared corpus, where there is one, and our samples. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import type { TxtAnswer } from '../../src/dkim/verify.ts'
import type { Submission } from '../../src/tlsrpt/submission.ts'

export type Input = { name: string; bytes: Buffer; form: Submission['form'] }

const samples = new URL('../../samples/', import.meta.url)
const corpus = new URL('../../../shared/corpus/', import.meta.url)
const folders = [samples, corpus].filter((folder) => existsSync(folder))

export const formOf = (file: string): Input['form'] => (file.endsWith('.eml') ? 'message' : 'report')

/** 64 MiB of one letter teach a mutation nothing. */
const dull = ['gzip/bomb-64MiB.json.gz']

export const seeds: readonly Input[] = folders.flatMap((folder) =>
  globSync('**/*.{eml,json,gz,zip,xml}', { cwd: folder })
    .filter((file) => !/(?:expected|zone)\.json$/.test(file) && !dull.includes(file))
    .sort()
    .map((file) => ({ name: file, bytes: readFileSync(new URL(file, folder)), form: formOf(file) })),
)

/** The keys of all signed mails among the seeds. */
export const zone: Record<string, string> = Object.assign(
  {},
  ...folders.flatMap((folder) =>
    globSync('**/*zone.json', { cwd: folder }).map(
      (file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Record<string, string>,
    ),
  ),
) as Record<string, string>

export function resolveTxt(name: string): Promise<TxtAnswer> {
  const record = zone[name]
  return Promise.resolve(record === undefined ? { kind: 'missing' } : { kind: 'found', records: [record].flat() })
}
