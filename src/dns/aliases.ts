/** RFC 1034 §3.6.2: the chain of CNAMEs in an answer. */
import type { DecodedPacket } from 'dns-packet'

export type Aliases = {
  /** The end of the chain, as far as the answer goes, in lower case: whose records count. */
  owner: string
  /** The names that `name` is an alias for, one after the other, in lower case; the last is the owner. */
  names: string[]
  /** The shortest TTL of the chain; Infinity without one. */
  seconds: number
}

export function followAliases({ answers = [] }: DecodedPacket, name: string): Aliases {
  const aliases = new Map(answers.flatMap((record) => (record.type === 'CNAME' ? [[record.name.toLowerCase(), record]] : []))) // prettier-ignore
  const names: string[] = []
  let owner = name.toLowerCase()
  let seconds = Infinity
  for (let alias = aliases.get(owner); alias; alias = aliases.get(owner)) {
    aliases.delete(owner) // A circle ends where it began.
    owner = alias.data.toLowerCase()
    names.push(owner)
    seconds = Math.min(seconds, secondsOf(alias.ttl))
  }
  return { owner, names, seconds }
}

/** RFC 2181 §8: a TTL with its top bit set is 0. */
export const secondsOf = (ttl = 0): number => (ttl > 0x7fff_ffff ? 0 : ttl)
