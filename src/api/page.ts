/** The dashboard: files that anybody may read who reaches this port. What they show they ask of /v1, as whoever is signed in. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import files from '@fastify/static'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { notFound } from './problem.ts'
import type { Api, ApiDeps } from './route.ts'

/** Their names carry a hash of what is in them. */
const yearMs = 365 * 24 * 60 * 60 * 1000

/** Addresses that are never the page's own. */
const elsewhere = /^\/(?:v1|docs|assets)(?:[/?]|$)/

/**
 * Serves the page at `/`, its files under `/assets/`, and is what answers where there is no route: the page has addresses
 * of its own (`/domains/example.com`), which a browser may be sent to. Anything else that is not there is a 404.
 */
export async function addPage(app: Api, { page }: ApiDeps): Promise<void> {
  await app.register(files, {
    serve: false,
    preCompressed: true,
    setHeaders: (reply) => {
      reply.header('vary', 'accept-encoding') // The same bytes for everybody.
    },
  })

  app.get('/', { config: { public: true }, schema: { hide: true } }, async (_request, reply) =>
    sendPage(reply, await page),
  )

  app.get(
    '/assets/*',
    { config: { public: true }, schema: { hide: true, params: z.object({ '*': z.string() }) } },
    async ({ params }, reply) => {
      const options = { maxAge: yearMs, immutable: true, dotfiles: 'ignore', index: false } as const
      return reply.sendFile(params['*'], join(await page, 'assets'), options)
    },
  )

  app.setNotFoundHandler(async (request, reply) => {
    if (!wantsPage(request)) throw notFound()
    return sendPage(reply, await page)
  })
}

const wantsPage = ({ method, url, headers }: FastifyRequest): boolean =>
  (method === 'GET' || method === 'HEAD') && !elsewhere.test(url) && /\btext\/html\b/i.test(headers.accept ?? '')

/** Read each time: it is a kilobyte, and names the files of the newest build. */
async function sendPage(reply: FastifyReply, folder: string): Promise<FastifyReply> {
  const html = await readFile(join(folder, 'index.html')).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  })
  return reply
    .code(html ? 200 : 404)
    .type('text/html; charset=utf-8')
    .send(html ?? noPage)
}

const noPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>No dashboard</title>
<h1>The dashboard is not part of this installation</h1>
<p>Its files are not there, or could not be made: then the log says why. To make them, in the folder of the service:</p>
<pre>npm ci &amp;&amp; npm run build</pre>
<p>Reports are taken and kept without it, and <a href="/docs">the API</a> answers.</p>
</html>
`
