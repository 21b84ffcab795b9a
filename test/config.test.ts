import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError, readConfig } from '../src/config.ts'
import { defaultLimits } from '../src/limits.ts'

const problemsOf = (env: Record<string, string>): string[] => {
  try {
    readConfig(env)
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.problems.map((problem) => problem.variable)
  }
}

test('an empty environment is a usable one', () => {
  const config = readConfig({})
  assert.equal(config.databaseUrl, undefined)
  assert.equal(config.smtp.port, 2525)
  assert.equal(config.intake.port, 8443)
  assert.deepEqual(config.api, { host: '127.0.0.1', port: 8080 })
  assert.deepEqual(config.limits, defaultLimits)
  assert.deepEqual(config.retention, { rawDays: 90, reportDays: 400, refusedDays: 14 })
  assert.equal(config.dkimPolicy, 'require')
  assert.deepEqual(config.checks, { allowCidrs: [], smtpPort: 25, httpsPort: 443, arePublic: false })
  assert.deepEqual(config.smtp.ruaAddresses, [`tlsrpt@${config.smtp.hostname}`])
})

test('every bad variable is named, all in one message', () => {
  const bad = {
    DATABASE_URL: 'mysql://x',
    SMTP_PORT: '70000',
    SMTP_HOSTNAME: 'not a host',
    SMTP_RELAYS: '10.0.0.0/33',
    RUA_ADDRESSES: 'nobody',
    POLICY_DOMAINS: 'fine.example, not ok',
    INTAKE_PORT: 'x',
    INTAKE_TLS: 'yes',
    TRUST_PROXY: 'proxy',
    API_PORT: '-1',
    DNS_SERVERS: 'resolver.example',
    DKIM_POLICY: 'off',
    ADMIN_TOKEN: 'short',
    RAW_RETENTION_DAYS: '0',
    REPORT_RETENTION_DAYS: '1.5',
    REFUSED_RETENTION_DAYS: 'never',
    CHECK_ALLOW_CIDRS: '10.0.0.0/33',
    CHECK_SMTP_PORT: '0',
    CHECK_HTTPS_PORT: 'https',
    LIMITS: '{"smtpConections": 5}',
    LIMIT_EXEMPT_CIDRS: '::1/129',
    LOG_LEVEL: 'loud',
  }
  assert.deepEqual(problemsOf(bad).sort(), Object.keys(bad).sort())
})

test('a DNS server is an address, IPv6 in brackets, with a port or without', () => {
  const good = '192.0.2.1, 192.0.2.1:5353, [2001:db8::1], [::1]:53'
  assert.deepEqual(readConfig({ DNS_SERVERS: good }).dnsServers, good.split(', '))
  for (const bad of [
    '::1',
    '192.0.2.300',
    '192.0.2',
    '192.0.2.1:0',
    '192.0.2.1:65536',
    '[192.0.2.1]',
    '[::g]',
    'dns.example:53',
  ]) {
    assert.deepEqual(problemsOf({ DNS_SERVERS: bad }), ['DNS_SERVERS'], bad)
  }
})

test('a certificate without its key, or a key without its certificate, is refused', () => {
  assert.deepEqual(problemsOf({ TLS_CERT_FILE: 'a.pem' }), ['TLS_KEY_FILE'])
  assert.deepEqual(problemsOf({ TLS_KEY_FILE: 'a.pem' }), ['TLS_CERT_FILE'])
})

test('an empty variable counts as unset', () => {
  assert.equal(readConfig({ SMTP_PORT: ' ', DATABASE_URL: '' }).smtp.port, 2525)
})

test('lists are trimmed, domains normalised, the star understood', () => {
  const config = readConfig({ POLICY_DOMAINS: ' MÜNCHEN.example. , a.example,*', RUA_ADDRESSES: 'TlsRpt@Mail.Example' })
  assert.deepEqual(config.policyDomains, ['xn--mnchen-3ya.example', 'a.example'])
  assert.equal(config.anyPolicyDomain, true)
  assert.deepEqual(config.smtp.ruaAddresses, ['tlsrpt@mail.example'])
})

test('checks may be opened to a network, ports and an authority of the operator', () => {
  const env = { CHECK_ALLOW_CIDRS: '10.0.0.0/8, fd00::1', CHECK_SMTP_PORT: '2525', CHECK_HTTPS_PORT: '8443', CHECK_CA_FILE: 'ca.pem' } // prettier-ignore
  assert.deepEqual(readConfig(env).checks, { allowCidrs: ['10.0.0.0/8', 'fd00::1'], smtpPort: 2525, httpsPort: 8443, caFile: 'ca.pem', arePublic: false }) // prettier-ignore
})

test('limits are overridden one by one; unknown keys and unreadable values stop the start', () => {
  assert.deepEqual(readConfig({ LIMITS: '{"mimeParts": 7}' }).limits, { ...defaultLimits, mimeParts: 7 })
  for (const value of [
    '[]',
    'x',
    'null',
    '{"mimeParts": "7"}',
    '{"mimeParts": -1}',
    '{"mimeParts": 1.5}',
    '{"__proto__x": 1}',
  ]) {
    assert.deepEqual(problemsOf({ LIMITS: value }), ['LIMITS'], value)
  }
})

test('the message never repeats a secret', () => {
  const secret = 'hunter2'
  assert.throws(
    () => readConfig({ ADMIN_TOKEN: secret, DATABASE_URL: `mysql://u:${secret}@h/d` }),
    (error: Error) => !error.message.includes(secret),
  )
})
