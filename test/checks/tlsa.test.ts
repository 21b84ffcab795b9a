/** RFC 6698, held against what OpenSSL makes of the same certificate. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { associationData, formatTlsa, matchesChain, unusableBecause } from '../../src/checks/tlsa.ts'

const der = new X509Certificate(`
-----BEGIN CERTIFICATE-----
MIIBmTCCAT6gAwIBAgIUdY7s3kqJuezySogXOACDxcU4wzIwCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKbXguZXhhbXBsZTAgFw0yNjExMjIwNzQzMDNaGA8yMTI2MTAy
OTA3NDMwM1owFTETMBEGA1UEAwwKbXguZXhhbXBsZTBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABJFkH9JLR1UlHdX66Hg9lp/a3S2Sw27rP+tt3CQ/XCXOZouxHLQy
U8nHbZR8Kxfm3VXV7Y/K4LSjnAi6PM2RSYejajBoMB0GA1UdDgQWBBQRUzkgg+gx
TIzC8E+jvMktEWfZHjAfBgNVHSMEGDAWgBQRUzkgg+gxTIzC8E+jvMktEWfZHjAP
BgNVHRMBAf8EBTADAQH/MBUGA1UdEQQOMAyCCm14LmV4YW1wbGUwCgYIKoZIzj0E
AwIDSQAwRgIhAK5/poXWw4MTfWrGC05py7mdrdJ8Jodzz6FoY6O6g0NlAiEA0WEM
GeQtTAa7CRyOGKHT5fzoAFWOG/ir5oCk9M3sXzM=
-----END CERTIFICATE-----`).raw
const publicKey = '3059301306072a8648ce3d020106082a8648ce3d0301070342000491641fd24b4755251dd5fae8783d969fdadd2d92c36eeb3feb6ddc243f5c25ce668bb11cb43253c9c76d947c2b17e6dd55d5ed8fcae0b4a39c08ba3ccd914987' // prettier-ignore
const expected: [selector: number, matchingType: number, hex: string][] = [
  [0, 0, der.toString('hex')],
  [0, 1, '3a311acb5eb9e01252e70a91a37cf9c5ec4a109f5e7927fadb08bedd43a390b0'],
  [0, 2, '89e8c16fa913ae44b4f2fcb205a1b8af33bd3c1ca062f990353c1db7d33498982bdb03bba6929d23bc0646339198722305f1029944bdbdf72d3d021e91118931'], // prettier-ignore
  [1, 0, publicKey],
  [1, 1, '5b9cb8328e69502bcc8ab9cfc1bb21a4e839350f6ce8df78eb8de0a7e2804123'],
  [1, 2, '1ef4aac9cd495c3e2dac8977de1fbc02783d58bbd25d353783e57ac213dc9525104067770bb5d3488f7f1ad447974500abdbd384644d15ba6596ab983e9d50b2'], // prettier-ignore
]

for (const [selector, matchingType, hex] of expected) {
  test(`selector ${selector} with matching type ${matchingType} is what OpenSSL makes of it, and matches`, () => {
    assert.equal(associationData(der, selector, matchingType)?.toString('hex'), hex)
    const record = { usage: 3, selector, matchingType, data: Buffer.from(hex, 'hex') }
    assert.equal(unusableBecause(record), undefined)
    assert.ok(matchesChain(record, [der]))
    assert.ok(!matchesChain({ ...record, data: Buffer.from(hex.replace(/^../, 'ff'), 'hex') }, [der]))
    assert.equal(formatTlsa(record), `3 ${selector} ${matchingType} ${hex}`)
  })
}

test('usage 3 is for the leaf, usage 2 for what stands above it', () => {
  const record = { selector: 1, matchingType: 1, data: associationData(der, 1, 1)! }
  const other = Buffer.from('not a certificate')
  assert.ok(matchesChain({ usage: 3, ...record }, [der, other]))
  assert.ok(!matchesChain({ usage: 3, ...record }, [other, der]))
  assert.ok(matchesChain({ usage: 2, ...record }, [other, der]))
  assert.ok(!matchesChain({ usage: 2, ...record }, [der]))
  assert.ok(!matchesChain({ usage: 3, ...record }, []))
})

test('what SMTP does not use is named', () => {
  const data = Buffer.alloc(32)
  const good = { usage: 3, selector: 1, matchingType: 1, data }
  for (const change of [
    { usage: 0 },
    { usage: 1 },
    { usage: 255 },
    { selector: 2 },
    { matchingType: 3 },
    { matchingType: 2 },
    { data: Buffer.alloc(31) },
    { matchingType: 0, data: Buffer.alloc(0) },
  ]) {
    assert.match(unusableBecause({ ...good, ...change }) ?? '', /./, JSON.stringify(change))
  }
})
