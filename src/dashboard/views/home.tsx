/** "Is anything broken, why, and what do I do?" */
import { useMemo, useState } from 'preact/hooks'
import { api, told, type Schemas } from '../client.ts'
import { useLoad } from '../load.tsx'
import { AddDomain } from '../panels/add-domain.tsx'
import { Calendar } from '../panels/calendar.tsx'
import { Causes } from '../panels/causes.tsx'
import { Daily } from '../panels/daily.tsx'
import { DomainTable, type FirstPage } from '../panels/domain-table.tsx'
import { HeatMap } from '../panels/heat-map.tsx'
import { Narrowed, useInView, type Neediest } from '../panels/in-most-need.tsx'
import { Trust } from '../panels/trust.tsx'
import { Page, Panel } from '../parts/page.tsx'
import { Domain, Said } from '../parts/said.tsx'
import { useAsked } from '../asked.tsx'
import { count, plural } from '../words.ts'
import { FirstVisit } from './first-visit.tsx'

type Row = Schemas['Domain']
const mostHeadlines = 3

export function Home() {
  const [first, setFirst] = useState<FirstPage>()
  const [added, setAdded] = useState(0)
  const neediest = useMemo(() => first && neediestOf(first), [first])
  const inView = useInView(neediest)
  const nothingYet = inView?.kind === 'nothing'
  return (
    <Page title="Overview">
      {first && <Verdict {...first} />}
      {nothingYet && (
        <Panel title="Your domains" question="Reports about others are refused.">
          <AddDomain onAdded={() => setAdded((n) => n + 1)} />
        </Panel>
      )}
      {nothingYet && <FirstVisit />}
      <DomainTable key={added} onLoaded={setFirst} />
      {inView && !nothingYet && (
        <Narrowed to={inView}>
          <div class="columns">
            <Daily />
            <Calendar />
          </div>
          <HeatMap />
          <Causes most={inView.kind === 'some' ? 3 : 6} />
          <Trust />
        </Narrowed>
      )}
    </Page>
  )
}

const neediestOf = ({ rows, ...rest }: FirstPage): Neediest => ({
  ...rest,
  domains: rows.map(({ domain, state }) => ({ domain, isUnheard: state === 'no-reports' })),
})

/** The one sentence that somebody with five seconds reads. */
function Verdict({ rows: domains, more }: FirstPage) {
  const failing = domains.filter(({ state }) => state === 'failing')
  const isQuiet = domains.every(({ state }) => state === 'no-reports')
  if (domains.length === 0) return null
  if (failing.length === 0) {
    return (
      <p class="headline">
        {!isQuiet
          ? `Nothing is broken${butSilent(domains, more)}, as far as the reports say.`
          : more
            ? `Nothing is broken, as far as the reports say; on the ${count(domains.length)} domains below none has come yet.`
            : 'No report has come yet.'}
      </p>
    )
  }
  const others = failing.length - mostHeadlines
  const mayBeMore = more && failing.length === domains.length
  return (
    <section class="verdict" aria-label="What is broken">
      {failing.slice(0, mostHeadlines).map((row) => (
        <Broken key={row.domain} row={row} />
      ))}
      {others > 0 && (
        <p class="quiet">
          and {mayBeMore && 'at least '}
          {plural(others, 'domain')} more, below.
        </p>
      )}
    </section>
  )
}

/** Behind healthy ones come healthy ones only. */
function butSilent(domains: Row[], more: boolean): string {
  const silent = domains.filter(({ state }) => state === 'silent').length
  const mayBeMore = more && domains.at(-1)?.state !== 'healthy'
  return silent === 0 ? '' : `, but ${mayBeMore ? 'at least ' : ''}${plural(silent, 'domain')} went silent`
}

function Broken({ row: { domain, headline, top_cause: cause, trust } }: { row: Row }) {
  const { link } = useAsked()
  const types = useLoad((signal) => told(api.GET('/v1/result-types', { signal })), [])
  const known = types.kind === 'done' ? types.value.data.find(({ name }) => name === cause?.result_type) : undefined
  const evidence = cause && { domain, result_type: cause.result_type, receiving_mx_hostname: cause.receiving_mx_hostname ?? '', ...(trust === 'unverified' && { trust }) } // prettier-ignore
  return (
    <>
      <p class="headline">
        <a href={link(`/domains/${domain}`)}>
          <strong>
            <Domain name={domain} />
          </strong>
        </a>
        : <Said text={headline} />
      </p>
      {evidence && (
        <p>
          {known && (
            <>
              <strong>To do:</strong> {known.fix}{' '}
            </>
          )}
          <a href={link('/failures', evidence)}>The evidence</a>
        </p>
      )}
    </>
  )
}
