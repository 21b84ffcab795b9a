/** The plan of the house, as a test: who may import whom, and what comes in only by the front door (DESIGN.md). */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import ts from 'typescript'

/** A room (a folder, or a file straight under src/) -> the rooms and packages it may import, and why. */
const plan: Record<string, { may: string[]; because: string }> = {
  'limits.ts': { may: [], because: 'they are numbers and their reasons' },
  'gate.ts': { may: [], because: 'it counts who is on the road' },
  'rate.ts': { may: [], because: 'it counts' },
  'keys.ts': { may: ['uuid'], because: 'a key is a time and a random number' },
  'product.ts': { may: ['node:fs'], because: 'it is a name, a version and a place' },
  'remembered.ts': { may: [], because: 'it remembers what it is told to' },
  'addresses.ts': { may: ['remembered.ts', 'ipaddr.js', 'node:net'], because: 'addresses are values' },
  tlsrpt: {
    may: ['remembered.ts', 'zod', 'mailparser', 'tldts', 'node:net'],
    because: 'RFC 8460 is values in, values out',
  },
  mtasts: { may: ['tlsrpt'], because: 'RFC 8461 is values in, values out; a domain name is spelt as in a report' },
  dkim: { may: ['tldts', 'node:net'], because: 'RFC 6376 is mathematics; the resolver is passed in' },
  store: {
    may: [
      ...['remembered.ts', 'tlsrpt', 'checks', 'pg', 'pg-copy-streams', 'zod', 'ipaddr.js'],
      ...['node:fs', 'node:fs/promises', 'node:child_process', 'node:os', 'node:net', 'node:readline'],
    ],
    because: 'it holds the only SQL, and knows no caller',
  },
  'read-large.ts': {
    may: ['read-large-thread.ts', 'tlsrpt', 'node:worker_threads'],
    because: 'it has one thing done in another thread',
  },
  'read-large-thread.ts': {
    may: ['tlsrpt', 'node:worker_threads', 'node:v8'],
    because: 'it is the pure part of the road, and what it hears and says goes between threads',
  },
  'quarantine.ts': { may: ['tlsrpt'], because: 'it makes a verdict of a defect' },
  'read-in-turn.ts': {
    may: ['tlsrpt', 'gate.ts', 'quarantine.ts', 'read-large.ts', 'limits.ts'],
    because: 'it is the first half of the road, and has one after the other take it',
  },
  'ingest.ts': {
    may: [
      'tlsrpt',
      'dkim',
      'store',
      'gate.ts',
      'quarantine.ts',
      'read-in-turn.ts',
      'read-large.ts',
      'limits.ts',
      'addresses.ts',
    ],
    because: 'the road knows no transport',
  },
  transport: {
    may: [
      ...[
        'ingest.ts',
        'tlsrpt',
        'limits.ts',
        'addresses.ts',
        'rate.ts',
        'smtp-server',
        'fastify',
        'selfsigned',
        'ipaddr.js',
      ],
      ...['node:net', 'node:tls', 'node:http', 'node:https', 'node:fs', 'node:fs/promises'],
    ],
    because: 'a transport makes a Submission and calls ingest, nothing else',
  },
  api: {
    may: [
      ...[
        'ingest.ts',
        'store',
        'tlsrpt',
        'checker.ts',
        'checks',
        'limits.ts',
        'addresses.ts',
        'zod',
        'fastify',
        'fastify-type-provider-zod',
        'node:http',
        'node:net',
        'node:fs/promises',
      ],
      ...['@fastify/cookie', '@fastify/helmet', '@fastify/rate-limit', '@fastify/static', '@fastify/swagger'],
    ],
    because:
      'a route parses the query, asks the store and answers; of the road it knows the types, for upload and replay',
  },
  dns: {
    may: ['dkim', 'dns-packet', 'node:dgram', 'node:dns', 'node:net'],
    because: 'it is the real resolver, in the shape that dkim/ asks for',
  },
  checks: {
    may: [
      ...['addresses.ts', 'rate.ts', 'dns', 'dkim', 'mtasts', 'tlsrpt', 'ipaddr.js', 'tldts', 'nodemailer'],
      ...['node:net', 'node:tls', 'node:http'],
    ],
    because: 'it looks at a domain from outside, and says what it sees; a self-test sends what a reporter would',
  },
  'checker.ts': {
    may: ['checks', 'dns', 'config.ts', 'node:fs/promises'],
    because: 'it wires the checks, for the service and for commands',
  },
  'daily-checks.ts': {
    may: ['checker.ts', 'store', 'pino'],
    because: 'it takes turns, and keeps what the checks say',
  },
  'config.ts': {
    may: ['limits.ts', 'tlsrpt', 'zod', 'ipaddr.js', 'node:os'],
    because: 'it is the environment as one checked value',
  },
  'secrets.ts': { may: [], because: 'it is text in, text out' },
  dashboard: {
    may: [
      ...['preact', 'preact/hooks', 'preact-iso', '@preact/signals', 'openapi-fetch', '@observablehq/plot', 'vite'],
      ...['@picocss/pico/css/pico.min.css', 'punycode/punycode.es6.js'],
    ],
    because: 'it runs in a browser, and knows the REST API alone',
  },
  'page-build.ts': {
    may: ['node:child_process', 'node:fs/promises'],
    because: 'it makes files of files, by Vite in a process of its own',
  },
  'readiness.ts': { may: ['store'], because: 'it waits for the database' },
  'watchdog.ts': { may: ['node:perf_hooks'], because: 'it looks at the event loop and at nothing else' },
  'metrics.ts': {
    may: ['ingest.ts', 'store', 'tlsrpt', 'prom-client'],
    because: 'it counts what it is told, and knows of the house only types',
  },
  'road.ts': {
    may: ['ingest.ts', 'gate.ts', 'read-large.ts', 'keys.ts', 'config.ts', 'dns', 'dkim', 'tlsrpt', 'store', 'pino'],
    because: 'it wires the road, for the service and for commands that judge',
  },
  'service.ts': {
    may: [
      ...[
        'road.ts',
        'ingest.ts',
        'metrics.ts',
        'watchdog.ts',
        'readiness.ts',
        'page-build.ts',
        'keys.ts',
        'product.ts',
        'checker.ts',
        'daily-checks.ts',
        'config.ts',
        'limits.ts',
        'addresses.ts',
      ],
      ...['tlsrpt', 'store', 'transport', 'api'],
      ...['pino', 'node:fs/promises', 'node:net'],
    ],
    because: 'it wires everything and does nothing itself',
  },
  commands: {
    may: [
      ...['config.ts', 'keys.ts', 'product.ts', 'road.ts', 'checker.ts', 'checks', 'ingest.ts', 'store', 'tlsrpt', 'transport', 'pino'], // prettier-ignore
      ...['cli-progress', 'node:fs', 'node:fs/promises'],
    ],
    because: 'a command does one thing',
  },
  demo: {
    may: [
      'config.ts',
      'service.ts',
      'dkim',
      'dns',
      'pino',
      'nodemailer',
      'selfsigned',
      'node:fs/promises',
      'node:http',
      'node:https',
      'node:net',
      'node:os',
      'node:tls',
    ],
    because: 'it is a sender and a reader: it uses the sockets and the API; and it plays the hosts that checks look at',
  },
  'command-line.ts': {
    may: ['commands', 'config.ts', 'demo', 'product.ts', 'tlsrpt', 'commander', 'pino'],
    because: 'it says in words what can be asked for, and hands it to who does it',
  },
  'main.ts': {
    may: [
      'command-line.ts',
      'commands',
      'config.ts',
      'page-build.ts',
      'product.ts',
      'secrets.ts',
      'service.ts',
      'pino',
    ],
    because: 'it is the process: what is asked for at the command line is done in it',
  },
}

