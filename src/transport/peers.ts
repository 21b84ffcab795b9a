/** Who is calling: open connections counted by address and network. */
import { networkOf } from '../addresses.ts'

/** Gives one connection back. */
export type Leave = () => void

/**
 * Counts open connections. The function it returns takes one more and says how to give it back, or undefined where a
 * limit is reached; `exempt` addresses count towards `total` alone.
 */
export function makeConnectionCount(limits: { total: number; perAddress: number; perNetwork: number }) {
  const byAddress = new Map<string, number>()
  const byNetwork = new Map<string, number>()
  let total = 0
  return (address: string, exempt: boolean): Leave | undefined => {
    const network = networkOf(address)
    if (total >= limits.total) return undefined
    if (!exempt && (byAddress.get(address) ?? 0) >= limits.perAddress) return undefined
    if (!exempt && (byNetwork.get(network) ?? 0) >= limits.perNetwork) return undefined
    const add = (change: number) => {
      total += change
      addTo(byAddress, address, change)
      addTo(byNetwork, network, change)
    }
    add(1)
    return () => {
      add(-1)
    }
  }
}

function addTo(counts: Map<string, number>, key: string, change: number): void {
  const count = (counts.get(key) ?? 0) + change
  if (count > 0) counts.set(key, count)
  else counts.delete(key)
}
