/** Senders of TLS reports (RFC 8460) that are well known: the standing of a reporter until the operator says otherwise. */

/** `source` is public, and shows that reports come from there. Few, because nothing hangs on it but a word in a list. */
export const knownReporters: readonly { domain: string; source: string }[] = [
  { domain: 'google.com', source: 'https://support.google.com/a/answer/9261504' },
  { domain: 'microsoft.com', source: 'https://github.com/cry-inc/dmarc-report-viewer/issues/57' },
]
