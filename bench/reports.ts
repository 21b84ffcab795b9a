/** Reports as senders write them (RFC 8460 §4.4), each its own, in sizes that are said; the same ones in every run. */
import { constants, crc32, deflateRawSync, gzipSync } from 'node:zlib'
import { resultTypes } from '../src/tlsrpt/result-types.ts'

export type Size = 'typical' | number

/** Numbers in [0, 1) that only look random: the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const policyDomains = 5_000
const reporters = 30

/** Few domains get many reports: a share of 1/rank, roughly. */
const skewed = (random: () => number): number => Math.floor(policyDomains ** random()) - 1

const pick = <T>(list: readonly T[], random: () => number): T => list[Math.floor(random() * list.length)]!

/**
 * `count` different reports as JSON text. 'typical' ones have 1.1 kB, 1.3 policies and 2.5 failure details on average; a
 * number is that many details in one policy. They are about the last week, most senders being late by a day at least.
 */
export function makeReports(count: number, size: Size, now = new Date(), seed = 1): string[] {
  const random = seeded(seed)
  return Array.from({ length: count }, (_, i) => {
    const day = new Date(now.getTime() - (1 + (i % 7)) * 24 * 3_600_000).toISOString().slice(0, 10)
    return JSON.stringify(makeReport(`${seed}_${i}`, size, day, random))
  })
}

export const gzipReports = (reports: readonly string[]): Buffer[] => reports.map((report) => gzipSync(report))

/**
 * Ever new reports at next to no cost: only the report-id is made anew, and stands in the deflate stream as it is (RFC 1951
 * §3.2.4) between two blocks that are made once.
 */
export function* uniqueBodies(seed: number, size: Size = 'typical'): Generator<Buffer, never> {
  const reports = makeReports(templatesOf(size), size, new Date(), seed)
  const templates = reports.map((report) => report.split(idMark(report)).map((text) => Buffer.from(text)))
  const blocks = templates.map(([before, after]) => ({
    before: Buffer.concat([gzipHeader, deflateRawSync(before!, { finishFlush: constants.Z_SYNC_FLUSH })]),
    after: deflateRawSync(after!),
  }))
  for (let i = 0; ; i++) {
    const [before, after] = templates[i % templates.length]! as [Buffer, Buffer]
    const block = blocks[i % blocks.length]!
    const id = Buffer.from(`unique ${seed} ${i}`)
    const trailer = Buffer.alloc(8)
    trailer.writeUInt32LE(crc32(after, crc32(id, crc32(before))), 0)
    trailer.writeUInt32LE(before.length + id.length + after.length, 4)
    yield Buffer.concat([block.before, storedBlock(id), block.after, trailer])
  }
}

/** As many as differ for all that matters, and are made in half a second. */
const templatesOf = (size: Size): number => (size === 'typical' ? 2_000 : Math.ceil(10_000 / size))

/** RFC 1952 §2.3: deflate, no name, no time. */
const gzipHeader = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])

/** Not compressed: a tenth of what zlib takes to begin. */
function storedBlock(data: Buffer): Buffer {
  const header = Buffer.alloc(5) // Not the last block, of type 00.
  header.writeUInt16LE(data.length, 1)
  header.writeUInt16LE(0xffff - data.length, 3)
  return Buffer.concat([header, data])
}

const idMark = (report: string): string => (JSON.parse(report) as { 'report-id': string })['report-id']

function makeReport(id: string, size: Size, day: string, random: () => number): object {
  const domain = `domain${skewed(random)}.example`
  const reporter = Math.floor(random() * reporters)
  const details = size === 'typical' ? pick([0, 1, 2, 2, 3, 3, 3, 6], random) : size
  const policies = [makePolicy('sts', domain, details, random)]
  if (size === 'typical' && random() < 0.3) policies.push(makePolicy('no-policy-found', domain, 0, random))
  return {
    'organization-name': `Sender ${reporter} Inc.`,
    'date-range': { 'start-datetime': `${day}T00:00:00Z`, 'end-datetime': `${day}T23:59:59Z` },
    'contact-info': `smtp-tls-reporting@sender${reporter}.example`,
    'report-id': `${day}T00:00:00Z_${domain}_${id}`,
    policies,
  }
}

function makePolicy(type: string, domain: string, count: number, random: () => number): object {
  const failureDetails = Array.from({ length: count }, (_, i) => ({
    'result-type': pick(resultTypes, random).name,
    'sending-mta-ip': random() < 0.7 ? `192.0.2.${i % 250}` : `2001:db8::${(i % 60_000).toString(16)}`,
    'receiving-mx-hostname': `mx${i % 3}.${domain}`,
    'receiving-ip': `198.51.100.${i % 3}`,
    'failed-session-count': 1 + Math.floor(random() * 20),
  }))
  const failed = failureDetails.reduce((sum, detail) => sum + detail['failed-session-count'], 0)
  return {
    policy: {
      'policy-type': type,
      ...(type === 'sts' && {
        'policy-string': ['version: STSv1', 'mode: testing', `mx: *.${domain}`, 'max_age: 604800'],
        'mx-host': [`*.${domain}`],
      }),
      'policy-domain': domain,
    },
    summary: {
      'total-successful-session-count': Math.floor(random() * 5_000),
      'total-failure-session-count': failed,
    },
    ...(count > 0 && { 'failure-details': failureDetails }),
  }
}
