/** Our domains in the order in which /v1/domains lists them: by name, or the ones in need first. */
import { z } from 'zod'
import { heardOf, newestDays } from '../store/domain-days.ts'
import type { ListedDomain } from '../store/domains.ts'
import type { Visible, Window } from '../store/question.ts'
import type { Trust } from '../tlsrpt/submission.ts'
import { quietSince } from './domain-standing.ts'
import { ourDomains, withListed } from './our-domains.ts'
import type { ApiDeps } from './route.ts'

export const domainOrders = ['domain', 'need'] as const

/** The needy first; `unheard` are those without a report in the window. */
export const needs = ['failing', 'silent', 'unheard', 'healthy'] as const

/** `failed` is of the newest day, and 0 for who is not failing. `need` is null in the order of names: nobody looked. */
type Need = { need: (typeof needs)[number] | null; failed: bigint }

/** By name alone all are alike. */
const rankOf = ({ need }: Need): number => (need === null ? 0 : needs.indexOf(need))

const noNeed: Need = { need: null, failed: 0n }

type Placed = Need & { own: ListedDomain }

type OrderPosition = [rank: number, failed: string, domain: string]

export const orderPosition: z.ZodType<OrderPosition> = z.tuple([
  z
    .int()
    .min(0)
    .max(needs.length - 1),
  z.string().regex(/^\d{1,40}$/),
  z.string().regex(/^[!-~]{1,255}$/),
])

type Asked = {
  orderBy: (typeof domainOrders)[number]
  window: Window
  visible: Visible
  /** Where the page before ended. */
  after: OrderPosition | undefined
  limit: number
}

type InOrder = Pick<Placed, 'own' | 'need'> & { position: OrderPosition }

/** The first `limit` behind the page before, each with its position. */
export async function listInOrder(deps: ApiDeps, asked: Asked): Promise<InOrder[]> {
  const placed = asked.orderBy === 'need' ? await placedByNeed(deps, asked) : await placedByName(deps, asked)
  return placed.map(({ own, need, failed }) => ({
    own,
    need,
    position: [rankOf({ need, failed }), String(failed), own.domain],
  }))
}

async function placedByName(deps: ApiDeps, asked: Asked): Promise<Placed[]> {
  const own = await ourDomains(deps, asked.window, asked.visible)
  return page(
    own.map((own) => ({ own, ...noNeed })),
    asked,
  )
}

/**
 * By the rules of domain-standing.ts, out of the day totals alone: whose word it is, and what state that makes. Where the
 * failing ones fill the page nothing is asked of the others.
 */
async function placedByNeed(deps: ApiDeps, asked: Asked): Promise<Placed[]> {
  const { window, visible } = asked
  const lately = [window.from, quietSince(window, deps.now())].sort()[1]!
  const lateNeeds = await needsLately(deps, asked, lately)
  const isFailing = (domain: string) => lateNeeds.get(domain)?.need === 'failing'
  if (deps.ownDomains.any) {
    const heard = await withListed(deps, [...lateNeeds.keys()].filter(isFailing), visible)
    const failing = heard.filter(({ domain }) => isFailing(domain))
    const first = page(
      failing.map((own) => ({ own, ...lateNeeds.get(own.domain)! })),
      asked,
    )
    if (first.length === asked.limit) return first
  }
  const own = await ourDomains(deps, window, visible)
  const others = own.flatMap(({ domain }) => (lateNeeds.has(domain) ? [] : [domain]))
  const before = await heardOf(deps.db, others, { from: window.from, to: lately })
  const needOf = (domain: string): Need =>
    lateNeeds.get(domain) ?? { need: before.has(domain) ? 'silent' : 'unheard', failed: 0n }
  return page(
    own.map((own) => ({ own, ...needOf(own.domain) })),
    asked,
  )
}

/** Of those that were heard of since then: failing or healthy, or silent, where only the unverified went on. */
async function needsLately({ db }: ApiDeps, { window, visible }: Asked, lately: string): Promise<Map<string, Need>> {
  const newest = await newestDays(db, visible, { from: lately, to: window.to })
  const saidBy = (trust: Trust) =>
    new Map(newest.filter((row) => row.trust === trust).map((row) => [row.domain, row.failedOnNewest]))
  const verified = saidBy('verified')
  const unverified = saidBy('unverified')
  const others = [...unverified.keys()].filter((domain) => !verified.has(domain))
  const before = await heardOf(db, others, { from: window.from, to: lately })
  const needOf = (failed: bigint): Need => ({ need: failed > 0n ? 'failing' : 'healthy', failed })
  return new Map([
    ...[...verified].map(([domain, failed]): [string, Need] => [domain, needOf(failed)]),
    ...others.map((domain): [string, Need] => [
      domain,
      before.get(domain)?.verified ? { need: 'silent', failed: 0n } : needOf(unverified.get(domain)!),
    ]),
  ])
}

/** In order, behind where the page before ended. */
function page(placed: readonly Placed[], { after, limit }: Asked): Placed[] {
  const last = after && { need: needs[after[0]]!, failed: BigInt(after[1]), own: { domain: after[2] } }
  const behind = last ? placed.filter((one) => compare(one, last) > 0) : placed
  return behind.toSorted(compare).slice(0, limit)
}

type Comparable = Need & { own: Pick<ListedDomain, 'domain'> }

function compare(a: Comparable, b: Comparable): number {
  const byRank = rankOf(a) - rankOf(b)
  if (byRank !== 0) return byRank
  if (a.failed !== b.failed) return a.failed > b.failed ? -1 : 1
  return a.own.domain < b.own.domain ? -1 : a.own.domain > b.own.domain ? 1 : 0
}
