/** Of many domains, those in most need: over all, most questions would be heavy (docs/performance.md) and pictures of nothing. */
import type { ComponentChildren } from 'preact'
import { useMemo } from 'preact/hooks'
import { api, told } from '../client.ts'
import { Failed, Show, useLoad } from '../load.tsx'
import { Assume, useAsked } from '../asked.tsx'
import type { Question } from '../question.ts'
import { plural } from '../words.ts'

/** More are many. */
const few = 10

/** What the panels are about then: what all of a view ask at once is to be answered in a fifth of a second. */
const mostInView = 3

/**
 * Of the window [from, to), in the order of need, those that were not reported on told apart; `more`: there are others, in
 * no more need than these.
 */
export type Neediest = { from: string; to: string; domains: { domain: string; isUnheard: boolean }[]; more: boolean }

export const neediestQuery = ({ from, to }: Pick<Question, 'from' | 'to'>) =>
  ({ from, to, order_by: 'need', limit: few }) as const

/** What the panels of a view are about; `from` and `to` are the window by which that was decided. */
export type InView = { from: string; to: string } & (
  | { kind: 'all' }
  /** No report has come on any of all. */
  | { kind: 'nothing' }
  | { kind: 'some'; names: string[]; with: 'in most need' | 'with most reports' }
)

/** Where those in most need were not reported on: the domains with most reports. Undefined until that is known. */
export function useInView(neediest: Neediest | undefined): InView | undefined {
  const isQuiet = neediest?.domains.every(({ isUnheard }) => isUnheard) ?? false
  const reported = useReported(isQuiet && neediest?.more === true)
  return useMemo(() => {
    if (!neediest) return undefined
    const { from, to, domains, more } = neediest
    if (!more) return { from, to, kind: isQuiet ? 'nothing' : 'all' }
    // In another order they would be another question.
    const some = (names: string[]) => ({ from, to, kind: 'some', names: names.slice(0, mostInView).sort() }) as const
    if (!isQuiet || reported === 'cannot tell') return { ...some(domains.map(({ domain }) => domain)), with: 'in most need' } // prettier-ignore
    if (!reported) return undefined
    return reported.length === 0 ? { from, to, kind: 'nothing' } : { ...some(reported), with: 'with most reports' }
  }, [neediest, isQuiet, reported])
}

function useReported(wanted: boolean): string[] | 'cannot tell' | undefined {
  const { from, to } = useAsked().question
  const query = wanted ? { from, to, limit: mostInView } : undefined
  const found = useLoad(
    async (signal) => {
      if (!query) return undefined
      const byReports = { ...query, group_by: ['domain'] as 'domain'[], trust: 'any', order_by: '-reports' } as const
      const { data } = await told(api.GET('/v1/summary', { params: { query: byReports }, signal }))
      return data.flatMap(({ domain }) => domain ?? [])
    },
    [query],
  )
  if (found.kind === 'failed') return 'cannot tell'
  return wanted && found.kind === 'done' ? found.value : undefined
}

/**
 * `children` about what is in view, and a note where that is not all; a filter by domain in the address goes before. After
 * a change of the window the ones before are asked about at once: mostly they stay the same. But that there were few says
 * nothing of another window.
 */
export function Narrowed({
  to: inView,
  what = 'Below',
  elsewhere,
  children,
}: {
  to: InView
  /** What the note is about. */
  what?: string | undefined
  /** Where others are found. */
  elsewhere?: ComponentChildren
  children: ComponentChildren
}) {
  // prettier-ignore
  const { from, to, filters } = useAsked().question
  const isOld = inView.from !== from || inView.to !== to
  const about = inView.kind === 'some' && !filters.domain ? inView : undefined
  return (
    <Show of={{ kind: 'done', value: about, stale: isOld && inView.kind !== 'some' }}>
      {(about) => (
        <Assume domains={about?.names}>
          {about && (
            <p class="note">
              {what}: the {plural(about.names.length, 'domain')} {about.with}
              {elsewhere}.
            </p>
          )}
          {children}
        </Assume>
      )}
    </Show>
  )
}

type Props = { what?: string; children: ComponentChildren }

/**
 * As Narrowed, around panels of a view that has no list of domains of its own: it asks for those in most need, unless the
 * address names some.
 */
export function InMostNeed(props: Props) {
  const { filters } = useAsked().question
  return filters.domain ? <>{props.children}</> : <OfNeediest {...props} />
}

function OfNeediest({ what, children }: Props) {
  const { question, link } = useAsked()
  const query = neediestQuery(question)
  const loaded = useLoad(
    async (signal): Promise<Neediest> => {
      const { data, page } = await told(api.GET('/v1/domain-names', { params: { query }, signal }))
      const domains = data.map(({ domain, need }) => ({ domain, isUnheard: need === 'unheard' }))
      return { from: query.from, to: query.to, domains, more: page.next_cursor !== null }
    },
    [query],
  )
  const inView = useInView(loaded.kind === 'done' ? loaded.value : undefined)
  if (loaded.kind === 'failed') return <Failed error={loaded.error} retry={loaded.retry} />
  if (!inView) return <p class="loading" aria-busy="true">Loading …</p> // prettier-ignore
  const elsewhere = (
    <>
      ; for another one, go by the <a href={link('/')}>list of domains</a> to its own page
    </>
  )
  return (
    <Narrowed to={inView} what={what} elsewhere={elsewhere}>
      {children}
    </Narrowed>
  )
}
