/** What the DKIM tests share: a plain report mail, the hour it arrives, a DNS zone as an object, and a short way to tell results. */
import type { DkimLimits, DkimResult, ResolveTxt, TxtAnswer } from '../../src/dkim/verify.ts'
import { verifyDkim } from '../../src/dkim/verify.ts'
import type { SignOptions } from '../support/dkim-signer.ts'
import { keyPair, keyRecord, signDkim } from '../support/dkim-signer.ts'

export const arrival = new Date('2026-03-02T12:00:00Z')
export const arrivalSeconds = arrival.getTime() / 1000

export const limits: DkimLimits = { signatures: 5, lookups: 10, clockSkewSeconds: 300, futureSeconds: 3600 }

export const header = [
  'From: tlsrpt@sender.example',
  'To: tlsrpt@rua.example',
  'Date: Mon, 02 Mar 2026 03:00:00 +0000',
  'Subject: Report Domain: rcpt.example Submitter: sender.example',
  '\tReport-ID: <r-1@sender.example>',
].join('\r\n')

export const body = 'This is a report.\r\n\r\nIt has two  lines. \r\n'

export const mail = `${header}\r\n\r\n${body}`

/** The mail, signed for sender.example with the first key unless told otherwise. */
export function signed(options: Partial<SignOptions> = {}, message: string | Buffer = mail): Buffer {
  return signDkim(message, { key: keyPair(), domain: 'sender.example', selector: 'tls', ...options })
}

/** Records of a name, or an answer in full. What is not in it is missing. */
export type Zone = Record<string, string | string[] | TxtAnswer>

/** `asked` grows by each name asked for, in order. */
export function zoneResolver(zone: Zone): { resolveTxt: ResolveTxt; asked: string[] } {
  const asked: string[] = []
  const resolveTxt: ResolveTxt = (name) => {
    asked.push(name)
    const entry = zone[name] ?? { kind: 'missing' }
    const answer =
      typeof entry === 'string' || Array.isArray(entry) ? { kind: 'found', records: [entry].flat() } : entry
    return Promise.resolve(answer as TxtAnswer)
  }
  return { resolveTxt, asked }
}

/** The key of `signed` where it belongs; `tags` as in keyRecord. */
export function zoneOf(tags: Record<string, string | undefined> = {}): Zone {
  return { 'tls._domainkey.sender.example': keyRecord(keyPair(), tags) }
}

/** Verifies at `arrival` with the default limits; sender.example and what is below it is aligned. */
export async function verifyAll(message: Uint8Array, zone: Zone = zoneOf()): Promise<DkimResult[]> {
  return verifyDkim(message, zoneResolver(zone).resolveTxt, arrival, isAligned, limits)
}

export function isAligned(domain: string): boolean {
  return domain === 'sender.example' || domain.endsWith('.sender.example')
}

/** 'pass', 'pass but testing, sha1', 'fail: body-hash-mismatch'. */
export function tell({ result, reason, unacceptable }: DkimResult): string {
  if (reason !== undefined) return `${result}: ${reason}`
  return unacceptable.length === 0 ? result : `${result} but ${unacceptable.join(', ')}`
}

export async function tellAll(message: Uint8Array, zone: Zone = zoneOf()): Promise<string[]> {
  return (await verifyAll(message, zone)).map(tell)
}
