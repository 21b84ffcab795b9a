/** What the API answers at one and ten million failure details, against the statement alone and the least there is to read. */
import { summarize, timeseries } from '../../src/store/aggregates.ts'
import type { Dimension, Filters } from '../../src/store/question.ts'
import { listReports, type ReportPosition } from '../../src/store/reports.ts'
import { median, type Bench, type Figure, type Scenario } from '../bench.ts'
import { startReceiver, type Receiver } from '../receiver.ts'
import { startRelay, type Relay } from '../relay.ts'
import { ask, askText, byRound, timed } from '../timing.ts'
import { worldOf, type World } from '../world.ts'

export const queriesScenario: Scenario = {
  name: 'queries',
  run: async (bench) => [...(await measure(bench, 1_000_000)), ...(await measure(bench, 10_000_000))],
}

/** The same question in three ways. Without `floor` nothing less can be asked that tells anything. */
type Question = {
  what: string
  path: string
  statement: () => Promise<unknown>
  floor?: { text: string; values: unknown[]; atMost?: number }
}

/** What takes too long is to be measured, not cut off. */
const patient = JSON.stringify({ statementMs: 60_000, queryMs: 65_000 })

async function measure(bench: Bench, details: number): Promise<Figure[]> {
  const world = await worldOf(bench, details)
  const relay = await startRelay(world.url)
  try {
    return await measureBy(relay, bench, world)
  } finally {
    await relay.close()
  }
}

async function measureBy(relay: Relay, bench: Bench, world: World): Promise<Figure[]> {
  const receiver = await startReceiver({ databaseUrl: relay.url, env: { LIMITS: patient } })
  await makeFloorIndexes(world)
  try {
    bench.say(`questions at ${millions(world)}: warming up`)
    await warmUp(receiver, world)
    const figures: Figure[] = []
    const added: number[] = []
    for (const { what, path, statement, floor } of await questions(world, receiver)) {
      bench.say(`${what} at ${millions(world)}`)
      const isSlow = path.includes('group_by=result_type') && !path.includes('&domain=') // All facts of the window.
      const besides: number[] = [] // What a request took beside its longest statement, the rounds that do not count first.
      const rounds = await byRound(isSlow ? 1 : 15, {
        api: async () => {
          relay.mark()
          const whole = await timed(() => askText(receiver, `${path}&from=${world.window.from}&to=${world.window.to}`))
          besides.push(whole - relay.longest())
        },
        statement,
        floor: () => world.db.query(floor?.text ?? 'select 1', floor?.values ?? []),
      })
      const times = { api: median(rounds.api), statement: median(rounds.statement), floor: median(rounds.floor) }
      const byApi = median(besides.slice(-rounds.api.length))
      if (!isSlow) added.push(byApi) // One round has no p50.
      const { atMost } = floor ?? {}
      figures.push({
        what: `${what}, ${millions(world)}`,
        value: times.statement,
        unit: 'ms',
        ...(floor && { floor: times.floor }),
        ...(atMost !== undefined && { target: { of: 'ratio', atMost } as const }),
        note: `by the API ${times.api.toFixed(2)} ms, of which the API ${byApi.toFixed(2)}`,
      })
    }
    figures.push({
      what: `the most that the API adds, ${millions(world)}`,
      value: Math.max(...added),
      unit: 'ms',
      target: { of: 'value', atMost: 3 },
      note: 'p50 of what a request takes beside its longest statement, of the questions above but those over all facts',
    })
    return figures
  } finally {
    await receiver.stop()
    await world.db.query('drop index bench_detail_floor, bench_total_floor')
  }
}

/** Until then V8 still compiles what all questions have in common, and what a page of rows takes. */
async function warmUp(receiver: Receiver, { window, domains }: World): Promise<void> {
  const of = `from=${window.from}&to=${window.to}`
  for (let i = 0; i < 300; i++) {
    await ask(receiver, `summary?group_by=result_type,receiving_mx_hostname&domain=${domains.small}&${of}`)
    await ask(receiver, `reports?limit=100&${of}`)
  }
}

