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
  'addresses.ts': { may: ['ipaddr.js'], because: 'addresses are values' },
  tlsrpt: {
    may: ['zod', 'mailparser', 'tldts', 'node:net'],
    because: 'RFC 8460 is values in, values out',
  },
  dkim: { may: ['tldts', 'node:net'], because: 'RFC 6376 is mathematics; the resolver is passed in' },
  store: {
    may: [
      ...['tlsrpt', 'pg', 'pg-copy-streams', 'zod', 'ipaddr.js'],
      ...['node:fs', 'node:fs/promises', 'node:child_process', 'node:os', 'node:net', 'node:readline'],
    ],
    because: 'it holds the only SQL, and knows no caller',
  },
  'ingest.ts': {
    may: ['tlsrpt', 'dkim', 'store', 'gate.ts', 'limits.ts', 'addresses.ts'],
    because: 'the road knows no transport',
  },
  transport: {
    may: [
      ...['ingest.ts', 'tlsrpt', 'limits.ts', 'addresses.ts', 'smtp-server', 'fastify', 'selfsigned', 'ipaddr.js'],
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
        'limits.ts',
        'addresses.ts',
        'zod',
        'fastify',
        'fastify-type-provider-zod',
        'node:http',
        'node:net',
      ],
      ...['@fastify/helmet', '@fastify/rate-limit', '@fastify/swagger'],
    ],
    because:
      'a route parses the query, asks the store and answers; of the road it knows the types, for upload and replay',
  },
  dns: {
    may: ['dkim', 'dns-packet', 'node:dgram', 'node:dns', 'node:net'],
    because: 'it is the real resolver, in the shape that dkim/ asks for',
  },
  'config.ts': {
    may: ['limits.ts', 'tlsrpt', 'zod', 'ipaddr.js', 'node:os'],
    because: 'it is the environment as one checked value',
  },
  'secrets.ts': { may: [], because: 'it is text in, text out' },
  'readiness.ts': { may: ['store'], because: 'it waits for the database' },
  'watchdog.ts': { may: ['node:perf_hooks'], because: 'it looks at the event loop and at nothing else' },
  'metrics.ts': {
    may: ['ingest.ts', 'store', 'tlsrpt', 'prom-client'],
    because: 'it counts what it is told, and knows of the house only types',
  },
  'road.ts': {
    may: ['ingest.ts', 'gate.ts', 'config.ts', 'dns', 'dkim', 'tlsrpt', 'store', 'pino', 'uuid'],
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
        'config.ts',
        'limits.ts',
        'addresses.ts',
      ],
      ...['tlsrpt', 'store', 'transport', 'api'],
      ...['pino', 'uuid', 'node:fs/promises', 'node:net'],
    ],
    because: 'it wires everything and does nothing itself',
  },
  commands: {
    may: [
      ...['config.ts', 'service.ts', 'road.ts', 'ingest.ts', 'store', 'tlsrpt', 'transport', 'pino'],
      ...['cli-progress', 'node:fs', 'node:fs/promises'],
    ],
    because: 'a command does one thing to the store',
  },
  demo: {
    may: [
      'config.ts',
      'service.ts',
      'dkim',
      'pino',
      'nodemailer',
      'node:fs/promises',
      'node:https',
      'node:net',
      'node:os',
    ],
    because: 'it is a sender and a reader: it uses the sockets and the API',
  },
  'main.ts': {
    may: ['commands', 'config.ts', 'demo', 'secrets.ts', 'service.ts', 'commander', 'pino'],
    because: 'it is the command line',
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
  { what: /\bDate\.now\(|\bnew Date\(\)/, rooms: ['main.ts'], say: 'the clock is passed in' },
  { what: /\bfetch\(/, rooms: ['demo'], say: 'the service calls nobody' },
  {
    what: /\b(?:select\s[^;]*\sfrom\s|insert\sinto\s|delete\sfrom\s)/i,
    rooms: ['store'],
    say: 'SQL stands in src/store',
  },
]

const room = (path: string) => path.split('/')[0]!
const files = globSync('src/**/*.ts')
const source = (file: string) => readFileSync(file, 'utf8')
const importsOf = (file: string) => ts.preProcessFile(source(file)).importedFiles.map(({ fileName }) => fileName)
const withoutComments = (code: string) => code.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(?:^|\s)\/\/.*$/gm, '')

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
    for (const { what, rooms, say } of atTheDoor) {
      assert.ok(rooms.includes(room(path)) || !what.test(code), `src/${path}: ${say} (${what.exec(code)?.[0]})`)
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
