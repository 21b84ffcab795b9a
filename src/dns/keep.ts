/** Answers kept for as long as they may be (RFC 1035 §3.2.1), and each name asked for once at a time. */

/** `seconds`: how long it may be kept; 0 is not at all. */
export type Dated<T> = { value: T; seconds: number; bytes: number }

export type KeepLimits = {
  /** Names kept; the one that was not asked for the longest goes first. */
  dnsCacheNames: number
  /** A larger answer is not kept. */
  dnsCacheAnswerBytes: number
}

/** `now` is a clock in milliseconds that is never set back. */
export function keepAnswers<T>(
  lookUp: (name: string) => Promise<Dated<T>>,
  { dnsCacheNames, dnsCacheAnswerBytes }: KeepLimits,
  now: () => number,
): (name: string) => Promise<T> {
  const kept = new Map<string, { value: T; until: number }>() // In the order of their last use.
  const underWay = new Map<string, Promise<T>>()

  const askAnew = async (name: string): Promise<T> => {
    try {
      const { value, seconds, bytes } = await lookUp(name)
      if (seconds > 0 && bytes <= dnsCacheAnswerBytes) {
        if (kept.size >= dnsCacheNames) kept.delete(kept.keys().next().value!)
        kept.set(name, { value, until: now() + seconds * 1_000 })
      }
      return value
    } finally {
      underWay.delete(name)
    }
  }

  return async (anyCase) => {
    const name = anyCase.toLowerCase() // RFC 4343.
    const known = kept.get(name)
    if (known) {
      kept.delete(name)
      if (known.until > now()) {
        kept.set(name, known)
        return known.value
      }
    }
    const asked = underWay.get(name) ?? askAnew(name)
    underWay.set(name, asked)
    return asked
  }
}
