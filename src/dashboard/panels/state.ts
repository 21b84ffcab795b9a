/** How a domain is doing, in words. */
import type { Schemas } from '../client.ts'

export const stateWords: Record<Schemas['Domain']['state'], string> = {
  failing: 'failing',
  silent: 'silent',
  'no-reports': 'no reports yet',
  healthy: 'healthy',
}
