import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { lookOf, unzip, type Unzipped } from '../../src/tlsrpt/gzip.ts'

const limits = { compressedBytes: 8 * 1024 * 1024, jsonBytes: 20 * 1024 * 1024 }
const json = Buffer.from('{"report-id":"r-1"}')
const zipped = gzipSync(json)
const outcome = (unzipped: Unzipped) =>
  unzipped.kind === 'unzipped'
    ? `${unzipped.layers}: ${unzipped.bytes.toString()}`
    : `${unzipped.kind} ${unzipped.reason}`
const outcomeOf = async (bytes: Buffer, within = limits) => outcome(await unzip(bytes, within))

/** RFC 1952 §2.3: a member whose header carries the flag's optional field. */
function withHeaderField(flag: number, field: Buffer): Buffer {
  const header = Buffer.from(zipped.subarray(0, 10))
  header[3] = flag
  return Buffer.concat([header, field, zipped.subarray(10)])
}

test('bytes are known by their beginning, behind a byte order mark and blanks', () => {
  const looks: [string, string][] = [
    ['{"a":1}', 'object'],
    ['\xef\xbb\xbf \r\n\t{', 'object'],
    ['[1]', 'value'],
    ['"x"', 'value'],
    ['-5', 'value'],
    ['null', 'value'],
    ['true\n', 'value'],
    ['nullx', 'other'],
    ['NaN', 'other'],
    ['-x', 'other'],
    ['hello', 'other'],
    ['<?xml version="1.0"?>', 'other'],
    ['\x1f', 'other'],
    ['\xff\xfe{\0', 'other'],
    ['', 'empty'],
    ['\xef\xbb\xbf \n', 'empty'],
    ['PK\x03\x04', 'zip'],
    ['\x1f\x8b', 'gzip'],
  ]
  for (const [text, look] of looks) assert.equal(lookOf(Buffer.from(text, 'latin1')), look, JSON.stringify(text))
})

test('what is no gzip comes back untouched', async () => {
  assert.equal(await outcomeOf(json), `0: ${json.toString()}`)
  assert.equal(await outcomeOf(Buffer.from('hello')), '0: hello')
})

test('one and two layers are taken away, three are refused', async () => {
  assert.equal(await outcomeOf(zipped), `1: ${json.toString()}`)
  assert.equal(await outcomeOf(gzipSync(zipped)), `2: ${json.toString()}`)
  assert.equal(await outcomeOf(gzipSync(gzipSync(zipped))), 'malformed gzip-too-deep')
})

test('members that follow one another are one content', async () => {
  assert.equal(await outcomeOf(Buffer.concat([gzipSync('{"a":'), gzipSync('1}')])), '1: {"a":1}')
})

test('zeros may pad the end; anything else behind it is an error', async () => {
  assert.equal(await outcomeOf(Buffer.concat([zipped, Buffer.alloc(512)])), `1: ${json.toString()}`)
  assert.equal(await outcomeOf(Buffer.concat([zipped, Buffer.from('PK..')])), 'malformed gzip-broken')
})

test('truncated gzip is told from damaged gzip', async () => {
  for (const cut of [2, 5, 10, zipped.length >> 1, zipped.length - 8, zipped.length - 1]) {
    assert.equal(await outcomeOf(zipped.subarray(0, cut)), 'malformed gzip-truncated', String(cut))
  }
  for (const damaged of [zipped.length - 8, zipped.length - 1]) {
    const bytes = Buffer.from(zipped) // The CRC-32, then ISIZE.
    bytes[damaged]! ^= 0xff
    assert.equal(await outcomeOf(bytes), 'malformed gzip-broken', String(damaged))
  }
})

test('other compressions are not unpacked', async () => {
  for (const pack of [deflateSync, deflateRawSync, brotliCompressSync, zstdCompressSync]) {
    const unzipped = await unzip(pack(json), limits)
    assert.ok(unzipped.kind === 'unzipped' && unzipped.layers === 0 && lookOf(unzipped.bytes) === 'other', pack.name)
  }
})

