/** The certificate of both listeners: from the operator's files, or self-signed and kept; reloaded when the files change. */
import { randomUUID, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import type { Logger } from './listener.ts'

/** Both PEM; `cert` with its chain. */
export type Certificate = { key: string; cert: string }

export type CertificateFiles = { certFile: string; keyFile: string }

export type CertificateSource = {
  current: () => Certificate
  /** Called with each new one; open connections keep theirs. */
  onChange: (listener: (certificate: Certificate) => void) => void
  close: () => void
}

/** TLS reports must get through (RFC 8460 §3), but TLS 1.0 and 1.1 are no protection (RFC 8996): without TLS they come, too. */
export const minVersion = 'TLSv1.2'

const pollMs = 1_000
const validYears = 10

/**
 * Opens `files`, or a self-signed pair for `names` under `dataDir`/tls, which is made where there is none or where it
 * has expired. Files are read again every second, because renewals replace them by rename or by turning a symbolic link;
 * a pair that cannot be used leaves the one in use and is logged once. Rejects when the first one cannot be used.
 */
export async function openCertificate(
  files: CertificateFiles | undefined,
  dataDir: string,
  names: string[],
  log: Logger,
  now: () => Date,
): Promise<CertificateSource> {
  const source = files ?? (await keepSelfSigned(join(dataDir, 'tls'), names, now()))
  const listeners: ((certificate: Certificate) => void)[] = []
  let current = readPair(source)
  let complaint: string | undefined

  const reload = () => {
    try {
      const next = readPair(source)
      complaint = undefined
      if (next.cert === current.cert && next.key === current.key) return
      current = next
    } catch (error) {
      const cause = String((error as Error).cause)
      if (cause !== complaint) log.error({ err: error }, 'the new certificate cannot be used; the old one stays')
      complaint = cause
      return
    }
    for (const listener of listeners) listener(current)
    const { subject, validTo } = new X509Certificate(current.cert)
    log.info({ subject, valid_to: validTo }, 'a new certificate is in use')
  }
  const timer = setInterval(reload, pollMs).unref()

  return {
    current: () => current,
    onChange: (listener) => listeners.push(listener),
    close: () => {
      clearInterval(timer)
    },
  }
}

/** Throws where a file cannot be read, or where the two cannot be used together. */
function readPair({ certFile, keyFile }: CertificateFiles): Certificate {
  try {
    const pair = { cert: certificatesIn(readFileSync(certFile, 'utf8')), key: readFileSync(keyFile, 'utf8') }
    createSecureContext({ ...pair, minVersion })
    new X509Certificate(pair.cert) // A context is content with empty files.
    return pair
  } catch (error) {
    throw new Error(`the certificate ${certFile} with the key ${keyFile} cannot be used`, { cause: error })
  }
}

/** A key may stand in one file with its chain, as Postfix has it too: nothing that shows a certificate is to show it. */
const certificatesIn = (pem: string): string =>
  pem.replaceAll(/-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/gs, '')

/** One file, so that the pair is whole whoever writes at the same time: who was overwritten sees it at his next look. */
async function keepSelfSigned(folder: string, names: string[], now: Date): Promise<CertificateFiles> {
  const file = join(folder, 'self-signed.pem')
  const pair = { certFile: file, keyFile: file }
  const ofTwo = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') } // As it was before: a TLSA record may name it.
  for (const files of [pair, ofTwo]) if (await isValid(files, now)) return files
  const { generate } = await import('selfsigned') // 130 ms of CPU, once in ten years: no other start pays for it.
  const made = await generate([{ name: 'commonName', value: names[0] ?? 'localhost' }], {
    keySize: 2048, // selfsigned 5.5.0 cannot make EC keys with the ASN.1 packages it comes with.
    algorithm: 'sha256',
    notBeforeDate: now,
    notAfterDate: new Date(Date.UTC(now.getUTCFullYear() + validYears, now.getUTCMonth(), now.getUTCDate())),
    extensions: [{ name: 'subjectAltName', altNames: names.map((value) => ({ type: 2, value })) }],
  })
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const draft = `${file}.${randomUUID()}`
  await writeFile(draft, `${made.private.trim()}\n${made.cert.trim()}\n`, { mode: 0o600 })
  await rename(draft, file)
  return pair
}

async function isValid({ certFile }: CertificateFiles, now: Date): Promise<boolean> {
  try {
    return new X509Certificate(await readFile(certFile, 'utf8')).validToDate > now
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
