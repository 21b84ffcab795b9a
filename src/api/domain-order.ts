/** Our domains in the order in which /v1/domains lists them: by name, or the ones in need first. */
import { z } from 'zod'
import { heardOf, newestDays } from '../store/domain-days.ts'
import type { ListedDomain } from '../store/domains.ts'
import type { Visible, Window } from '../store/question.ts'
import type { Trust } from '../tlsrpt/submission.ts'
import { quietSince } from './domain-standing.ts'
import type { ApiDeps } from './route.ts'

export const domainOrders = ['domain', 'need'] as const

/** The needy first. By name alone all are alike. */
const ranks = { failing: 0, silent: 1, unheard: 2, healthy: 3 } as const

type Need = { rank: (typeof ranks)[keyof typeof ranks]; failed: bigint }

/** `failed` is of the newest day, and 0 for who is not failing. */
type OrderPosition = [rank: number, failed: string, domain: string]

export const orderPosition: z.ZodType<OrderPosition> = z.tuple([
  z.int().min(ranks.failing).max(ranks.healthy),
  z.string().regex(/^\d{1,40}$/),
  z.string().regex(/^[!-~]{1,255}$/),
])

type Asked = {
  orderBy: (typeof domainOrders)[number]
  window: Window
  visible: Visible
  after: OrderPosition | undefined
}

/** Those of `own`, which are sorted by name, that come after a position, each with its own. */
export async function inOrder(
  deps: ApiDeps,
  own: readonly ListedDomain[],
  { orderBy, window, visible, after }: Asked,
): Promise<{ own: ListedDomain; position: OrderPosition }[]> {
  const needs = orderBy === 'need' ? await needsOf(deps, own, window, visible) : undefined
  const placed = own.map((own) => {
    const { rank, failed } = needs?.get(own.domain) ?? { rank: ranks.failing, failed: 0n }
    return { own, position: [rank, String(failed), own.domain] satisfies OrderPosition }
  })
  const ordered = needs ? placed.sort((a, b) => compare(a.position, b.position)) : placed
  return after ? ordered.filter(({ position }) => compare(position, after) > 0) : ordered
}

function compare([rankA, failedA, nameA]: OrderPosition, [rankB, failedB, nameB]: OrderPosition): number {
  if (rankA !== rankB) return rankA - rankB
  if (failedA !== failedB) return BigInt(failedA) > BigInt(failedB) ? -1 : 1
  return nameA < nameB ? -1 : nameA > nameB ? 1 : 0
}

/**
 * Of all of them, out of the day totals alone, and by the rules of domain-standing.ts: whose word it is, and what state
 * that makes. Who was heard of lately is failing or healthy, so only of the others is more than these few days read.
 */
async function needsOf(
  { db, now }: ApiDeps,
  own: readonly ListedDomain[],
  window: Window,
  visible: Visible,
): Promise<Map<string, Need>> {
  const lately = [window.from, quietSince(window, now())].sort()[1]!
  const newest = await newestDays(db, visible, { from: lately, to: window.to })
  const saidBy = (trust: Trust) =>
    new Map(newest.filter((row) => row.trust === trust).map((row) => [row.domain, row.failedOnNewest]))
  const verified = saidBy('verified')
  const unverified = saidBy('unverified')
  const others = own.flatMap(({ domain }) => (verified.has(domain) ? [] : [domain]))
  const before = await heardOf(db, others, { from: window.from, to: lately })
  return new Map(
    own.map(({ domain }): [string, Need] => {
      const heard = before.get(domain)
      const failed = verified.get(domain) ?? (heard?.verified ? undefined : unverified.get(domain))
      if (failed === undefined) return [domain, { rank: heard ? ranks.silent : ranks.unheard, failed: 0n }]
      return [domain, { rank: failed > 0n ? ranks.failing : ranks.healthy, failed }]
    }),
  )
}
