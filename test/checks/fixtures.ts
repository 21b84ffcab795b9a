/** The probes, looking at a world on loopback. */
import type { TestContext } from 'node:test'
import type { Socket } from 'node:net'
import { makeTrust } from '../../src/checks/certificate-seen.ts'
import { makeSeeMx, type SeeMx } from '../../src/checks/mx-host.ts'
import { makeOutgoing, type Outgoing, type ResolveAddresses } from '../../src/checks/outgoing.ts'
import { makeSeePolicy, type SeePolicy } from '../../src/checks/policy-host.ts'
import { defaultLimits, type Limits } from '../../src/limits.ts'
import { startMailWorld, type MailWorld, type WorldDomain } from '../support/mail-world.ts'

export type Probes = { world: MailWorld; outgoing: Outgoing; seePolicy: SeePolicy; seeMx: SeeMx }

export async function startWorld(t: TestContext, domains: Record<string, WorldDomain>): Promise<MailWorld> {
  const world = await startMailWorld(domains)
  t.after(() => world.close())
  return world
}

/** Generous where the world has many hosts on one address; what a test is about, it says. */
export function probesOf(
  world: MailWorld,
  change: { limits?: Partial<Limits>; resolveAddresses?: ResolveAddresses; now?: () => Date; trusted?: boolean } = {},
): Probes {
  const limits = { ...defaultLimits, checkConnectionsPerMinute: 10_000, ...change.limits }
  const outgoing = makeOutgoing({
    allowCidrs: [world.cidr],
    ports: world.ports,
    limits,
    nowMs: () => performance.now(),
  })
  const deps = {
    resolveAddresses: change.resolveAddresses ?? world.resolveAddresses,
    outgoing,
    trust: makeTrust(change.trusted === false ? undefined : world.authority.certificate),
    limits,
    now: change.now ?? (() => new Date()),
  }
  return {
    world,
    outgoing,
    seePolicy: makeSeePolicy({ ...deps, userAgent: 'tlsrpt-receiver (check by us.example)' }),
    seeMx: makeSeeMx({ ...deps, ehloName: 'us.example' }),
  }
}

/** Writes the same again and again for as long as somebody reads. */
export function flood(socket: Socket, text: string): void {
  const block = Buffer.from(text.repeat(Math.ceil(65_536 / text.length)))
  const go = () => {
    while (socket.writable && socket.write(block));
  }
  socket.on('drain', go)
  go()
}

/** Writes a character now and then. */
export function trickle(socket: Socket, character: string, everyMs: number): void {
  const timer = setInterval(() => socket.write(character), everyMs)
  socket.on('close', () => {
    clearInterval(timer)
  })
}
