/** The pure part of the road by itself: from gzip to a Report, from there to rows, and the check of a signature. */
import { verifyDkim } from '../../src/dkim/verify.ts'
import { defaultLimits } from '../../src/limits.ts'
import { judge } from '../../src/tlsrpt/judge.ts'
import { parseReport } from '../../src/tlsrpt/parse.ts'
import { unwrap } from '../../src/tlsrpt/unwrap.ts'
import { median, type Bench, type Figure, type Scenario } from '../bench.ts'
import { verifyFloor } from '../floors.ts'
import { judgeSettings } from '../judging.ts'
import { makeMailKey, signMails } from '../mails.ts'
import { gzipReports, makeReports, type Size } from '../reports.ts'
import { gunzipSync } from 'node:zlib'

const rounds = 9
/** Of what is told beside and compared with nothing. */
const besideRounds = 3
/** Of each load in a round, so that most of its garbage is collected in its own time and not in that of the next. */
const passes = 4

export const unpackScenario: Scenario = {
  name: 'unpack',
  run: async (bench) => [
    await unpack(bench, 'typical', 2_000, true),
    await unpack(bench, 10, 1_000, false),
    await unpack(bench, 1_000, 20, true),
    await dkim(bench),
  ],
}

/** In turns with its floor: both meet the machine in the same mood. */
async function unpack({ say }: Bench, size: Size, count: number, target: boolean): Promise<Figure> {
  const what = size === 'typical' ? 'typical report' : `report with ${size} failure details`
  say(what)
  const bodies = gzipReports(makeReports(count, size))
  const [ours, judged, floors]: [number[], number[], number[]] = [[], [], []]
  for (let round = -2; round < rounds; round++) {
    const floor = await cpuOf(bodies, (body) => JSON.parse(gunzipSync(body).toString()) as unknown)
    const unpacking = await cpuOf(bodies, (body) => toReport(body))
    if (round < 0) continue // V8 still compiles.
    floors.push(floor)
    ours.push(unpacking)
  }
  for (let round = 0; round < besideRounds; round++) {
    judged.push(await cpuOf(bodies, async (body) => judge(evidenceOf(body, await toReport(body)), judgeSettings)))
  }
  const unpacked = median(ours)
  return {
    what: `${what}, to a Report`,
    value: unpacked,
    unit: 'us',
    floor: median(floors),
    ...(target && { target: { of: 'ratio', atMost: 1.5 } }),
    note: `the floor is gunzip + JSON.parse; judged ${Math.round(median(judged) - unpacked)} us more`,
  }
}

const now = new Date()
const provenance = { transport: 'https', peerAddress: '192.0.2.1' } as const
const submissionOf = (raw: Buffer) => ({ raw, form: 'report', arrivedAt: now, provenance }) as const

async function toReport(body: Buffer) {
  const unwrapped = await unwrap(submissionOf(body), defaultLimits)
  const [part] = unwrapped.kind === 'unwrapped' ? unwrapped.parts : []
  const parsed = part?.kind === 'payload' ? parseReport(part.json, now, defaultLimits) : undefined
  if (parsed?.kind !== 'parsed') throw new Error('a report of the bench is refused')
  return parsed
}

const evidenceOf = (body: Buffer, parsed: Awaited<ReturnType<typeof toReport>>) => ({
  submission: submissionOf(body),
  report: parsed.report,
  anomalies: parsed.anomalies,
  hints: {},
})

/** CPU microseconds an item. */
async function cpuOf(items: readonly Buffer[], work: (item: Buffer) => unknown): Promise<number> {
  const before = process.cpuUsage()
  for (let pass = 0; pass < passes; pass++) {
    for (const item of items) {
      const done = work(item)
      if (done instanceof Promise) await done
    }
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / (passes * items.length)
}

async function dkim({ say }: Bench): Promise<Figure> {
  say('DKIM')
  const key = makeMailKey()
  const mails = await signMails(makeReports(200, 'typical'), key)
  const resolve = () => Promise.resolve({ kind: 'found' as const, records: [key.record] })
  const limits = { signatures: 5, lookups: 10, clockSkewSeconds: 300, futureSeconds: 3_600 }
  const check = async (mail: Buffer) => {
    const [result] = await verifyDkim(mail, resolve, now, () => true, limits)
    if (result?.result !== 'pass')
      throw new Error(`a signature of the bench does not verify: ${JSON.stringify(result)}`)
  }
  const ours: number[] = []
  const floors: number[] = []
  for (let round = 0; round < rounds; round++) {
    floors.push(verifyFloor(key.privateKey, 600))
    ours.push(await cpuOf(mails, check))
  }
  return {
    what: 'DKIM signature, RSA-2048',
    value: median(ours),
    unit: 'us',
    floor: median(floors),
    target: { of: 'ratio', atMost: 3 },
    note: 'the floor is one native RSA-2048 verification',
  }
}
