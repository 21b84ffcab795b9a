/** What every scenario is given and what it answers. */
import type { BenchServer } from './server.ts'

export type Bench = {
  server: BenchServer
  /** What is being done just now, for whoever waits. */
  say: (what: string) => void
}

/** `run` answers one figure for each line of the table. It leaves no process and no database behind. */
export type Scenario = { name: string; run: (bench: Bench) => Promise<Figure[]> }

export type Figure = {
  /** What was measured; the scenario's name stands before it. */
  what: string
  value: number
  unit: Unit
  /** The same work with only what cannot be avoided, measured in the same run, in the same unit. */
  floor?: number
  /** `of` says what is compared: the value itself, or value / floor. */
  target?: { of: 'value' | 'ratio'; atMost: number } | { of: 'value' | 'ratio'; atLeast: number }
  /** For orientation: how the time is shared, how many rows, what the floor is made of. */
  note?: string
}

/** 'us' is CPU time a report, of the service and Postgres together; 'ms' and 's' are by the clock. */
export type Unit = 'us' | 'ms' | 's' | '/s' | 'MB' | 'B' | 'x'

export const ratioOf = ({ value, floor }: Figure): number | undefined =>
  floor === undefined ? undefined : value / floor

/** undefined where there is nothing to meet. */
export function isMet(figure: Figure): boolean | undefined {
  const { target, value } = figure
  if (target === undefined) return undefined
  const compared = target.of === 'value' ? value : ratioOf(figure)
  if (compared === undefined) return false
  return 'atMost' in target ? compared <= target.atMost : compared >= target.atLeast
}

export const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** The middle one: a single slow run on a busy machine does not move it. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Nearest rank; `share` is 0.99 for p99. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)]!
}