const millions = ({ details }: World): string => `${details / 1_000_000} M`

/** For index-only sums of the compared domains; for nobody else, so that they cost and change little. */
async function makeFloorIndexes({ db, domains }: World): Promise<void> {
  const some = Object.values(domains)
    .map((domain) => `'${domain}'`)
    .join(', ')
  const of = `(domain, day) include`
  await db.query(
    `create index bench_detail_floor on failure_detail ${of} (failed_session_count) where domain in (${some})`,
  )
  await db.query(`create index bench_total_floor on day_total ${of} (failed) where domain in (${some})`)
}

async function questions(world: World, receiver: Receiver): Promise<Question[]> {
  const { db, window, domains } = world
  const numbers = { window, trust: 'verified', visible: undefined } as const
  const summary = (groupBy: Dimension[], filters: Filters, limit = 101) => {
    const orderBy = { column: 'failed', descending: true } as const
    return () => summarize(db, { ...numbers, filters, groupBy, orderBy, limit, offset: 0 })
  }
  const ofWindow = 'day >= $1 and day < $2'
  const days = [window.from, window.to]
  const ofDomain = (column: string, table: string, domain: string, atMost: number) => ({
    text: `select sum(${column}) from ${table} where ${ofWindow} and domain = $3`,
    values: [...days, domain],
    atMost,
  })
  const byMx: Dimension[] = ['result_type', 'receiving_mx_hostname']
  const deep = await walkDeep(world, receiver)
  const reports = (after: ReportPosition | undefined) => () =>
    listReports(db, { window, trust: 'any', filters: {}, visible: undefined, limit: 101 }, after)
  return [
    ...Object.entries(domains).map(([name, domain]) => ({
      what: `result types x MX of a ${name} domain`,
      path: `summary?group_by=${byMx.join(',')}&domain=${domain}`,
      statement: summary(byMx, { domain: [domain] }),
      floor: ofDomain('failed_session_count', 'failure_detail', domain, 2.3),
    })),
    {
      what: 'daily series of the biggest domain',
      path: `timeseries?domain=${domains.biggest}`,
      statement: () =>
        timeseries(db, {
          ...numbers,
          filters: { domain: [domains.biggest] },
          interval: 'day',
          splitBy: undefined,
          maxRows: 20_000,
        }),
      floor: ofDomain('failed', 'day_total', domains.biggest, 3),
    },
    {
      what: 'top 20 domains',
      path: 'summary?group_by=domain&limit=20',
      statement: summary(['domain'], {}, 21),
      floor: { text: `select sum(failed) from day_total where ${ofWindow}`, values: days, atMost: 2.5 },
    },
    {
      what: 'result types over all domains',
      path: 'summary?group_by=result_type',
      statement: summary(['result_type'], {}),
      floor: { text: `select sum(failed_session_count) from failure_detail where ${ofWindow}`, values: days },
    },
    { what: 'first page of reports', path: 'reports?limit=100', statement: reports(undefined) },
    {
      what: 'deep page of reports',
      path: `reports?limit=100&cursor=${deep.cursor}`,
      statement: reports(deep.position),
    },
  ]
}

const deepPages = 20

/** Where the page after ten thousand reports starts. */
async function walkDeep({ window }: World, receiver: Receiver): Promise<{ cursor: string; position: ReportPosition }> {
  type Page = { data: { day: string; key: string }[]; page: { next_cursor: string } }
  const path = `reports?limit=500&from=${window.from}&to=${window.to}`
  let page = (await ask(receiver, path)) as Page
  for (let i = 1; i < deepPages; i++) page = (await ask(receiver, `${path}&cursor=${page.page.next_cursor}`)) as Page
  const { day, key } = page.data.at(-1)!
  return { cursor: page.page.next_cursor, position: [day, key] }
}
