/** The spine: unwrap -> parse -> authenticate -> judge -> record. Every report takes this road, whatever the transport. */
import { networkOf } from './addresses.ts'
import { verifyDkim, type DkimResult, type ResolveTxt } from './dkim/verify.ts'
import type { Gate, Leave } from './gate.ts'
import type { Limits } from './limits.ts'
import { orQuarantine, type DefectLog } from './quarantine.ts'
import { makeReadInTurn } from './read-in-turn.ts'
import type { OwnDomains } from './store/domains.ts'
import type { Arrival, JudgedPart } from './store/arrivals.ts'
import { isDiskFull } from './store/database.ts'
import type { ReadLarge } from './read-large.ts'
import type { Recorder } from './store/recorder.ts'
import type { Archive, JudgedAgain } from './store/replay.ts'
import type { ArrivalPlace } from './store/stored-arrivals.ts'
import { authenticate, isAligned, reportingDomain } from './tlsrpt/authenticate.ts'
import { judge, type Evidence, type JudgeSettings } from './tlsrpt/judge.ts'
import { makeOwnership, type Ownership } from './tlsrpt/ownership.ts'
import type { Parsed } from './tlsrpt/parse.ts'
import type { Read, ReadPart } from './tlsrpt/read.ts'
import type { Provenance, Refusal, Submission } from './tlsrpt/submission.ts'
import { policyDomainOfFileName, policyDomainOfSubject, type MailFacts } from './tlsrpt/unwrap.ts'
import type { Deferred, Outcome, Quarantined } from './tlsrpt/verdict.ts'

/**
 * What every transport calls. One outcome for each report part; a bad report is an outcome, not an error. Whatever is
 * not 'deferred' is committed when it resolves. Rejects only when our own world is broken (the database): then nothing
 * is known to be stored, and the sender is to try again (RFC 8460 §5.5).
 */
export type Ingest = (submission: Submission) => Promise<Outcome[]>

export type IngestDeps = {
  resolveTxt: ResolveTxt
  ownDomains: OwnDomains
  recorder: Recorder
  dkimPolicy: JudgeSettings['dkimPolicy']
  reportRetentionDays: number
  gate: Gate
  readLarge: ReadLarge
  limits: Limits
  /** Hears of defects of ours, and of refusals that could not be kept. */
  log: DefectLog
}

export function makeIngest(deps: IngestDeps): Ingest {
  const readInTurn = makeReadInTurn(deps)
  return async (submission) => {
    const arrived = deps.recorder.announce()
    let leave: Leave | undefined
    try {
      await deps.gate.together()
      const taken = await readInTurn(submission) // Unwrap, parse.
      if (taken === undefined) return [overloaded]
      leave = taken.leave
      const examined = await authenticateParts(submission, taken.read, [], deps)
      const parts = await judgeParts(examined, deps)
      const deferred = deferredOf(parts)
      if (deferred.length > 0) return deferred // If one part has to wait, the whole mail comes again.
      arrived()
      return await record(submission, parts as JudgedPart[], deps)
    } finally {
      arrived()
      leave?.()
    }
  }
}

const overloaded: Deferred = { kind: 'deferred', reason: 'overloaded' }

/**
 * Judges what has arrived once more, by today's code and domains. What its signatures came to on the day of arrival
 * stands: by today's keys an archive proves nothing. Only signatures that nobody had reason to look at, since there was
 * no readable report, are verified now. One answer for each part (store/replay.ts); 'expired' when the bytes are gone.
 */
export type Replay = (place: ArrivalPlace) => Promise<Replayed>
export type Replayed = { kind: 'judged'; parts: JudgedAgain[] } | { kind: 'expired' } | Deferred

type ReplayDeps = Omit<IngestDeps, 'recorder'> & { archive: Archive }

export function makeReplay({ archive, ...deps }: ReplayDeps): Replay {
  const readInTurn = makeReadInTurn(deps)
  return async (place) => {
    const arrival = await archive.read(place)
    if (!arrival) return { kind: 'expired' }
    const taken = await readInTurn(arrival.submission)
    if (taken === undefined) return overloaded
    const { read, leave } = taken
    try {
      const examined = await authenticateParts(arrival.submission, read, arrival.dkim as DkimResult[], deps)
      const parts = await judgeParts(examined, deps)
      const deferred = deferredOf(parts)[0]
      if (deferred) return deferred
      const judged = await archive.recordAgain(arrival, parts as JudgedPart[])
      if (!judged) return { kind: 'expired' }
      return 'kind' in judged ? judged : { kind: 'judged', parts: judged }
    } finally {
      leave()
    }
  }
}

const deferredOf = (parts: Judged[]): Deferred[] =>
  parts.flatMap(({ judgement }) => (judgement.kind === 'deferred' ? judgement : []))

/** What is known of one report part before anybody asks whose it is. */
type Examined = { known: Evidence | Refusal | Quarantined | Deferred; dkim: DkimResult[] }

