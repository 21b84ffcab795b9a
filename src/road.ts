/** The road from the bytes into the store, wired for one database: the service stands on it, and every command that judges. */
import type { Logger } from 'pino'
import type { Config } from './config.ts'
import type { ResolveTxt } from './dkim/verify.ts'
import type { LookUp } from './dns/look-up.ts'
import { makeResolveTxt } from './dns/txt.ts'
import { makeGate } from './gate.ts'
import { makeIngest, makeReplay, type Ingest, type Replay } from './ingest.ts'
import { keyAt } from './keys.ts'
import { makeReadLarge } from './read-large.ts'
import type { Database } from './store/database.ts'
import { makeOwnDomains, type OwnDomains } from './store/domains.ts'
import { makeRecorder, type Recorder, type RecorderOptions } from './store/recorder.ts'
import { makeArchive } from './store/replay.ts'
import { covering } from './tlsrpt/ownership.ts'

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
