/** Preloaded into the program by program.ts (node --import): faults inside the process, on request over IPC. */

export type Fault =
  /** The event loop stands still. */
  | { kind: 'stall'; milliseconds: number }
  /** From now on the clock of the process is off by so much; performance.now() is not, as with a clock that is set. */
  | { kind: 'clock'; aheadMs: number }
  /** An error that nobody catches: thrown in a turn of its own, or a promise that nobody waits for. */
  | { kind: 'throw' }
  | { kind: 'reject' }

let aheadMs = 0
const RealDate = Date
globalThis.Date = new Proxy(RealDate, {
  construct: (real, given: unknown[]) =>
    Reflect.construct(real, given.length === 0 ? [real.now() + aheadMs] : given) as Date,
  get: (real, key, receiver): unknown =>
    key === 'now' ? () => RealDate.now() + aheadMs : Reflect.get(real, key, receiver),
})

process.on('message', (fault: Fault) => {
  switch (fault.kind) {
    case 'stall': {
      const until = performance.now() + fault.milliseconds
      while (performance.now() < until);
      break
    }
    case 'clock':
      aheadMs = fault.aheadMs
      break
    case 'throw':
      setImmediate(() => {
        throw new Error('a fault that nobody catches')
      })
      break
    case 'reject':
      void Promise.reject(new Error('a fault that nobody catches'))
  }
})
/** Whoever started us has ended, perhaps because its time was up: nobody else would end us. */
process.on('disconnect', () => {
  process.kill(process.pid, 'SIGKILL')
})
process.channel!.unref()