type ExamineDeps = Pick<IngestDeps, 'resolveTxt' | 'limits' | 'log'>

/** `archived` is what the signatures came to before; those of [] are verified now. */
async function authenticateParts(
  submission: Submission,
  read: Read | Quarantined,
  archived: DkimResult[],
  deps: ExamineDeps,
): Promise<Examined[]> {
  if (read.kind !== 'read') return [{ known: read, dkim: archived }]
  const { parts, mail } = read
  const examined = await orQuarantine(async () => {
    const verified = mail && archived.length === 0
    const dkim = verified ? await verifySignatures(submission, mail, parts.map(({ parsed }) => parsed), deps) : archived // prettier-ignore
    return parts.map(({ parsed, ...part }) => ({
      known: parsed.kind === 'parsed' ? evidence(submission, part, parsed, mail, dkim) : parsed,
      dkim,
    }))
  }, deps.log)
  return Array.isArray(examined) ? examined : [{ known: examined, dkim: archived }]
}

/** No report, no look-ups: only what parsed is worth a DNS question. */
async function verifySignatures(
  { raw, arrivedAt, provenance }: Submission,
  mail: MailFacts,
  parsed: Parsed[],
  { limits, resolveTxt }: ExamineDeps,
): Promise<DkimResult[]> {
  const reporting = parsed.flatMap((outcome) =>
    outcome.kind === 'parsed' ? (reportingDomain(outcome.report.contactInfo, mail) ?? []) : [],
  )
  if (reporting.length === 0) return []
  const judgedAt = provenance.transport === 'file' ? (mail.receivedAt ?? arrivedAt) : arrivedAt
  return verifyDkim(raw, resolveTxt, judgedAt, (domain) => reporting.some((other) => isAligned(domain, other)), {
    signatures: limits.dkimSignatures,
    lookups: limits.dkimLookups,
    clockSkewSeconds: limits.dkimClockSkewSeconds,
    futureSeconds: limits.dkimFutureSeconds,
  })
}

function evidence(
  submission: Submission,
  part: Omit<ReadPart, 'parsed'>,
  { report, anomalies }: Parsed & { kind: 'parsed' },
  mail: MailFacts | undefined,
  dkim: DkimResult[],
): Evidence {
  const authentication = mail && authenticate(report.contactInfo, mail, dkim)
  const domainIsSigned =
    authentication?.kind === 'verified' && authentication.signature.signedHeaders.includes('tls-report-domain')
  const hints = {
    signedReportDomain: domainIsSigned ? mail?.tlsReportDomain : undefined,
    fileName: part.fileName === undefined ? undefined : policyDomainOfFileName(part.fileName),
    subject: mail?.subject === undefined ? undefined : policyDomainOfSubject(mail.subject),
  }
  return {
    submission,
    report,
    anomalies: [...part.anomalies, ...anomalies],
    ...(authentication && { authentication }),
    hints,
  }
}

type Judged = { judgement: JudgedPart['judgement'] | Deferred; dkim: DkimResult[] }

async function judgeParts(examined: Examined[], deps: Omit<IngestDeps, 'recorder'>): Promise<Judged[]> {
  const { ownDomains, dkimPolicy, reportRetentionDays, limits } = deps
  const judgeAll = (ownership: Ownership) =>
    examined.map(({ known, dkim }) => {
      const settings = { ownership, dkimPolicy, reportRetentionDays, plausibleSessions: limits.plausibleSessions }
      return { judgement: 'kind' in known ? known : judge(known, settings), dkim }
    })
  if (examined.every(({ known }) => 'kind' in known)) return judgeAll(makeOwnership([], false)) // Nobody asks whose.
  const parts = judgeAll(await ownDomains.ownership())
  if (!parts.some(({ judgement }) => judgement.kind === 'not-ours')) return parts
  return judgeAll(await ownDomains.refresh()) // A domain added a moment ago must not cost a report.
}

/** A refusal stands even where it cannot be kept just now; whatever we would have to answer for must be committed. */
async function record(submission: Submission, parts: JudgedPart[], { recorder, log }: IngestDeps): Promise<Outcome[]> {
  const arrival: Arrival = { submission, source: sourceOf(submission.provenance), parts }
  const refusals = parts.flatMap(({ judgement }) => ('problems' in judgement ? judgement : []))
  try {
    return await recorder.record(arrival)
  } catch (error) {
    if (refusals.length < parts.length) {
      if (!isDiskFull(error)) throw error
      log.error({ err: error }, 'the disk of the database is full')
      return [{ kind: 'deferred', reason: 'disk-full' }]
    }
    log.error({ err: error }, 'a refusal could not be kept')
    return refusals
  }
}

/** Whom to blame for much refused data: the sender's network, because addresses are cheap. */
const sourceOf = (provenance: Provenance): string =>
  provenance.transport === 'file' ? 'file' : networkOf(provenance.peerAddress)
