/** The environment, read once and checked whole. Nothing else in the house knows a variable's name. */
import { hostname } from 'node:os'
import { join } from 'node:path'
import ipaddr from 'ipaddr.js'
import { z } from 'zod'
import { defaultLimits, type Limits } from './limits.ts'
import { domainName } from './tlsrpt/domain-name.ts'

export type Config = {
  /** Absent: the embedded Postgres under `dataDir`. */
  databaseUrl?: string
  /** Whether a database may be used that can lose in a crash what it has committed. */
  acceptDataLoss: boolean
  dataDir: string
  smtp: { host?: string; port: number; hostname: string; relays: Cidr[]; ruaAddresses: string[] }
  /** Domains that are ours by environment; `anyPolicyDomain` is `*`. */
  policyDomains: string[]
  anyPolicyDomain: boolean
  /** `url`: what strangers reach it by, for `rua=`. */
  intake: { host?: string; port: number; tls: boolean; trustProxy: Cidr[]; url?: string }
  api: { host: string; port: number }
  /** Absent: a self-signed certificate is made and kept under `dataDir`. */
  tls?: { certFile: string; keyFile: string }
  /** Absent: the system's resolvers. Each 'host:port'. */
  dnsServers?: string[]
  dkimPolicy: 'require' | 'mark'
  adminToken?: string
  retention: { rawDays: number; reportDays: number; refusedDays: number }
  /** Whom checks may call besides public addresses, on which ports, whose certificates they trust besides; and whether anybody may ask for one. */
  checks: { allowCidrs: Cidr[]; smtpPort: number; httpsPort: number; caFile?: string; arePublic: boolean }
  limits: Limits
  limitExemptCidrs: Cidr[]
  logLevel: LogLevel
}

export type LogLevel = (typeof logLevels)[number]
const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

/** An address range as CIDR text, checked; a bare address is a range of one. */
export type Cidr = string

/** What is wrong with which variable, all of it at once. */
export class ConfigError extends Error {
  readonly problems: { variable: string; message: string }[]
  constructor(problems: { variable: string; message: string }[]) {
    super(['the environment is not usable:', ...problems.map((p) => `  ${p.variable}: ${p.message}`)].join('\n'))
    this.problems = problems
  }
}

const list = (text: string) => text.split(',').map((item) => item.trim()).filter((item) => item !== '') // prettier-ignore

const text = z.string().trim()
const port = text.regex(/^\d+$/, 'must be a port number, 0 for any free one').transform(Number).refine((n) => n <= 65_535, 'must be at most 65535') // prettier-ignore
const remotePort = port.refine((n) => n >= 1, 'must be at least 1')
const days = text.regex(/^\d+$/, 'must be a whole number of days').transform(Number).refine((n) => n >= 1 && n <= 36_500, 'must be 1 to 36500 days') // prettier-ignore
const cidrs = text.transform(list).superRefine((items, context) => {
  for (const item of items) if (!isCidr(item)) context.addIssue(`'${item}' is no address or CIDR`)
})

const isCidr = (item: string) => ipaddr.isValid(item) || ipaddr.isValidCIDR(item)

const ruaAddresses = text.transform((value) => list(value).map((item) => item.toLowerCase())).superRefine((items, context) => {
  for (const item of items) {
    const at = item.lastIndexOf('@')
    if (at < 1 || domainName(item.slice(at + 1)) === undefined || /[\s<>]/.test(item)) context.addIssue(`'${item}' is no mail address`)
  }
}) // prettier-ignore

const policyDomains = text.transform(list).transform((items, context) =>
  items.map((item) => {
    const domain = item === '*' ? '*' : domainName(item)
    if (domain === undefined) context.addIssue(`'${item}' is no domain name`)
    return domain ?? item
  }),
)

const dnsServers = text.transform(list).superRefine((items, context) => {
  for (const item of items) {
    const [, ipv4 = '', ipv6 = '', port = '53'] = /^(?:([\d.]+)|\[(.+)\])(?::(\d+))?$/.exec(item) ?? []
    const isAddress = ipaddr.IPv4.isValidFourPartDecimal(ipv4) || ipaddr.IPv6.isValid(ipv6)
    if (!isAddress || Number(port) < 1 || Number(port) > 65_535) context.addIssue(`'${item}' is no ADDRESS or ADDRESS:PORT`)
  }
}) // prettier-ignore

