/** RFC 8461 §3.2: whether two policies mean the same, however they are written; also as reports tell them (RFC 8460 §4.4). */
import { parsePolicy, type Mode, type ReadPolicy, type StsPolicy } from './policy.ts'

/** From `a` to `b`; all absent or empty when they mean the same. */
export type PolicyDifference = {
  mode?: { from: Mode; to: Mode }
  maxAge?: { from: number; to: number }
  mxAdded: string[]
  mxRemoved: string[]
}

export function comparePolicies(a: StsPolicy, b: StsPolicy): PolicyDifference {
  return {
    ...(a.mode !== b.mode && { mode: { from: a.mode, to: b.mode } }),
    ...(a.maxAge !== b.maxAge && { maxAge: { from: a.maxAge, to: b.maxAge } }),
    mxAdded: b.mx.filter((pattern) => !a.mx.includes(pattern)),
    mxRemoved: a.mx.filter((pattern) => !b.mx.includes(pattern)),
  }
}

/** By mode, max_age and the set of mx: not by order, letter case, line endings or keys that nobody knows. */
export function samePolicy(a: StsPolicy, b: StsPolicy): boolean {
  const { mode, maxAge, mxAdded, mxRemoved } = comparePolicies(a, b)
  return mode === undefined && maxAge === undefined && mxAdded.length === 0 && mxRemoved.length === 0
}

/** The policy that a report was made under: `policy-string` has a line of it in each element, errors included. */
export const readPolicyString = (policyString: readonly string[]): ReadPolicy => parsePolicy(policyString.join('\n'))
