/** `npm run bench [-- --only NAME] [--json FILE]`: measures, prints one table, and says of every target whether it is met. */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Bench, Scenario } from './bench.ts'
import { machine } from './machine.ts'
import { startServer } from './server.ts'
import { formatTable, toJson, type Measured } from './table.ts'

import { growthScenario } from './scenarios/growth.ts'
import { queriesScenario } from './scenarios/queries.ts'
import { retentionScenario } from './scenarios/retention.ts'
import { importScenario } from './scenarios/import.ts'
import { httpsScenario } from './scenarios/https.ts'
import { smtpScenario } from './scenarios/smtp.ts'
import { storeScenario } from './scenarios/store.ts'
import { togetherScenario } from './scenarios/together.ts'
import { unpackScenario } from './scenarios/unpack.ts'

// Retention comes last: it takes the shared world apart.
const scenarios: Scenario[] = [
  unpackScenario,
  storeScenario,
  httpsScenario,
  smtpScenario,
  importScenario,
  queriesScenario,
  growthScenario,
  togetherScenario,
  retentionScenario,
]

const { values: options } = parseArgs({
  options: { only: { type: 'string', multiple: true }, json: { type: 'string' }, help: { type: 'boolean' } },
})
const unknown = (options.only ?? []).filter((name) => !scenarios.some((scenario) => scenario.name === name))

if (options.help || unknown.length > 0) {
  const names = scenarios.map(({ name }) => name).join(', ')
  console.error(`npm run bench [-- --only NAME ...] [--json FILE]\nNAME is one of: ${names}`)
  process.exitCode = options.help ? 0 : 2
} else {
  const chosen = scenarios.filter(({ name }) => options.only?.includes(name) ?? true)
  process.exitCode = await measure(chosen)
}

/** 0 also where a target is missed: a figure is no failure. 1 where a scenario could not be measured. */
async function measure(chosen: Scenario[]): Promise<number> {
  const startedAt = performance.now()
  const progress = makeProgress()
  const server = await startServer(process.env['DATABASE_URL'])
  const measured: Measured[] = []
  const took: string[] = []
  let failed = false
  try {
    for (const [i, { name, run }] of chosen.entries()) {
      const bench: Bench = { server, say: (what) => progress.show(`${i + 1}/${chosen.length} ${name}: ${what}`) }
      bench.say('')
      const begunAt = performance.now()
      try {
        measured.push(...(await run(bench)).map((figure) => ({ scenario: name, ...figure })))
      } catch (error) {
        failed = true
        progress.clear()
        console.error(`${name} could not be measured:`, error)
      }
      took.push(`${name} ${secondsSince(begunAt)} s`)
    }
  } finally {
    progress.clear()
    await server.stop()
  }
  const about = machine(server)
  console.log(
    `${about.join('\n')}\n\n${formatTable(measured)}\nMeasured in ${secondsSince(startedAt)} s: ${took.join(', ')}.`,
  )
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(toJson(about, measured), null, 2)}\n`)
  return failed ? 1 : 0
}

function secondsSince(startedAt: number): number {
  return Math.round((performance.now() - startedAt) / 1000)
}

/** One line that is written over on a terminal; elsewhere a line for each step. */
function makeProgress(): { show: (text: string) => void; clear: () => void } {
  const { stderr } = process
  if (!stderr.isTTY) return { show: (text) => void stderr.write(`${text}\n`), clear: () => undefined }
  return {
    show: (text) => void stderr.write(`\r\x1b[2K${text.slice(0, stderr.columns - 1)}`),
    clear: () => void stderr.write('\r\x1b[2K'),
  }
}
