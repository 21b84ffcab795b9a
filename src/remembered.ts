/**
 * `make`, whose answers are found again: for what takes longer to make than to find, and comes again and again. It forgets
 * all when there are `most` of them, so that strangers cannot make it grow. undefined is not remembered.
 */
export function remembered<Key, Value>(make: (key: Key) => Value, most: number): (key: Key) => Value {
  const known = new Map<Key, Value>()
  return (key) => {
    const found = known.get(key)
    if (found !== undefined) return found
    const made = make(key)
    if (made === undefined) return made
    if (known.size >= most) known.clear()
    known.set(key, made)
    return made
  }
}
