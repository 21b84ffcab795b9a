/** The success share by day, in the height of a line: a gap where no report came. */
import type { Schemas } from '../client.ts'
import { daysOf } from '../question.ts'
import { approximately } from '../words.ts'
import { Picture } from './chart.tsx'

const height = 18

export function Sparkline({
  buckets,
  from,
  to,
  name,
}: {
  /** Undefined while they are on their way. */
  buckets: Schemas['TimeseriesRow'][] | undefined
  from: string
  to: string
  name: string
}) {
  // prettier-ignore
  if (!buckets) return <span class="spark" aria-busy="true" />
  const failing = buckets.filter(({ failed }) => approximately(failed) > 0).length
  const bars = buckets.flatMap(({ bucket, successful, failed }) => {
    const [bad, all] = [approximately(failed), approximately(failed) + approximately(successful)]
    if (all === 0) return []
    // The smallest failure is to be seen.
    const share = bad === 0 ? 0 : Math.max(2 / height, bad / all)
    const ok = { bucket, from: share, to: 1, fill: 'var(--ok)' }
    return share === 0 ? [ok] : [ok, { bucket, from: 0, to: share, fill: 'var(--bad)' }]
  })
  return (
    <Picture
      kind="spark"
      label={`${name}: failures on ${failing} of ${buckets.length} days with reports`}
      on={[buckets, from, to]}
      draw={(plot) => ({
        height,
        margin: 0,
        x: { type: 'band', domain: daysOf(from, to), axis: null, padding: 0.15, round: false },
        y: { domain: [0, 1], axis: null },
        color: { type: 'identity' },
        marks: [plot.barY(bars, { x: 'bucket', y1: 'from', y2: 'to', fill: 'fill' })],
      })}
    />
  )
}
