/** GET /v1/reports/{key}/json: a report in its sender's own words (RFC 8460 §4.4), out of the mail and the gzip it came in. */
import { z } from 'zod'
import { getReport, readRawOfReport, type ReportWithPolicies } from '../store/reports.ts'
import { parseReport } from '../tlsrpt/parse.ts'
import type { ReadLimits } from '../tlsrpt/read.ts'
import { unwrap } from '../tlsrpt/unwrap.ts'
import { notFound, Problem, problems } from './problem.ts'
import { isKey, keyPath } from './query.ts'
import { bytesOf, sandbox, type KeptRaw } from './raw.ts'
import type { Api, ApiDeps } from './route.ts'

const response = {
  description: 'The JSON, byte by byte as it was sent; as plain text, so that no browser does anything with it.',
  content: { 'text/plain': { schema: z.instanceof(Buffer).meta({ type: 'string' }) } },
}

export function addReportJson(app: Api, { db, limits }: ApiDeps): void {
  app.get(
    '/v1/reports/:key/json',
    {
      schema: {
        tags: ['reports'],
        summary: 'The JSON that it came as, out of its mail and its gzip',
        description: 'As long as the bytes are kept. Of a mail with several reports it is the one of this report-id.',
        params: keyPath,
        querystring: z.strictObject({}),
        response: { 200: response, ...problems(400, 401, 404) },
      },
    },
    async ({ params: { key }, caller: { visible } }, reply) => {
      const report = isKey(key) ? await getReport(db, key, visible) : undefined
      const raw = report && (await readRawOfReport(db, key, visible))
      if (!raw) throw notFound('There is no report of this key.')
      const json = await jsonOf(report, bytesOf(raw), limits)
      if (!json)
        throw new Problem(404, 'raw-unreadable', 'By the limits of today the report is not found in its bytes.')
      void reply.type('text/plain; charset=utf-8').headers(sandbox)
      return json
    },
  )
}

/** Undefined where the limits were wider, or the code was another, when it came. */
async function jsonOf(
  { reportId, arrivedAt }: ReportWithPolicies,
  { bytes, form }: KeptRaw,
  limits: ReadLimits,
): Promise<Buffer | undefined> {
  // How it came does not matter to what is in it: the content decides.
  const provenance = { transport: 'file', fileName: '' } as const
  const unwrapped = await unwrap({ raw: bytes, form, arrivedAt, provenance }, limits)
  const parts = unwrapped.kind === 'unwrapped' ? unwrapped.parts.filter((part) => part.kind === 'payload') : []
  const isOurs = (json: Uint8Array): boolean => {
    const parsed = parseReport(json, arrivedAt, limits)
    return parsed.kind === 'parsed' && parsed.report.reportId === reportId
  }
  // To read one takes a second at worst, and where there is but one there is nothing to choose.
  const part = parts.length > 1 ? parts.find(({ json }) => isOurs(json)) : parts[0]
  return part && Buffer.from(part.json)
}
