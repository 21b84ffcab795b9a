/** RFC 8461 §4.1: whether an MX host is one that the policy lists. */

/**
 * `pattern` and `host` are lower-case A-labels without a final dot. A leading `*.` stands for exactly one label:
 * `*.example.com` is `mail.example.com`, not `example.com`, not `a.b.example.com`.
 */
export function matchesMx(pattern: string, host: string): boolean {
  if (!pattern.startsWith('*.')) return pattern === host
  const dot = host.indexOf('.')
  return dot > 0 && host.slice(dot + 1) === pattern.slice(2)
}

/** The patterns that cover the host. */
export const patternsFor = (patterns: readonly string[], host: string): string[] =>
  patterns.filter((pattern) => matchesMx(pattern, host))

/** The wildcard that was meant to cover the host and does not, because it is a label too high or too low. */
export function nearMiss(patterns: readonly string[], host: string): string | undefined {
  return patterns.find((pattern) => {
    const base = pattern.startsWith('*.') ? pattern.slice(2) : undefined
    return base !== undefined && !matchesMx(pattern, host) && (host === base || host.endsWith(`.${base}`))
  })
}
