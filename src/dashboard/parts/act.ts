/** What a button does: one at a time, and where the service refuses, what it says. */
import { useState } from 'preact/hooks'
import { Refused } from '../client.ts'

export type Act = {
  busy: boolean
  error: Refused | undefined
  /** Whatever is thrown but Refused is nobody's to catch. */
  act: (doing: () => Promise<void>) => void
}

export function useAct(): Act {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<Refused>()
  const act = async (doing: () => Promise<void>) => {
    setBusy(true)
    setError(undefined)
    try {
      await doing()
    } catch (failure) {
      if (!(failure instanceof Refused)) throw failure
      setError(failure)
    } finally {
      setBusy(false)
    }
  }
  return { busy, error, act: (doing) => void act(doing) }
}
