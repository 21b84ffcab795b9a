/** "Is anything broken, why, and what do I do?" */
import { useMemo, useState } from 'preact/hooks'
import { api, told, type Schemas } from '../client.ts'
import { useLoad } from '../load.tsx'
import { AddDomain } from '../panels/add-domain.tsx'
import { Calendar } from '../panels/calendar.tsx'
import { Causes } from '../panels/causes.tsx'
import { Daily } from '../panels/daily.tsx'
import { DomainTable } from '../panels/domain-table.tsx'
import { HeatMap } from '../panels/heat-map.tsx'
import { Trust } from '../panels/trust.tsx'
import { Page, Panel } from '../parts/page.tsx'
import { Domain, Said } from '../parts/said.tsx'
import { Assume, useAsked } from '../asked.tsx'
import { count, plural } from '../words.ts'
import { FirstVisit } from './first-visit.tsx'

type Row = Schemas['Domain']
const mostHeadlines = 3
/** Over more of them, what fails where would be one heavy question (docs/performance.md) and a picture of nothing. */
const mostInView = 20

export function Home() {
  const [domains, setDomains] = useState<Row[]>()
  const [added, setAdded] = useState(0)
  const nothingYet = domains?.every(({ state }) => state === 'no-reports') ?? false
  const inView = useMemo(() => neediest(domains), [domains])
  return (
    <Page title="Overview">
      {domains && <Verdict domains={domains} />}
      {nothingYet && (
        <Panel title="Your domains" question="Reports about others are refused.">
          <AddDomain onAdded={() => setAdded((n) => n + 1)} />
        </Panel>
      )}
      {nothingYet && <FirstVisit />}
      <DomainTable key={added} onLoaded={setDomains} />
      {domains && !nothingYet && (
        <Assume domains={inView}>
          {inView && (
            <p class="note">
              Below: the {count(inView.length)} domains in most need, of {count(domains.length)}.
            </p>
          )}
          <div class="columns">
            <Daily />
            <Calendar />
          </div>
          <HeatMap />
          <Causes most={6} />
          <Trust />
        </Assume>
      )}
    </Page>
  )
}

/** The rows come in the order of need; undefined where there are few enough for all of them. */
const neediest = (domains: Row[] | undefined): string[] | undefined =>
  domains && domains.length > mostInView ? domains.slice(0, mostInView).map(({ domain }) => domain) : undefined

/** The one sentence that somebody with five seconds reads. */
function Verdict({ domains }: { domains: Row[] }) {
  const failing = domains.filter(({ state }) => state === 'failing')
  const silent = domains.filter(({ state }) => state === 'silent')
  const isQuiet = domains.every(({ state }) => state === 'no-reports')
  if (domains.length === 0) return null
  if (failing.length === 0) {
    return (
      <p class="headline">
        {isQuiet
          ? 'No report has come yet.'
          : silent.length === 0
            ? 'Nothing is broken, as far as the reports say.'
            : `Nothing is broken, but ${plural(silent.length, 'domain')} went silent, as far as the reports say.`}
      </p>
    )
  }
  return (
    <section class="verdict" aria-label="What is broken">
      {failing.slice(0, mostHeadlines).map((row) => (
        <Broken key={row.domain} row={row} />
      ))}
      {failing.length > mostHeadlines && (
        <p class="quiet">and {plural(failing.length - mostHeadlines, 'domain')} more, below.</p>
      )}
    </section>
  )
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
