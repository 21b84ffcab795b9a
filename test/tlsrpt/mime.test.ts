import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeContent, readLeaves, type Leaf } from '../../src/tlsrpt/mime.ts'

const limits = { mimeDepth: 10, mimeParts: 50, headerBytes: 256 * 1024 }

const leavesOf = async (header: string[], body: string[]) => {
  const bytes = [header, body].map((lines) => Buffer.from(lines.map((line) => `${line}\r\n`).join('')))
  const tree = await readLeaves(Buffer.concat([bytes[0]!, Buffer.from('\r\n')]), bytes[1]!, limits)
  assert.ok(tree.kind === 'leaves', JSON.stringify(tree))
  return tree.leaves.map((leaf) => ({ ...leaf, encoded: leaf.encoded.toString() }))
}

test('the leaves of a mail are told in order, each with its labels and its bytes as they came', async () => {
  const leaves = await leavesOf(
    ['Content-Type: multipart/mixed; boundary=A'],
    ['--A', 'Content-Type: multipart/alternative; boundary=B', '']
      .concat(['--B', '', 'plain', '--B', 'Content-Type: Text/HTML', '', '<p>', '--B--'])
      .concat([
        '--A',
        'Content-Type: application/gzip; name=x.gz',
        'Content-Transfer-Encoding: BASE64 (yes)',
        '',
        'AA==',
      ])
      .concat([
        '--A',
        'Content-Type: a/b',
        'Content-Type: c/d',
        'Content-Disposition: attachment',
        '',
        'one',
        'two',
        '--A--',
      ]),
  )
  const plain = { encoding: '', repeatedFields: false }
  assert.deepEqual(leaves, [
    { ...plain, mediaType: 'text/plain', depth: 2, encoded: 'plain' },
    { ...plain, mediaType: 'text/html', depth: 2, encoded: '<p>' },
    { ...plain, mediaType: 'application/gzip', fileName: 'x.gz', encoding: 'base64', depth: 1, encoded: 'AA==' },
    { mediaType: 'a/b', encoding: '', repeatedFields: true, depth: 1, encoded: 'one\r\ntwo' },
  ])
})

test('a message that is no multipart is one leaf of depth 0', async () => {
  const leaf = { mediaType: 'text/plain', encoding: '', repeatedFields: false, depth: 0, encoded: 'x\r\n' }
  assert.deepEqual(await leavesOf([], ['x']), [leaf])
  assert.deepEqual(await leavesOf(['Content-Type: message/rfc822'], ['A: b', '', 'x']), [
    { ...leaf, mediaType: 'message/rfc822', encoded: 'A: b\r\n\r\nx\r\n' },
  ])
})

const decode = (encoding: string, encoded: string) =>
  decodeContent({ encoding, encoded: Buffer.from(encoded, 'latin1'), depth: 1, repeatedFields: false } satisfies Leaf)

test('quoted-printable is decoded leniently', () => {
  const contents: [string, string][] = [
    ['{"a":1}', '{"a":1}'],
    ['=7B"a":=\r\n1=7d', '{"a":1}'],
    ['{"a":=  \t\r\n1}', '{"a":1}'],
    ['{"a":1}   \t\r\n\t\r\n', '{"a":1}\n\n'],
    ['a \t b', 'a \t b'],
    ['{"a":"=ZZ= =4"}', '{"a":"=ZZ= =4"}'],
    ['a=\nb', 'ab'],
    ['a=', 'a'],
    ['a=  ', 'a'],
    ['a=4', 'a=4'],
    ['', ''],
  ]
  for (const [content, expected] of contents)
    assert.equal(decode('quoted-printable', content).toString(), expected, content)
})

test('quoted-printable of any bytes gives those bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.boolean(), (bytes, lower) => {
      const hex = [...bytes].map((byte) => `=${byte.toString(16).padStart(2, '0')}`)
      const lines = hex.map((octet, i) => (i % 20 === 19 ? `${octet}=\r\n` : octet)).join('')
      assert.deepEqual(decode('quoted-printable', lower ? lines : lines.toUpperCase()), Buffer.from(bytes))
    }),
  )
})

test('an encoding that is not known leaves the bytes as they are', () => {
  for (const encoding of ['', '7bit', '8bit', 'binary', 'x-uuencode'])
    assert.equal(decode(encoding, '=41 QQ==').toString(), '=41 QQ==')
})
