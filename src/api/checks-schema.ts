/** A check as JSON (src/checks/check.ts, src/checks/observed.ts). */
import { z } from 'zod'

export const severities = ['ok', 'advice', 'warning', 'error'] as const

const findingSchema = z
  .strictObject({
    code: z.string().describe('Stable, kebab-case.'),
    severity: z.enum(severities),
    subject: z.string().describe('What it is about: a name of the DNS, an MX host, or one with an address behind it.'),
    sentence: z.string(),
    evidence: z.array(z.string()).describe('What was seen, a line each. Untrusted text.'),
    fix: z.string().optional(),
    value: z.string().optional().describe('To be copied as it stands.'),
  })
  .meta({ id: 'Finding' })

const certificateSchema = z
  .object({
    names: z.array(z.string()),
    issuer: z.string(),
    valid_from: z.iso.datetime(),
    valid_to: z.iso.datetime(),
    fingerprint: z.string().describe('SHA-256 of the certificate, hex.'),
    public_key_fingerprint: z.string().describe('SHA-256 of its public key, hex.'),
    problems: z.array(z.string()),
  })
  .meta({ id: 'CertificateObserved' })

const addressSchema = z.object({
  address: z.string(),
  greeting: z.string().optional(),
  offers_starttls: z.boolean().optional(),
  tls_version: z.string().optional(),
  certificate: certificateSchema.optional(),
  unseen: z.string().optional().describe('Why it could not be seen.'),
})

const mxSchema = z
  .object({
    host: z.string(),
    preference: z.int(),
    patterns: z.array(z.string()).describe('Those of the policy that cover it.'),
    enforce: z.string().describe('What a sender would do with it in mode enforce.'),
    addresses: z.array(addressSchema),
    tlsa: z.array(z.string()).optional(),
    unseen: z.string().optional(),
  })
  .meta({ id: 'MxObserved' })

const observedSchema = z
  .object({
    sts_record: z.object({ records: z.array(z.string()), aliases: z.array(z.string()), id: z.string().optional() }).optional(), // prettier-ignore
    policy: z
      .object({
        text: z.string(),
        sha256: z.string(),
        fetched: z.boolean().describe('Whether a sender would read it.'),
        valid: z.boolean(),
        mode: z.string().optional(),
        max_age: z.number().optional().describe('Seconds.'),
        mx: z.array(z.string()),
      })
      .optional(),
    policy_host: z.object({
      host: z.string(),
      address: z.string().optional(),
      status: z.int().optional(),
      certificate: certificateSchema.optional(),
      unseen: z.string().optional(),
    }),
    mx: z.array(mxSchema).optional(),
    tlsrpt_record: z.object({ records: z.array(z.string()), aliases: z.array(z.string()), rua: z.array(z.string()) }).optional(), // prettier-ignore
  })
  .meta({ id: 'Observed', description: 'What was seen; absent is what could not be told. Untrusted text.' })

const heading = {
  key: z.uuid(),
  domain: z.string(),
  started_at: z.iso.datetime(),
  ended_at: z.iso.datetime(),
  severity: z.enum(severities).describe('The weightiest of the findings.'),
  asked_by: z.string().nullable().describe('Name of the token; null: the daily check.'),
}

export const checkRowSchema = z
  .strictObject({
    ...heading,
    errors: z.int().describe('Findings of this severity.'),
    warnings: z.int(),
    advice: z.int(),
  })
  .meta({ id: 'CheckRow' })

export const changeSchema = z
  .strictObject({ code: z.string(), subject: z.string(), sentence: z.string() })
  .meta({ id: 'Change' })

export const checkSchema = z
  .strictObject({
    ...heading,
    findings: z.array(findingSchema),
    observed: observedSchema,
    changes: z.array(changeSchema).describe('Since the check before it.'),
    previous_key: z.uuid().nullable(),
  })
  .meta({ id: 'Check' })
