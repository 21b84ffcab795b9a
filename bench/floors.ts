/** What cannot be avoided: each part of a floor by itself, in CPU microseconds a report. */
import { spawn } from 'node:child_process'
import { createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { cpuOfProcess, cpuOfWork } from './cpu.ts'
import type { Load } from './load.ts'

const rounds = 7

/** gunzip and JSON.parse of the same bytes. */
export const parseFloor = (bodies: readonly Buffer[]): number =>
  cpuOfWork(rounds, () => {
    for (const body of bodies) JSON.parse(gunzipSync(body).toString())
  }) / bodies.length

/** A native verification over as many bytes, with the key ready. */
export function verifyFloor(privateKey: KeyObject, bytes: number): number {
  const data = Buffer.alloc(bytes, 'a')
  const signature = sign('sha256', data, privateKey)
  const key = createPublicKey(privateKey)
  const times = 500
  return (
    cpuOfWork(rounds, () => {
      for (let i = 0; i < times; i++) verify('sha256', data, key, signature)
    }) / times
  )
}

/** CPU microseconds a report that a load costs on a server that does no more than it must. */
export type NullServer = (load: (port: number) => Promise<Load>) => Promise<number>

/** Runs `work` beside such a server (null-server.ts), whose first loads are dearer: V8 has yet to compile it. */
export async function withNullServer<T>(kind: 'http' | 'smtp', work: (server: NullServer) => Promise<T>): Promise<T> {
  const program = fileURLToPath(new URL('./null-server.ts', import.meta.url))
  const child = spawn(process.execPath, [program, kind], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
    const port = Number(line)
    return await work(async (load) => {
      const before = cpuOfProcess(child.pid!)
      const { accepted } = await load(port)
      return (cpuOfProcess(child.pid!) - before) / accepted
    })
  } finally {
    const exited = once(child, 'exit')
    child.kill()
    await exited
  }
}
