/** What the figures were measured on: absolute ones mean nothing without it. */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { cpus, release, totalmem, type as systemName, tmpdir } from 'node:os'
import { join } from 'node:path'
import { median } from './bench.ts'
import type { BenchServer } from './server.ts'

export function machine({ kind, version }: BenchServer): string[] {
  const processors = cpus()
  return [
    `${processors.length} x ${processors[0]?.model.trim() ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${systemName()} ${release()}`,
    `Node ${process.versions.node}, ${kind} Postgres ${version}, fdatasync of 8 kB ${fdatasyncMicroseconds()} us (median of 200)`,
  ]
}

/** What a commit waits for. */
function fdatasyncMicroseconds(): number {
  const folder = mkdtempSync(join(tmpdir(), 'tlsrpt-bench-'))
  const file = openSync(join(folder, 'sync'), 'w')
  const page = Buffer.alloc(8192, 1)
  const times = Array.from({ length: 200 }, () => {
    const startedAt = performance.now()
    writeSync(file, page)
    fdatasyncSync(file)
    return (performance.now() - startedAt) * 1000
  })
  closeSync(file)
  rmSync(folder, { recursive: true })
  return Math.round(median(times))
}
