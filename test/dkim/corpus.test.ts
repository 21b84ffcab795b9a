import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { test } from 'node:test'
import { verifyDkim } from '../../src/dkim/verify.ts'
import type { Zone } from './fixtures.ts'
import { limits, tell, zoneResolver } from './fixtures.ts'

/** Lies beside the repository, not in it: some of it is under other people's licences. */
const corpus = new URL('../../../shared/corpus/', import.meta.url)
const skip = !existsSync(corpus)
const files = globSync('signed/*.eml', { cwd: corpus })

function readZone(path: string): Zone {
  return JSON.parse(readFileSync(new URL(path, corpus), 'utf8')) as Zone
}

/** Everything counts as aligned: alignment is not what is looked at here. */
async function tellCorpus(message: Buffer, zone: Zone, now: string): Promise<string[]> {
  const results = await verifyDkim(message, zoneResolver(zone).resolveTxt, new Date(now), () => true, limits)
  return results.map((result) => `${result.domain}: ${tell(result)}`)
}

const told: Record<string, string[]> = {
  'bad-body-modified': ['sender.example: fail: body-hash-mismatch'],
  'bad-foreign-domain': ['evil.example: pass'],
  'bad-header-modified': ['sender.example: fail: signature-mismatch'],
  'bad-i-subdomain-with-t-s': ['sender.example: pass but identity-mismatch'],
  'bad-l-tag': ['sender.example: pass but body-length-limited'],
  'bad-no-key': ['sender.example: permerror: no-key'],
  'bad-service-email-only': ['sender.example: pass but service-type'],
  'bad-unsigned': [],
  'ok-default-service': ['sender.example: pass'],
  'ok-ed25519': ['sender.example: pass'],
  'ok-relaxed-simple': ['sender.example: pass'],
  'ok-rsa1024': ['sender.example: pass'],
  'ok-s-tlsrpt': ['sender.example: pass'],
  'ok-service-list-star': ['sender.example: pass'],
  'ok-signed-by-subdomain': ['mta7.sender.example: pass'],
  'ok-tls-headers-unsigned': ['sender.example: pass'],
  'warn-test-flag': ['sender.example: pass but testing'],
}

test('every signed sample is there and told', { skip }, () => {
  assert.deepEqual(files.map((file) => basename(file, '.eml')).sort(), Object.keys(told))
})

for (const file of files) {
  const name = basename(file, '.eml')
  test(`the signed sample ${name}`, async () => {
    const message = readFileSync(new URL(file, corpus))
    assert.deepEqual(await tellCorpus(message, readZone('signed/zone.json'), '2026-03-02T12:00:00Z'), told[name])
  })
}

test('a report that Google sent in 2022 passes', { skip }, async () => {
  const message = readFileSync(new URL('real/mox-example.eml', corpus))
  const results = await tellCorpus(message, readZone('real/dkim-zone.json'), '2022-09-16T10:10:07Z')
  assert.deepEqual(results, ['google.com: pass'])
})

const rfc8463 = `DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=test; t=1528637909; h=from : to : subject :
 date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3
 DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz
 dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
`

test('both signatures of the sample in RFC 8463 appendix A.3 pass', { skip }, async () => {
  const message = Buffer.from(rfc8463.replaceAll('\n', '\r\n'))
  const { resolveTxt } = zoneResolver(readZone('real/dkim-zone.json'))
  const results = await verifyDkim(message, resolveTxt, new Date('2018-06-10T13:38:29Z'), () => false, limits)
  assert.deepEqual(
    results.map((result) => [result.algorithm, tell(result), result.keyBits]),
    [
      ['ed25519-sha256', 'pass', undefined],
      ['rsa-sha256', 'pass', 1024],
    ],
  )
})
