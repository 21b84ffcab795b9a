/** "Is it still so?": what the last check of a domain says of a cause of failures. */
import type { Schemas } from '../client.ts'
import { Said } from '../parts/said.tsx'
import { day, time } from '../words.ts'

type Live = Schemas['Cause']['live']

export function LiveProof({ live }: { live: Live }) {
  if (live === null) return null
  return (
    <p class="proof">
      <span class={`state ${live.state}`}>{wordsOf(live)}</span> <Said text={live.sentence} />{' '}
      <small class="quiet">Checked {time(live.checked_at)}.</small>
    </p>
  )
}

function wordsOf({ state, since }: NonNullable<Live>): string {
  switch (state) {
    case 'still-broken':
      return 'Still broken.'
    case 'fixed':
      return since === null ? 'Fixed.' : `Fixed since ${day(since)}.`
    case 'cannot-be-reproduced':
      return 'Cannot be reproduced.'
    case 'suspicious':
      return 'Suspicious.'
    case 'unknown':
      return 'Not known.'
  }
}