test('a gzip header may carry long fields', async () => {
  const name = Buffer.concat([Buffer.alloc(5 * 1024 * 1024, 'n'), Buffer.alloc(1)])
  assert.equal(await outcomeOf(withHeaderField(8, name)), `1: ${json.toString()}`)
  const extra = Buffer.concat([Buffer.from([0xff, 0xff]), Buffer.alloc(0xffff)])
  assert.equal(await outcomeOf(withHeaderField(4, extra)), `1: ${json.toString()}`)
})

test('what comes out may have just as many bytes as allowed, on the event loop and off it', async () => {
  const most = { compressedBytes: 1024 * 1024, jsonBytes: 300_000 }
  for (const level of [constants.Z_NO_COMPRESSION, constants.Z_BEST_COMPRESSION]) {
    const fits = await unzip(gzipSync(Buffer.alloc(most.jsonBytes, ' '), { level }), most)
    assert.ok(fits.kind === 'unzipped' && fits.bytes.length === most.jsonBytes)
    assert.equal(
      await outcomeOf(gzipSync(Buffer.alloc(most.jsonBytes + 1, ' '), { level }), most),
      'too-large unpacked-too-large',
    )
  }
  assert.ok((await unzip(Buffer.alloc(most.jsonBytes), most)).kind === 'unzipped')
  assert.equal(await outcomeOf(Buffer.alloc(most.jsonBytes + 1), most), 'too-large unpacked-too-large')
  assert.equal(await outcomeOf(zipped, { ...most, jsonBytes: 0 }), 'too-large unpacked-too-large')
})

test('what is unzipped may have just as many bytes as allowed, in either layer', async () => {
  const twice = gzipSync(zipped)
  const longer = Math.max(zipped.length, twice.length)
  assert.equal(await outcomeOf(twice, { ...limits, compressedBytes: longer }), `2: ${json.toString()}`)
  assert.equal(
    await outcomeOf(zipped, { ...limits, compressedBytes: zipped.length - 1 }),
    'too-large compressed-too-large',
  )
  const hollow = gzipSync(gzipSync(Buffer.alloc(100_000), { level: constants.Z_NO_COMPRESSION }))
  assert.equal(await outcomeOf(hollow, { ...limits, compressedBytes: 1000 }), 'too-large compressed-too-large')
})

test('a bomb is stopped at the limit', async (t) => {
  const bombs = {
    '512 MiB of zeros': Buffer.concat(Array<Buffer>(16).fill(gzipSync(Buffer.alloc(32 * 1024 * 1024)))),
    '64 MiB of zeros in one member': gzipSync(Buffer.alloc(64 * 1024 * 1024), { level: 9 }),
    'a report and 100 MiB of blanks': gzipSync(Buffer.concat([json, Buffer.alloc(100 * 1024 * 1024, ' ')])),
  }
  for (const [name, bomb] of Object.entries(bombs)) {
    const start = performance.now()
    assert.equal(await outcomeOf(bomb), 'too-large unpacked-too-large', name)
    t.diagnostic(`${name}: ${(performance.now() - start).toFixed(0)} ms`)
  }
})

test('half a million empty members cost no time to speak of', async (t) => {
  const empty = gzipSync('')
  const bytes = Buffer.concat([Buffer.alloc(400_000 * empty.length, empty), zipped])
  const start = performance.now()
  assert.equal(await outcomeOf(bytes), `1: ${json.toString()}`)
  const took = performance.now() - start
  t.diagnostic(`${took.toFixed(0)} ms`)
  assert.ok(took < 2000)
})

test('layers end after the second even where there is always another one', async () => {
  let layers = json
  for (let i = 0; i < 20; i++) layers = gzipSync(layers)
  assert.equal(await outcomeOf(layers), 'malformed gzip-too-deep')
})
