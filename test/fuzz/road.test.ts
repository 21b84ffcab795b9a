/**
 * Spoilt reports and mails down the road, in process. `npm test` tries a few thousand; `npm run fuzz` goes on for minutes,
 * from a seed that it prints (FUZZ_SEED repeats a run, FUZZ_FILE one input).
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { test } from 'node:test'
import { mutate } from '../support/mutate.ts'
import { makeRandom, pick } from '../support/random-numbers.ts'
import { makeFindings, type Sent } from './findings.ts'
import { formOf, seeds, type Input } from './seeds.ts'
import { tryInput } from './trial.ts'

const { FUZZ_MINUTES, FUZZ_SEED, FUZZ_FILE } = process.env
const seed = Number(FUZZ_SEED ?? 1)
const milliseconds = Number(FUZZ_MINUTES ?? 0) * 60_000 * 0.8 // The rest is for the sockets.
const fewest = FUZZ_FILE === undefined ? 2_000 : 0

/** Inputs that were judged in a way not seen before are mutated further; as many as these at most. */
const mostKept = 2_000

test('every seed is judged as it has to be', async () => {
  for (const input of seeds) await tryInput(input)
})

test('whatever is spoilt in a report or a mail, it has one verdict, in time, that the store can take', async () => {
  const random = makeRandom(seed)
  const findings = makeFindings(milliseconds > 0)
  const pool: Input[] = [...seeds]
  const seen = new Set<string>()
  const others = seeds.map(({ bytes }) => bytes)
  const until = performance.now() + milliseconds
  let tried = 0
  for (; tried < fewest || performance.now() < until; tried++) {
    const from = random(3) === 0 ? pick(seeds, random) : pick(pool, random)
    const input = { ...from, bytes: mutate(from.bytes, others, random) }
    const sent: Sent = { bytes: input.bytes, extension: input.form === 'message' ? 'eml' : 'json' }
    findings.begin(sent)
    try {
      const signature = await tryInput(input)
      if (seen.has(signature)) continue
      seen.add(signature)
      if (pool.length < mostKept) pool.push(input)
      else pool[seeds.length + random(mostKept - seeds.length)] = input
    } catch (error) {
      findings.add(sent, error)
    }
  }
  console.log(`FUZZ_SEED=${seed}: ${tried} inputs, judged in ${seen.size} ways`)
  findings.end()
  assert.deepEqual(findings.told, [])
})

test(
  'an input that was found is judged as it has to be',
  { skip: !/\.(?:eml|json)$/.test(FUZZ_FILE ?? '') },
  async () => {
    const file = FUZZ_FILE ?? ''
    await tryInput({ name: basename(file), bytes: readFileSync(file), form: formOf(file) })
  },
)