/** Parts of Node that touch nothing outside the process: any room may use them. */
const harmless = ['buffer', 'crypto', 'events', 'module', 'path', 'stream', 'stream/promises', 'timers/promises', 'url', 'util', 'zlib'].map((name) => `node:${name}`) // prettier-ignore

/** What a test or another instance must be able to replace is a value, handed on from where it is allowed. */
const atTheDoor = [
  {
    what: /\bprocess\.(?:env|argv|exit|exitCode|on|once|cwd|stdout|stderr|stdin)\b/,
    rooms: ['main.ts'],
    say: 'only main.ts knows the process',
  },
  { what: /\bDate\.now\(|\bnew Date\(\)/, rooms: ['main.ts', 'dashboard'], say: 'the clock is passed in' },
  { what: /\bfetch\(/, inTexts: false, rooms: ['demo', 'dashboard'], say: 'the service calls nobody' },
  {
    what: /\b(?:select\s[^;]*\sfrom\s|insert\sinto\s|delete\sfrom\s)/i,
    rooms: ['store', 'dashboard'], // There it is an element of HTML.
    say: 'SQL stands in src/store',
  },
]

const room = (path: string) => path.split('/')[0]!
const files = globSync('src/**/*.{ts,tsx}')
const source = (file: string) => readFileSync(file, 'utf8')
const importsOf = (file: string) => ts.preProcessFile(source(file)).importedFiles.map(({ fileName }) => fileName)
const withoutComments = (code: string) => code.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(?:^|\s)\/\/.*$/gm, '')

/** Text in quotes is no code, as that of a program for others; what stands in ${} of a template is. */
function withoutTexts(file: string): string {
  const parsed = ts.createSourceFile(file, source(file), ts.ScriptTarget.Latest, true, file.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS) // prettier-ignore
  const texts: [number, number][] = []
  const look = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) texts.push([node.getStart(), node.getEnd()]) // prettier-ignore
    ts.forEachChild(node, look)
  }
  look(parsed)
  const blank = (code: string, [start, end]: [number, number]) => code.slice(0, start) + ' '.repeat(end - start) + code.slice(end) // prettier-ignore
  return texts.reduce(blank, source(file))
}

