/** The parameters that routes share: windows, filters and trust. What is wrong with one is a 400 that names it. */
import { z } from 'zod'
import type { Dimension, Filters, Window } from '../store/question.ts'
import { daysAfter, utcDay } from '../tlsrpt/dates.ts'
import { domainName, hostName } from '../tlsrpt/domain-name.ts'
import type { Transport } from '../tlsrpt/submission.ts'
import { badParameter } from './problem.ts'

/** A UTC day that Postgres takes, too. */
export const daySchema = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d(?:T00:00:00(?:\.0+)?(?:Z|[+-]00:00))?$/, 'must be YYYY-MM-DD, or a UTC midnight by RFC 3339')
  .transform((text) => text.slice(0, 10))
  .pipe(z.iso.date('is no date of the calendar'))
  .refine((date) => date >= '1970', 'must be 1970 or later')

export const windowParameters = {
  from: daySchema.optional().describe('First UTC day, `YYYY-MM-DD`. Default: 30 days before `to`.'),
  to: daySchema.optional().describe('The UTC day after the last one. Default: tomorrow, so that today is included.'),
}

const maxDays = 3_653 // Ten years.

/** [from, to) with the defaults filled in; throws a 400 where it is empty or over ten years. */
export function readWindow(query: { from?: string | undefined; to?: string | undefined }, now: Date): Window {
  const to = query.to ?? daysAfter(utcDay(now), 1)
  const from = query.from ?? daysAfter(to, -30)
  if (from >= to) throw badParameter('from', `must be before \`to\`, which is ${to}`)
  if (daysAfter(from, maxDays) < to) throw badParameter('from', 'must be within ten years of `to`')
  return { from, to }
}

export const windowSchema = z
  .strictObject({ from: z.iso.date(), to: z.iso.date() })
  .meta({ id: 'Window', description: 'Whole UTC days, [from, to).' })

const maxValues = 100

/** A parameter that may be repeated. */
export const many = <S extends z.ZodType<unknown, string>>(value: S, description: string) =>
  z
    .preprocess(
      (given: unknown) => [given].flat(),
      z.array(value).max(maxValues, `may be repeated up to ${maxValues} times`),
    )
    .optional()
    .describe(`${description} May be repeated: any of the values.`)

type Read = (text: string) => string | undefined

const plain: Read = (text) => (text.includes('\0') ? undefined : text)
const lowerCase: Read = (text) => plain(text.trim().toLowerCase())
const host: Read = (text) => plain(hostName(text))
const address: Read = (text) => (isRange.safeParse(text).success ? text : undefined)
const isRange = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()])

/** A value in the spelling of the store. */
const spelled = <Value>(read: (text: string) => Value | undefined, expected: string) =>
  z
    .string()
    .max(1_024)
    .transform((text, context) => {
      const value = read(text)
      if (value === undefined) context.addIssue(`must be ${expected}`)
      return value === undefined ? z.NEVER : value
    })

const required = (read: Read, expected: string) => spelled((text) => (text === '' ? undefined : read(text)), expected)

/** An empty value stands for what the sender did not say. */
const orAbsent = (read: Read, expected: string) => spelled((text) => (text === '' ? null : read(text)), expected)

const unsaid = 'An empty value finds what has none.'
export const transports = ['smtp', 'https', 'file'] as const satisfies readonly Transport[]

export const domainParameter = required(domainName, 'a domain name').describe('In any spelling: upper case, U-labels, final dot.') // prettier-ignore

/** Filters by their names in the store. */
export const filterParameters = {
  domain: many(domainParameter, 'Domain of ours.'),
  policy_domain: many(
    domainParameter,
    'Policy domain as the sender had it: ours, a subdomain, or with DANE the MX host.',
  ),
  policy_type: many(
    required(lowerCase, 'a policy type'),
    '`sts`, `tlsa`, `no-policy-found`, or what a sender made up.',
  ),
  policy_mode: many(orAbsent(lowerCase, 'a policy mode'), `Mode of an STS policy. ${unsaid}`),
  organization: many(
    orAbsent(plain, 'text'),
    `organization-name, a label anyone can write; exactly as written. ${unsaid}`,
  ),
  reporter: many(orAbsent(domainName, 'a domain name'), `Organisational domain behind the DKIM signature. ${unsaid}`),
  transport: many(z.enum(transports), 'How it came.'),
  day: many(daySchema, 'UTC day on which the report starts.'),
  week: many(daySchema, 'Week by its Monday.'),
  month: many(daySchema, 'Month by its first day.'),
  result_type: many(required(lowerCase, 'a result type'), 'See `/v1/result-types`; senders may make up others.'),
  receiving_mx_hostname: many(orAbsent(host, 'a host name'), `MX that failed, in any spelling. ${unsaid}`),
  sending_mta_ip: many(orAbsent(address, 'an address or CIDR'), `Address or CIDR that could not send. ${unsaid}`),
  receiving_ip: many(orAbsent(address, 'an address or CIDR'), `Address or CIDR that was connected to. ${unsaid}`),
  failure_reason_code: many(orAbsent(plain, 'text'), `As the sender wrote it. ${unsaid}`),
} satisfies Partial<Record<Dimension, z.ZodType>>

export const reportIdParameter = many(required(plain, 'text'), 'report-id, exactly as written.')

export const anomalyParameter = many(
  required(lowerCase, 'a code'),
  'Code of something odd about it, such as `organization-name-missing`.',
)

export const reasonParameter = many(
  required(lowerCase, 'a reason'),
  'Finer than the verdict, such as `no-signature-passes`.',
)

/** For closed vocabularies. */
export const oneOf = <const Word extends string>(words: readonly Word[], description: string) =>
  many(z.enum(words), description)

const trusts = ['verified', 'unverified', 'any'] as const

export const trustParameter = z.enum(trusts)

/** What of a parsed query filters the facts. */
export function readFilters(query: {
  [Name in keyof typeof filterParameters]?: (string | null)[] | undefined
}): Filters {
  const names = Object.keys(filterParameters) as (keyof typeof filterParameters)[]
  return given(Object.fromEntries(names.map((name) => [name, query[name]])) as Filters)
}

/** The members that are not undefined. */
export const given = <T extends object>(members: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as never

export const keyParameter = (description: string) => many(z.uuid('must be a key'), description)

/** Not checked here: to what cannot be a key of ours the answer is the 404 of any other unknown one. */
export const keyPath = z.strictObject({ key: z.string().describe('A UUID.') })

export const isKey = (text: string): boolean => z.uuid().safeParse(text).success