const intakeUrl = text.refine(
  (value) => /^https:\/\/[^\s,!;]+$/i.test(value) && URL.canParse(value),
  'must be an https:// URL, with , ! and ; percent-encoded',
)

const databaseUrl = text.refine((value) => /^postgres(ql)?:\/\//.test(value), 'must be a postgres:// address')

const limits = text.transform((value, context): Limits => {
  const overrides = parseJson(value)
  if (overrides === undefined) {
    context.addIssue('must be a JSON object')
    return defaultLimits
  }
  for (const [key, limit] of Object.entries(overrides)) {
    if (!Object.hasOwn(defaultLimits, key)) context.addIssue(`unknown limit '${key}'`)
    else if (typeof limit !== 'number' || !Number.isSafeInteger(limit) || limit < 0) context.addIssue(`'${key}' must be a whole number`)
  }
  return { ...defaultLimits, ...(overrides as Partial<Limits>) }
}) // prettier-ignore

function parseJson(value: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(value)
    return typeof json === 'object' && json !== null && !Array.isArray(json)
      ? (json as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/** Variable -> how it is read, in the order of README's table, which a test holds against this. */
export const variables = {
  DATABASE_URL: databaseUrl.optional(),
  ACCEPT_DATA_LOSS: z.enum(['yes', 'no'], "must be 'yes' or 'no'").default('no'),
  DATA_DIR: text.default('./data'),
  SMTP_HOST: text.optional(),
  SMTP_PORT: port.default(2525),
  SMTP_HOSTNAME: text.refine((value) => domainName(value) !== undefined, 'must be a host name').optional(),
  SMTP_RELAYS: cidrs.default([]),
  RUA_ADDRESSES: ruaAddresses.optional(),
  POLICY_DOMAINS: policyDomains.default([]),
  INTAKE_HOST: text.optional(),
  INTAKE_PORT: port.default(8443),
  INTAKE_TLS: z.enum(['on', 'off'], "must be 'on' or 'off'").default('on'),
  INTAKE_URL: intakeUrl.optional(),
  TRUST_PROXY: cidrs.default([]),
  API_HOST: text.default('127.0.0.1'),
  API_PORT: port.default(8080),
  TLS_CERT_FILE: text.optional(),
  TLS_KEY_FILE: text.optional(),
  DNS_SERVERS: dnsServers.optional(),
  DKIM_POLICY: z.enum(['require', 'mark'], "must be 'require' or 'mark'").default('require'),
  ADMIN_TOKEN: text.min(16, 'must have at least 16 characters').optional(),
  RAW_RETENTION_DAYS: days.default(90),
  REPORT_RETENTION_DAYS: days.default(400),
  REFUSED_RETENTION_DAYS: days.default(14),
  CHECK_ALLOW_CIDRS: cidrs.default([]),
  CHECK_SMTP_PORT: remotePort.default(25),
  CHECK_HTTPS_PORT: remotePort.default(443),
  CHECK_CA_FILE: text.optional(),
  PUBLIC_CHECKS: z.enum(['on', 'off'], "must be 'on' or 'off'").default('off'),
  LIMITS: limits.default(defaultLimits),
  LIMIT_EXEMPT_CIDRS: cidrs.default([]),
  LOG_LEVEL: z.enum(logLevels, `must be one of ${logLevels.join(', ')}`).default('info'),
}

/**
 * Reads the variables above out of `env`; an empty one counts as unset. Throws a ConfigError that names every bad
 * variable at once. Reads no file and opens nothing.
 */
export function readConfig(env: Record<string, string | undefined>): Config {
  const given = Object.fromEntries(
    Object.keys(variables).flatMap((name) => (env[name]?.trim() ? [[name, env[name]]] : [])),
  )
  const read = z.object(variables).safeParse(given)
  const problems = (read.error?.issues ?? []).map((issue) => ({
    variable: String(issue.path[0]),
    message: issue.message,
  }))
  if (!!given['TLS_CERT_FILE'] !== !!given['TLS_KEY_FILE']) {
    problems.push({
      variable: given['TLS_CERT_FILE'] ? 'TLS_KEY_FILE' : 'TLS_CERT_FILE',
      message: 'must be set when the other one is',
    })
  }
  if (!read.success || problems.length > 0) throw new ConfigError(problems)
  return arrange(read.data)
}

function arrange(v: z.output<z.ZodObject<typeof variables>>): Config {
  const smtpHostname = v.SMTP_HOSTNAME ?? domainName(hostname()) ?? 'localhost'
  return {
    ...(v.DATABASE_URL !== undefined && { databaseUrl: v.DATABASE_URL }),
    acceptDataLoss: v.ACCEPT_DATA_LOSS === 'yes',
    dataDir: v.DATA_DIR,
    smtp: {
      ...(v.SMTP_HOST !== undefined && { host: v.SMTP_HOST }),
      port: v.SMTP_PORT,
      hostname: smtpHostname,
      relays: v.SMTP_RELAYS,
      ruaAddresses: v.RUA_ADDRESSES ?? [`tlsrpt@${smtpHostname}`],
    },
    policyDomains: v.POLICY_DOMAINS.filter((domain) => domain !== '*'),
    anyPolicyDomain: v.POLICY_DOMAINS.includes('*'),
    intake: {
      ...(v.INTAKE_HOST !== undefined && { host: v.INTAKE_HOST }),
      port: v.INTAKE_PORT,
      tls: v.INTAKE_TLS === 'on',
      trustProxy: v.TRUST_PROXY,
      ...(v.INTAKE_URL !== undefined && { url: v.INTAKE_URL }),
    },
    api: { host: v.API_HOST, port: v.API_PORT },
    ...(v.TLS_CERT_FILE && v.TLS_KEY_FILE && { tls: { certFile: v.TLS_CERT_FILE, keyFile: v.TLS_KEY_FILE } }),
    ...(v.DNS_SERVERS && { dnsServers: v.DNS_SERVERS }),
    dkimPolicy: v.DKIM_POLICY,
    ...(v.ADMIN_TOKEN !== undefined && { adminToken: v.ADMIN_TOKEN }),
    retention: {
      rawDays: v.RAW_RETENTION_DAYS,
      reportDays: v.REPORT_RETENTION_DAYS,
      refusedDays: v.REFUSED_RETENTION_DAYS,
    },
    checks: {
      allowCidrs: v.CHECK_ALLOW_CIDRS,
      smtpPort: v.CHECK_SMTP_PORT,
      httpsPort: v.CHECK_HTTPS_PORT,
      ...(v.CHECK_CA_FILE !== undefined && { caFile: v.CHECK_CA_FILE }),
      arePublic: v.PUBLIC_CHECKS === 'on',
    },
    limits: v.LIMITS,
    limitExemptCidrs: v.LIMIT_EXEMPT_CIDRS,
    logLevel: v.LOG_LEVEL,
  }
}

/** `rua` URIs of this instance, mail first: it is signed, so what comes by it can be verified. */
export const ruaOf = ({ smtp, intake }: Config): string[] => [
  ...smtp.ruaAddresses.map((address) => `mailto:${address}`),
  ...(intake.url === undefined ? [] : [intake.url]),
]

/** Where the admin token is kept when ADMIN_TOKEN does not fix it. */
export const adminTokenFile = (config: Config): string => join(config.dataDir, 'admin-token')

/** What must not be read in a log. */
export function secretsOf({ adminToken, databaseUrl }: Config): string[] {
  const password = databaseUrl === undefined ? undefined : /^[^:]+:\/\/[^:@/]*:(.*)@/.exec(databaseUrl)?.[1]
  const decoded =
    password !== undefined && URL.canParse(`x://:${password}@h`) ? decodeURIComponent(password) : undefined
  return [adminToken, password, decoded].filter((secret) => secret !== undefined)
}