test('there is a house to look at', () => assert.ok(files.length > 20))

for (const file of files) {
  const path = relative('src', file)
  test(`src/${path} keeps to its room`, () => {
    const here = plan[room(path)]
    assert.ok(here, `src/${room(path)} is not on the plan in test/architecture.test.ts`)
    for (const target of importsOf(file)) {
      const to = target.startsWith('.') ? room(relative('src', join(dirname(file), target))) : target
      const allowed = to === room(path) || here.may.includes(to) || harmless.includes(to)
      assert.ok(allowed, `src/${path} may not import ${target}: ${here.because}`)
    }
    const code = withoutComments(source(file))
    const codeAlone = withoutComments(withoutTexts(file))
    for (const { what, rooms, say, inTexts = true } of atTheDoor) {
      const found = what.exec(inTexts ? code : codeAlone)
      assert.ok(rooms.includes(room(path)) || !found, `src/${path}: ${say} (${found?.[0]})`)
    }
  })
}

test('the plan has no room that is not built', () => {
  assert.deepEqual(Object.keys(plan).sort(), [...new Set(files.map((file) => room(relative('src', file))))].sort())
})

test('no file imports itself by way of others', () => {
  const arrows = new Map(files.map((file) => [file, importsOf(file).filter((to) => to.startsWith('.')).map((to) => join(dirname(file), to))])) // prettier-ignore
  const done = new Set<string>()
  const walk = (file: string, path: string[]): void => {
    assert.ok(!path.includes(file), `a circle: ${[...path.slice(path.indexOf(file)), file].join(' -> ')}`)
    if (!done.has(file)) for (const next of arrows.get(file) ?? []) walk(next, [...path, file])
    done.add(file)
  }
  for (const file of files) walk(file, [])
})

test('no file has a name that says nothing', () => {
  const vague = files.filter((file) => /\/(?:utils?|types|helpers?|common|misc|index)\.ts$/.test(file))
  assert.deepEqual(vague, [], 'name a file after what stands in it')
})
