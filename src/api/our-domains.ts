/** What is ours by now: the domains that are listed and, under POLICY_DOMAINS=*, those that were reported on. */
import { reportedDomains, type ListedDomain } from '../store/domains.ts'
import type { Visible, Window } from '../store/question.ts'
import type { ApiDeps } from './route.ts'

/** Sorted by name. */
export async function ourDomains(deps: ApiDeps, window: Window, visible: Visible): Promise<ListedDomain[]> {
  if (!deps.ownDomains.any) return listedDomains(deps, visible)
  return withListed(deps, await reportedDomains(deps.db, window, visible), visible)
}

/** The listed ones and, of these names, the others: sorted by name. The caller knows that they are ours. */
export async function withListed(deps: ApiDeps, names: readonly string[], visible: Visible): Promise<ListedDomain[]> {
  const listed = await listedDomains(deps, visible)
  const isListed = new Set(listed.map(({ domain }) => domain))
  const unlisted = names
    .filter((domain) => !isListed.has(domain))
    .map((domain): ListedDomain => ({
      domain,
      includeSubdomains: true,
      mx: [],
      source: 'environment',
      createdAt: undefined,
    }))
  return [...listed, ...unlisted].sort((a, b) => (a.domain < b.domain ? -1 : 1))
}

const listedDomains = async ({ ownDomains }: ApiDeps, visible: Visible): Promise<ListedDomain[]> =>
  (await ownDomains.list()).filter(({ domain }) => visible === undefined || visible.includes(domain))
