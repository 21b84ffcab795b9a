/** The road from the bytes into the store, wired for one database: the service stands on it, and every command that judges. */
import { randomFillSync } from 'node:crypto'
import type { Logger } from 'pino'
import { v7 as uuidv7 } from 'uuid'
import type { Config } from './config.ts'
import type { ResolveTxt } from './dkim/verify.ts'
import type { LookUp } from './dns/look-up.ts'
import { makeResolveTxt } from './dns/txt.ts'
import { makeGate } from './gate.ts'
import { makeIngest, makeReplay, type Ingest, type Replay } from './ingest.ts'
import { makeReadLarge } from './read-large.ts'
import type { Database } from './store/database.ts'
import { makeOwnDomains, type OwnDomains } from './store/domains.ts'
import { makeRecorder, type Recorder, type RecorderOptions } from './store/recorder.ts'
import { makeArchive } from './store/replay.ts'
import type { OwnDomain } from './tlsrpt/ownership.ts'

/** What the demo and the tests may put in place of the real world. */
export type World = { now: () => Date; resolveTxt?: ResolveTxt; lookUp?: LookUp }

export type Road = { ingest: Ingest; replay: Replay; ownDomains: OwnDomains; recorder: Recorder }

/** Whoever asked for it closes its recorder. */
export function makeRoad(
  db: Database,
  config: Config,
  log: Logger,
  world: World,
  hear: Pick<RecorderOptions, 'onCommit'> = {},
): Road {
  const { limits } = config
  const recording = { limits, newKey: keyAt }
  const recorder = makeRecorder(db, { ...recording, ...hear })
  const ownDomains = makeOwnDomains(db, config.policyDomains.map(covering), config.anyPolicyDomain, world.now)
  const judging = {
    resolveTxt: world.resolveTxt ?? makeResolveTxt(config.dnsServers, limits, () => performance.now()),
    ownDomains,
    dkimPolicy: config.dkimPolicy,
    reportRetentionDays: config.retention.reportDays,
    gate: makeGate(limits),
    readLarge: makeReadLarge(limits),
    limits,
    log,
  }
  return {
    ingest: makeIngest({ ...judging, recorder }),
    replay: makeReplay({ ...judging, archive: makeArchive(db, recording) }),
    ownDomains,
    recorder,
  }
}

const randomBytesOfKey = 16
/** Asking for random bytes costs 4 us, however few: they are fetched for many keys at once. */
const randomPool = Buffer.alloc(256 * randomBytesOfKey)
let randomUsed = randomPool.length
/** RFC 9562 §6.2: counted on within a millisecond, from a random number of 31 bits. */
let [lastMs, sequence] = [-1, 0]

/** Of a submission, an arrival, a report or a check: keys are in order of time, and of one time in that of their making. */
export function keyAt(at: Date): string {
  if (randomUsed === randomPool.length) {
    randomFillSync(randomPool)
    randomUsed = 0
  }
  const random = randomPool.subarray(randomUsed, (randomUsed += randomBytesOfKey))
  const msecs = at.getTime()
  sequence = msecs === lastMs ? sequence + 1 : random.readUInt32BE() >>> 1
  lastMs = msecs
  return uuidv7({ msecs, random, seq: sequence })
}

/** A domain of POLICY_DOMAINS: with its subdomains; a variable cannot name hosts. */
export const covering = (domain: string): OwnDomain => ({ domain, includeSubdomains: true, mx: [] })
