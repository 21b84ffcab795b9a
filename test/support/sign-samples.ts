/**
 * `node test/support/sign-samples.ts`: signs the mails of samples/ again, after one was changed or added, and writes the
 * key records to samples/zone.json. Private keys are not kept.
 *
 * Each DKIM-Signature says who signs, and what: its a=, c=, d=, s= and h= stay, the rest is computed. A record in the
 * zone keeps its tags and its kind of key; a new name gets a plain one, 2048 bits where it is RSA.
 */
import { createPublicKey } from 'node:crypto'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { keyPair, keyRecord, signDkim, type KeyPair, type SignOptions } from './dkim-signer.ts'

const folder = new URL('../../samples/', import.meta.url)

const oldZone = JSON.parse(read('zone.json')) as Record<string, string>
const zone: Record<string, string> = {}

for (const name of globSync('*.eml', { cwd: folder }).sort()) {
  const expected = JSON.parse(read(`${basename(name, '.eml')}.expected.json`)) as { reason?: string }
  const { signatures, unsigned } = splitMail(read(name))
  for (const tags of signatures) zone[keyNameOf(tags)] ??= freshRecord(tags)
  // Whatever changed this one on its way has to stay in it, below a signature that was good once.
  if (expected.reason === 'body-hash-mismatch') continue
  const signed = signatures.reduceRight<Buffer | string>((mail, tags) => signDkim(mail, options(tags)), unsigned)
  writeFileSync(new URL(name, folder), signed, 'latin1')
}
writeFileSync(new URL('zone.json', folder), `${JSON.stringify(zone, null, 2)}\n`)

type Tags = Record<string, string>

function read(name: string): string {
  return readFileSync(new URL(name, folder), 'latin1')
}

function splitMail(mail: string): { signatures: Tags[]; unsigned: string } {
  const end = mail.indexOf('\r\n\r\n')
  const fields = mail.slice(0, end).split(/\r\n(?![ \t])/)
  const isSignature = (field: string) => /^DKIM-Signature:/i.test(field)
  const others = fields.filter((field) => !isSignature(field))
  return { signatures: fields.filter(isSignature).map(readTags), unsigned: others.join('\r\n') + mail.slice(end) }
}

function readTags(text: string): Tags {
  const list = text.replace(/^DKIM-Signature:/i, '').split(';')
  return Object.fromEntries(list.map((tag) => [tag.split('=', 1)[0]!.trim(), tag.slice(tag.indexOf('=') + 1).trim()]))
}

function keyNameOf(tags: Tags): string {
  return `${tags['s']!}._domainkey.${tags['d']!}`
}

function keyOf(tags: Tags): KeyPair {
  const name = keyNameOf(tags)
  const type = tags['a']!.startsWith('ed25519') ? 'ed25519' : 'rsa'
  const old = readTags(oldZone[name] ?? '')['p']
  const bits = type === 'rsa' && old ? rsaBits(old) : 2048
  return keyPair(type, bits, name)
}

function rsaBits(p: string): number | undefined {
  return createPublicKey({ key: Buffer.from(p, 'base64'), format: 'der', type: 'spki' }).asymmetricKeyDetails
    ?.modulusLength
}

function freshRecord(tags: Tags): string {
  const old = Object.entries(readTags(oldZone[keyNameOf(tags)] ?? 'v=DKIM1'))
  return keyRecord(keyOf(tags), Object.fromEntries(old.filter(([name]) => !['v', 'k', 'p'].includes(name))))
}

function options(tags: Tags): SignOptions {
  return {
    key: keyOf(tags),
    domain: tags['d']!,
    selector: tags['s']!,
    headers: tags['h']!.split(':').map((name) => name.trim()),
    canonicalization: (tags['c'] ?? 'simple/simple') as NonNullable<SignOptions['canonicalization']>,
  }
}
