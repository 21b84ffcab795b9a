/** What stands in the `policy-string` of an MTA-STS policy (RFC 8460 §4.4): its lines, as RFC 8461 §3.2 has them. */

/** Seconds; undefined where the policy says none, or no whole number. Some senders put all lines into one element. */
export function policyMaxAge(policyType: string, policyString: readonly string[]): number | undefined {
  if (policyType !== 'sts') return undefined
  const lines = policyString.flatMap((element) => element.split(/[\r\n]+/))
  const digits = lines.map((line) => /^\s*max_age\s*:\s*(\d{1,10})\s*$/i.exec(line)?.[1]).find((found) => found)
  return digits === undefined ? undefined : Number(digits)
}
