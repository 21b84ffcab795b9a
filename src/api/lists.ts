/** What every list and aggregate can do besides JSON: CSV for who accepts it, and RFC 8288 Link to the next page. */
import type { preSerializationAsyncHookHandler } from 'fastify'
import { z } from 'zod'
import { columnsOf, csvText } from './csv.ts'
import type { Api } from './route.ts'

/** To be called before any route is added: a GET that answers `{ data: [...] }` is a list. */
export function answerLists(app: Api): void {
  app.addHook('onRoute', (route) => {
    const responses = (route.schema as { response?: Record<number, unknown> } | undefined)?.response
    const answer = responses?.[200]
    const row = route.method === 'GET' ? rowOf(answer) : undefined
    if (!responses || !row) return
    responses[200] = {
      description: 'Rows; a page that is not the last one has a Link to the next. As CSV with `Accept: text/csv`.',
      content: { 'application/json': { schema: answer }, 'text/csv': { schema: z.string() } },
    }
    route.preSerialization = listAnswer(row, `tlsrpt-${route.url.slice(route.url.lastIndexOf('/') + 1)}.csv`)
  })
}

function rowOf(answer: unknown): z.ZodObject | undefined {
  const data = answer instanceof z.ZodObject ? (answer.shape['data'] as unknown) : undefined
  return data instanceof z.ZodArray && data.element instanceof z.ZodObject ? data.element : undefined
}

type Answer = { data: object[]; page?: { next_cursor: string | null } }

function listAnswer(row: z.ZodObject, fileName: string): preSerializationAsyncHookHandler {
  const columns = columnsOf(row)
  return async (request, reply, payload) => {
    if (reply.statusCode !== 200) return payload
    const { data, page } = payload as Answer
    const cursor = page?.next_cursor
    if (typeof cursor === 'string') reply.header('link', `<${withCursor(request.url, cursor)}>; rel="next"`)
    reply.header('vary', 'Authorization, Cookie, Accept')
    if (!wantsCsv(request.headers.accept ?? '')) return payload
    const asked = Object.values(request.query as object).flat() as unknown[]
    const shown = columns.filter(({ name, isOptional }) => !isOptional || asked.includes(name))
    reply
      .type('text/csv; charset=utf-8; header=present')
      .header('content-disposition', `attachment; filename="${fileName}"`)
      .serializer(() => csvText(shown, data))
    return payload
  }
}

/** Relative, so that nothing of what the client says of our name comes back to it. */
function withCursor(url: string, cursor: string): string {
  const { pathname, searchParams } = new URL(url, 'http://api.invalid')
  searchParams.set('cursor', cursor)
  return `${pathname}?${searchParams.toString()}`
}

/** RFC 9110 §12.5.1: CSV is for who names it, and does not like JSON as much. */
function wantsCsv(accept: string): boolean {
  const quality = (type: string) =>
    Math.max(
      0,
      ...accept
        .toLowerCase()
        .split(',')
        .map((range) => range.split(';').map((part) => part.trim()))
        .filter(([range]) => range === type)
        .map((parts) => Number(parts.find((part) => part.startsWith('q='))?.slice(2) ?? 1))
        .filter((q) => !Number.isNaN(q)),
    )
  return quality('text/csv') > quality('application/json')
}
