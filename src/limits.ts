/** Every bound of the service in one place, each with its reason. Any can be overridden by the variable LIMITS (JSON). */

export const defaultLimits = {
  // A mail (transport/smtp.ts, tlsrpt/unwrap.ts)
  messageBytes: 10 * 1024 * 1024, // RFC 8460 §5.2: ten megabytes are "a commonly observed receiver limit".
  lineBytes: 65_536, // RFC 5321 allows 998; real senders fold late, but a body of one line is an attack on canonicalisation.
  headerBytes: 256 * 1024, // Postfix' header_size_limit is 100 KiB.
  headerFields: 1_000,
  headerFieldBytes: 32 * 1024, // Address parsers have gone quadratic on longer ones.
  receivedFields: 50, // Postfix' hopcount_limit: a loop.
  mimeDepth: 10,
  mimeParts: 50,
  reportParts: 10, // Senders put one into a mail; a few are plausible, more are an attack.

  // The road (gate.ts)
  readAtOnce: 2, // Unpacked and parsed at a time. Nobody waits for the DNS in here.
  largeBytes: 256 * 1024, // What is larger, as it came or unpacked, is read one at a time in a thread of its own; so much of small mails is taken apart at once.
  readQueue: 1_000, // Wait for that, as bytes that the transports have room for; more are told to come back.
  readWaitSeconds: 30, // Then told to come back as well: senders wait for minutes, and may think us dead.
  underWayBytes: 64 * 1024 * 1024, // What was read and is not recorded yet, roughly; one is always taken.

  // A report (tlsrpt/)
  compressedBytes: 8 * 1024 * 1024, // What an HTTPS body, or a mail part once decoded, may weigh.
  jsonBytes: 20 * 1024 * 1024, // mox takes 20 MB, Stalwart 25 MB.
  jsonDepth: 16, // A legal report has 5.
  jsonTokens: 1_000_000, // `{`, `[` and `,`: a million empty objects parse in 0.2 s, seven million take 4 s.
  policies: 10_000, // Large hosters list thousands.
  failureDetails: 50_000, // In the whole report.
  listEntries: 1_000, // policy-string, mx-host.
  reportIdBytes: 1_024,
  textBytes: 4_096, // Longer text is truncated and noted; the raw bytes keep it.
  dateSpanDays: 31, // RFC 8460 §4.1 says a day; Mail.ru sends a week.
  futureHours: 48, // Time zones and wrong clocks.
  plausibleSessions: 1_000_000_000, // A larger count is kept, but counted only when the operator says so.

  // DKIM (dkim/)
  dkimSignatures: 5, // Verified for one mail, aligned ones first.
  dkimLookups: 10, // DNS questions for one mail.
  dkimClockSkewSeconds: 300, // Behind x=.
  dkimFutureSeconds: 3_600, // Ahead of us in t=.

  // DNS (dns/)
  dnsTimeoutMs: 5_000, // For one question, all servers and tries together.
  dnsQuestions: 256, // Under way at once, a socket each; more only where the DNS is slow, and then mails are to come back.
  dnsCacheNames: 5_000, // Reporters are tens; who names ever new selectors pushes out what nobody used since, one look-up each.
  dnsCacheAnswerBytes: 4_096, // No longer key is read; all of them together stay below 20 MiB.
  dnsCacheSeconds: 3_600, // Whatever the TTL says: a key that was withdrawn is dead within the hour.
  dnsCacheMissingSeconds: 300, // A key that was published late is found soon: what is refused for want of it is lost.

  // Connections (transport/)
  slowestBytesPerSecond: 500, // Of a mail or a body, on average: Postfix' smtpd_min_data_rate.
  slowGraceSeconds: 30, // Before that counts.
  smtpConnections: 1_000,
  smtpConnectionsPerAddress: 20,
  smtpConnectionsPerNetwork: 60, // /24 and /64.
  smtpConnectionsPerMinute: 60, // New ones by address; a sender with more to say has a hundred messages on each.
  smtpMessagesPerConnection: 100,
  smtpRecipients: 100, // RFC 5321 §4.5.3.1.8 asks for 100 at least.
  smtpUnknownRecipients: 10, // Then 421: a harvester.
  smtpIdleSeconds: 60, // RFC 5321 asks for minutes, for people at keyboards.
  smtpDataSeconds: 600, // For all of DATA: a byte every 2 s never runs into an idle timer.
  smtpSessionSeconds: 1_800, // Then no further mail: whoever has more connects again.
  httpConnections: 1_000,
  httpConnectionsPerAddress: 50,
  httpConnectionsPerNetwork: 150, // /24 and /64.
  httpHeaderSeconds: 15,
  httpRequestSeconds: 60, // Until the last byte of the body.
  httpRequestsPerMinute: 1_200, // By address; generous, because some senders count any answer as delivered.
  apiRequestsPerMinute: 6_000, // By address.
  apiFailedSignInsPerMinute: 60, // By address.
  apiSessionHours: 12, // A working day; then the browser has to bring the token again.
  metricsDomains: 100, // Domains with series of their own in /metrics.
  drainSeconds: 25, // From SIGTERM to exit: orchestrators kill after 30.

  // Checks (checks/): a stranger's DNS says whom we call
  checkMs: 60_000, // For all of a check; what is not seen by then is not seen.
  checkMxHosts: 10,
  checkRuas: 5, // Addresses in rua that are looked at: some domains list several services.
  checksPerMinute: 20, // By key: people ask for a few, and who has many domains has them checked daily.
  checkConnections: 100, // Open at once.
  checkConnectionsPerMinute: 30, // To one address: one may be the MX of many domains, and must not feel it.
  checkPatienceMs: 900_000, // Daily checks wait for their turn with such an address.
  checkAddresses: 4, // Of one host.
  checkConnectMs: 10_000,
  checkTlsMs: 10_000,
  checkReplyMs: 20_000, // For a whole reply: against spam, strangers are kept waiting for 6 to 15 s.
  checkQuitMs: 1_000, // A polite end.
  checkReplyBytes: 4_096, // A reply to EHLO has 300.
  checkLineChars: 512, // RFC 5321 §4.5.3.1.5.
  checkFetchMs: 30_000, // RFC 8461 §3.3 suggests a minute, which is for connecting, too.
  checkHeaderBytes: 16 * 1024,
  checkPolicyBytes: 64 * 1024, // RFC 8461 §3.3.
  publicChecksPerMinute: 3, // By address, where PUBLIC_CHECKS is on: a person reads what he is told.
  publicChecksAtOnce: 10,
  selfTestArrivalMs: 60_000, // Until a mail that was taken is in the store: by way of a relay of one's own.

  // The store (store/)
  intakePool: 10, // Connections that record.
  apiPool: 5, // Connections that read: a slow question cannot hold up the intake.
  databaseConnectMs: 3_000,
  statementMs: 10_000,
  lockMs: 5_000,
  idleInTransactionMs: 15_000,
  queryMs: 12_000, // Client side, for a database that has gone silent.
  commitBatch: 300, // Arrivals in one transaction.
  commitQueue: 2_000, // Arrivals that may wait for a commit; more are told to come back.
  refusedBytes: 1024 * 1024 * 1024, // Kept bytes of refused submissions; the noisiest source goes first.
  unverifiedReportsPerDomainAndDay: 1_000, // A stranger can post what he likes; a domain has tens of reporters. 250 rows of facts, or 64 KiB of bytes, count as one more.
}

export type Limits = typeof defaultLimits
