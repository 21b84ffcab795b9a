import assert from 'node:assert/strict'
import { test } from 'node:test'
import { docsPage } from '../../src/api/docs-page.ts'
import { call, startApi } from '../support/api.ts'

const { api, get } = await startApi()
const ask = (url: string) => call(api, 'GET', url, { headers: {} })
const page = await ask('/docs')
const anchors = new Set([...page.body.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id!))

test('the page names every operation, parameter and schema of the document', async () => {
  assert.equal(page.status, 200)
  assert.equal(page.headers['content-type'], 'text/html; charset=utf-8')
  const document = (await get('/v1/openapi.json')).json as unknown as {
    paths: Record<string, Record<string, { parameters?: { name: string }[] }>>
    components: { schemas: Record<string, unknown> }
  }
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, { parameters = [] }] of Object.entries(methods)) {
      const heading = `<h3><b class="${method}">${method}</b> <code>${path}</code></h3>`
      const article = page.body.split('<article').find((text) => text.includes(heading))
      assert.ok(article, `${method} ${path}`)
      for (const { name } of parameters) assert.ok(article.includes(`<dt><code>${name}</code>`), `${name} of ${path}`)
    }
  }
  for (const name of Object.keys(document.components.schemas)) assert.ok(anchors.has(`schema-${name}`), name)
})

test('every link leads somewhere on the page or on this server, and needs no token', async () => {
  const links = [...page.body.matchAll(/ (?:href|src)="([^"]+)"/g)].map(([, link]) => link!)
  assert.ok(links.length > 50)
  for (const link of new Set(links)) {
    if (link.startsWith('#')) assert.ok(anchors.has(link.slice(1)), link)
    else assert.equal((await ask(link)).status, 200, link)
  }
})

test('its policy lets nothing run and nothing come from elsewhere, and the page needs neither', async () => {
  assert.match(String(page.headers['content-security-policy']), /default-src 'none'.*style-src 'self'/)
  assert.doesNotMatch(page.body, /<script|<style| style=| on[a-z]+=|https?:\/\//i)
  const style = await ask('/docs/style.css')
  assert.equal(style.headers['content-type'], 'text/css; charset=utf-8')
  assert.doesNotMatch(style.body, /url\(|@import/)
})

test('what stands in a description is text, whatever it looks like', () => {
  const text = `<img src=x onerror=alert(1)> "a" & 'b'`
  const operation = { tags: ['<t>'], summary: text, parameters: [{ name: text, in: 'query', description: text }], responses: { 200: { description: text } } } // prettier-ignore
  const made = docsPage({
    info: { title: text, version: text, description: text },
    tags: [{ name: '<t>' }],
    paths: { [`/${text}`]: { get: operation } },
    components: { schemas: { [text]: { description: text, type: text } } },
  })
  assert.doesNotMatch(made, /<img|<t>/)
  assert.ok(made.includes('&lt;img src=x onerror=alert(1)&gt; &quot;a&quot; &amp; &#39;b&#39;'))
})

test('the parts of the page are opened and closed in order', () => {
  const open: string[] = []
  for (const [, slash, name] of page.body.matchAll(/<(\/?)([a-z][a-z0-9]*)\b[^>]*>/g)) {
    if (slash === '/') assert.equal(open.pop(), name)
    else if (name !== 'meta' && name !== 'link') open.push(name!)
  }
  assert.deepEqual(open, [])
})
