/** A domain seen from outside: look, judge, and keep what was seen. The road of a check. */
import type { Severity } from './findings/codes.ts'
import { worstOf, type Finding } from './findings/finding.ts'
import { judgeDomain } from './findings/judge.ts'
import { lookAtDomain, type LookDeps } from './look.ts'
import { observe, type Observed } from './observed.ts'

/** JSON as it stands. `startedAt` and `endedAt` are RFC 3339 in UTC. */
export type Check = {
  domain: string
  startedAt: string
  endedAt: string
  /** The weightiest of the findings. */
  severity: Severity
  findings: Finding[]
  observed: Observed
}

/**
 * Ends within `limits.checkMs` and a moment, and rejects never, whatever a stranger serves: what could not be seen is a
 * finding. `domain` as readDomainInput answers it.
 */
export async function runCheck(domain: string, deps: LookDeps & { now: () => Date }): Promise<Check> {
  const startedAt = deps.now()
  const seen = await lookAtDomain(domain, deps)
  const findings = judgeDomain(seen, deps.ownAddresses, startedAt)
  return {
    domain,
    startedAt: startedAt.toISOString(),
    endedAt: deps.now().toISOString(),
    severity: worstOf(findings),
    findings,
    observed: observe(seen),
  }
}
