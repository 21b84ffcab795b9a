/** GET /v1/domains/{domain}/readiness: "can I enforce?" (RFC 8461 §5). */
import { z } from 'zod'
import { judgeReadiness } from '../checks/enforce-readiness.ts'
import { enforceEvidence } from '../store/enforce-evidence.ts'
import { lastCheck } from '../store/checks.ts'
import { toJson } from './json.ts'
import { notFound, problems } from './problem.ts'
import { domainParameter, readWindow, windowParameters, windowSchema } from './query.ts'
import type { Api, ApiDeps } from './route.ts'

/** A week of a small domain; and one sender alone may be wrong, or have somebody in between. */
const defaults = { minSessions: 100, minReporters: 2 }

const readinessSchema = z
  .strictObject({
    domain: z.string(),
    verdict: z.enum(['ready', 'not-ready', 'not-enough-evidence']),
    mode: z.enum(['enforce', 'testing', 'none']).optional().describe('Of the policy published now.'),
    blockers: z.array(z.strictObject({ code: z.string(), sentence: z.string(), fix: z.string() })),
    clean: z
      .strictObject({ since: z.iso.date(), sessions: z.int(), reporters: z.array(z.string()) })
      .describe('Successful sessions since the last failure, under the policy published now, by known reporters.'),
    would_have_been_refused: z
      .strictObject({
        sessions: z.int(),
        of: z.array(
          z.strictObject({
            result_type: z.string().describe('`unattributed`: failed sessions of which no report gives a detail.'),
            mx: z.string().optional(),
            sessions: z.int(),
            reporters: z.array(z.string()),
            last_seen: z.iso.date(),
          }),
        ),
      })
      .describe(
        'In the window, had senders enforced. Under DANE and MTA-STS they may be the same sessions: the larger count stands.',
      ),
    edits: z
      .strictObject({ policy: z.string(), record: z.string() })
      .optional()
      .describe(
        'The policy file in mode enforce, and the TXT record at `_mta-sts.DOMAIN` with a new id. Absent where there is no policy to change, or it is enforced already.',
      ),
    checked_at: z.iso.datetime().nullable(),
    thresholds: z.strictObject({ min_sessions: z.int(), min_reporters: z.int() }),
    window: windowSchema,
  })
  .meta({ id: 'Readiness' })

export function addReadiness(app: Api, { db, ownDomains, now }: ApiDeps): void {
  app.get(
    '/v1/domains/:domain/readiness',
    {
      schema: {
        tags: ['checks'],
        summary: 'Whether it is safe to enforce MTA-STS',
        description:
          'By verified reports of known reporters under the policy published now, and by the last check; never from hope. Every failure that an enforcing sender would turn into refused mail stands in the way until one of the reporters that told of it tells of a later day without it, and enough sessions succeeded since.',
        params: z.strictObject({ domain: domainParameter }),
        querystring: z.strictObject({
          min_sessions: z.coerce
            .number()
            .int()
            .min(1)
            .max(1_000_000)
            .default(defaults.minSessions)
            .describe('Successful sessions since the last failure that are enough.'),
          min_reporters: z.coerce
            .number()
            .int()
            .min(1)
            .max(100)
            .default(defaults.minReporters)
            .describe('Reporters among them that are enough.'),
          ...windowParameters,
        }),
        response: { 200: readinessSchema, ...problems(400, 401, 404) },
      },
    },
    async ({ params: { domain }, query, caller: { visible } }) => {
      const isKnown = visible ? visible.includes(domain) : await isOurs(domain)
      if (!isKnown) throw notFound('There is no such domain.')
      const window = readWindow(query, now())
      const thresholds = { minSessions: query.min_sessions, minReporters: query.min_reporters }
      const last = await lastCheck(db, domain)
      const evidence = await enforceEvidence(db, domain, window)
      const readiness = judgeReadiness(domain, evidence, last?.check, window, thresholds, now())
      return {
        domain,
        ...(toJson(readiness) as Omit<
          z.output<typeof readinessSchema>,
          'domain' | 'checked_at' | 'thresholds' | 'window'
        >),
        checked_at: last?.check.endedAt ?? null,
        thresholds: { min_sessions: thresholds.minSessions, min_reporters: thresholds.minReporters },
        window,
      }
    },
  )

  /** Under POLICY_DOMAINS=* any domain may be. */
  const isOurs = async (domain: string): Promise<boolean> =>
    ownDomains.any || (await ownDomains.list()).some((own) => own.domain === domain)
}
