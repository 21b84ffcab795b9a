/** The spine: unwrap -> parse -> authenticate -> judge -> record. Every report takes this road, whatever the transport. */
import { networkOf } from './addresses.ts'
import { verifyDkim, type DkimResult, type ResolveTxt } from './dkim/verify.ts'
import type { Limits } from './limits.ts'
import type { OwnDomains } from './store/domains.ts'
import type { Arrival, JudgedPart } from './store/arrivals.ts'
import type { Recorder } from './store/recorder.ts'
import type { Archive, ArrivalPlace, JudgedAgain } from './store/replay.ts'
import { authenticate, isAligned, reportingDomain } from './tlsrpt/authenticate.ts'
import { judge, type Evidence, type JudgeSettings } from './tlsrpt/judge.ts'
import { makeOwnership, type Ownership } from './tlsrpt/ownership.ts'
import { parseReport, type Parsed } from './tlsrpt/parse.ts'
import type { Provenance, Refusal, Submission } from './tlsrpt/submission.ts'
import { policyDomainOfFileName, policyDomainOfSubject, unwrap, type MailFacts, type Part } from './tlsrpt/unwrap.ts'
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
  limits: Limits
  /** Hears of defects of ours, and of refusals that could not be kept. */
  log: { error: (context: object, message: string) => void }
}

export function makeIngest(deps: IngestDeps): Ingest {
  return async (submission) => {
    const examined = await examine(submission, [], deps) // Unwrap, parse, authenticate.
    const parts = await judgeParts(examined, deps)
    const deferred = deferredOf(parts)
    if (deferred.length > 0) return deferred // If one part has to wait, the whole mail comes again.
    return record(submission, parts as JudgedPart[], deps)
  }
}

/**
 * Judges what has arrived once more, by today's code and domains. What its signatures came to on the day of arrival
 * stands: by today's keys an archive proves nothing. Only signatures that nobody had reason to look at, since there was
 * no readable report, are verified now. One answer for each part (store/replay.ts); 'expired' when the bytes are gone.
 */
export type Replay = (place: ArrivalPlace) => Promise<Replayed>
export type Replayed = { kind: 'judged'; parts: JudgedAgain[] } | { kind: 'expired' } | Deferred

type ReplayDeps = Omit<IngestDeps, 'recorder'> & { archive: Archive }

export function makeReplay({ archive, ...deps }: ReplayDeps): Replay {
  return async (place) => {
    const arrival = await archive.read(place)
    if (!arrival) return { kind: 'expired' }
    const examined = await examine(arrival.submission, arrival.dkim as DkimResult[], deps)
    const parts = await judgeParts(examined, deps)
    const deferred = deferredOf(parts)[0]
    if (deferred) return deferred
    const judged = await archive.recordAgain(arrival, parts as JudgedPart[])
    if (!judged) return { kind: 'expired' }
    return 'kind' in judged ? judged : { kind: 'judged', parts: judged }
  }
}

const deferredOf = (parts: Judged[]): Deferred[] =>
  parts.flatMap(({ judgement }) => (judgement.kind === 'deferred' ? judgement : []))

/** What is known of one report part before anybody asks whose it is. */
type Examined = { known: Evidence | Refusal | Quarantined; dkim: DkimResult[] }

type ExamineDeps = Pick<IngestDeps, 'resolveTxt' | 'limits' | 'log'>

/** `archived` is what the signatures came to before; those of [] are verified now. */
async function examine(submission: Submission, archived: DkimResult[], deps: ExamineDeps): Promise<Examined[]> {
  try {
    const unwrapped = await unwrap(submission, deps.limits)
    if (unwrapped.kind !== 'unwrapped') return [{ known: unwrapped, dkim: archived }]
    const { parts, mail } = unwrapped
    const parsed = parts.map((part) =>
      part.kind === 'payload' ? parseReport(part.json, submission.arrivedAt, deps.limits) : part,
    )
    const dkim = !mail || archived.length > 0 ? archived : await verifySignatures(submission, mail, parsed, deps)
    return parsed.map((outcome, i) => ({
      known: outcome.kind === 'parsed' ? evidence(submission, parts[i], outcome, mail, dkim) : outcome,
      dkim,
    }))
  } catch (error) {
    deps.log.error({ err: error }, 'a submission made our own code throw; it is quarantined')
    return [{ known: { kind: 'quarantined', reason: 'defect' }, dkim: archived }]
  }
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
  part: Part | undefined,
  { report, anomalies }: Parsed & { kind: 'parsed' },
  mail: MailFacts | undefined,
  dkim: DkimResult[],
): Evidence {
  const payload = part?.kind === 'payload' ? part : undefined
  const authentication = mail && authenticate(report.contactInfo, mail, dkim)
  const domainIsSigned =
    authentication?.kind === 'verified' && authentication.signature.signedHeaders.includes('tls-report-domain')
  const hints = {
    signedReportDomain: domainIsSigned ? mail?.tlsReportDomain : undefined,
    fileName: payload?.fileName === undefined ? undefined : policyDomainOfFileName(payload.fileName),
    subject: mail?.subject === undefined ? undefined : policyDomainOfSubject(mail.subject),
  }
  return {
    submission,
    report,
    anomalies: [...(payload?.anomalies ?? []), ...anomalies],
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
    if (refusals.length < parts.length) throw error
    log.error({ err: error }, 'a refusal could not be kept')
    return refusals
  }
}

/** Whom to blame for much refused data: the sender's network, because addresses are cheap. */
const sourceOf = (provenance: Provenance): string =>
  provenance.transport === 'file' ? 'file' : networkOf(provenance.peerAddress)
