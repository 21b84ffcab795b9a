/** Addresses by the network that they are likely run from. */

/** /24 and /48: what one operator usually holds. Nothing for what is no address. */
export function networkOf(address: string | null | undefined): string | undefined {
  if (address === null || address === undefined) return undefined
  const v4 = /^(\d+\.\d+\.\d+)\.\d+$/.exec(address)?.[1]
  if (v4 !== undefined) return `${v4}.0/24`
  if (!address.includes(':') || /[^\da-f:.]/i.test(address)) return undefined
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  const zeros = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length)
  const first = [...groups, ...Array<string>(zeros).fill('0'), ...(tail ?? '').split(':')].slice(0, 3)
  return `${first.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/48`
}
