/** The success share by day, in the height of a line: a gap where no report came. */
import type { Schemas } from '../client.ts'
import { daysOf } from '../question.ts'
import { approximately } from '../words.ts'

const width = 90
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
  if (!buckets) return <svg class="spark" aria-busy="true" width={width} height={height} />
  const byDay = new Map(buckets.map((bucket) => [bucket.bucket, bucket]))
  const days = daysOf(from, to)
  const step = width / Math.max(1, days.length)
  const failing = buckets.filter(({ failed }) => approximately(failed) > 0).length
  return (
    <svg
      class="spark"
      role="img"
      width={width}
      height={height}
      aria-label={`${name}: failures on ${failing} of ${buckets.length} days with reports`}
    >
      {days.map((bucket, i) => {
        const row = byDay.get(bucket)
        const failed = approximately(row?.failed)
        const sessions = failed + approximately(row?.successful)
        if (sessions === 0) return null
        // The smallest failure is to be seen.
        const bad = failed === 0 ? 0 : Math.max(2, (failed / sessions) * height)
        return (
          <g key={bucket}>
            <rect class="ok" x={i * step} y={0} width={Math.max(0.8, step - 0.4)} height={height - bad} />
            {bad > 0 && (
              <rect class="bad" x={i * step} y={height - bad} width={Math.max(0.8, step - 0.4)} height={bad} />
            )}
          </g>
        )
      })}
    </svg>
  )
}
