/** One arrival: the bytes as they came, and how they came. Never changed after it is made. */
export type Submission = {
  /** A whole RFC 5322 message as received (CRLF, dot-unstuffed), or the bare report (JSON, or gzip of it). */
  raw: Buffer
  form: 'message' | 'report'
  arrivedAt: Date
  /** The transport stopped reading at its limit: `raw` is empty, since nothing would be kept of it. */
  cut?: true
  provenance: Provenance
}

/** How it came. Kept with the submission as jsonb in this very shape, so keys are added, never renamed. */
export type Provenance =
  | {
      transport: 'smtp' // RFC 8460 §5.3
      peerAddress: string
      helo: string
      /** '' is the null reverse-path. */
      mailFrom: string
      rcptTo: string[]
      tls: boolean
    }
  | {
      transport: 'https' // RFC 8460 §5.4
      peerAddress: string
      /** As sent; the content decides, not this. */
      mediaType?: string
      contentEncoding?: string
      /** The intake token posted to; ties the post to its domains, proves nothing about the sender. */
      token?: { key: string; domains: string[] }
    }
  | { transport: 'file'; fileName: string }

export type Transport = Provenance['transport']

/** verified: a DKIM signature by the reporting domain stands behind it. unverified: nobody does. */
export type Trust = 'verified' | 'unverified'

/** A repair made, or an oddity seen, that did not stop us: a stable code, and a JSON pointer into the report ('' is the whole). */
export type Anomaly = { code: string; pointer: string }

/** Why something is refused: told to the sender and kept. At most 10 for one submission. `pointer` as in Anomaly. */
export type Problem = { code: string; pointer: string; message: string }

/**
 * The input is refused for good (a permanent answer). `kind` is the verdict; `reason` is finer, kebab-case, and stable,
 * for programs and for the reply line.
 */
export type Refusal = {
  kind: 'unauthenticated' | 'malformed' | 'unreadable' | 'not-ours' | 'too-large'
  reason: string
  problems: Problem[]
}

export const maxProblems = 10

/** A refusal for one problem; the reason is its code, and `message` says it to a person. */
export const refusal = (kind: Refusal['kind'], reason: string, message: string): Refusal => ({
  kind,
  reason,
  problems: [{ code: reason, pointer: '', message }],
})
