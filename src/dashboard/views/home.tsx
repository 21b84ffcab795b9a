/** "Is anything broken, why, and what do I do?" */
import { useMemo, useState } from 'preact/hooks'
import type { Schemas } from '../client.ts'
import { Calendar } from '../panels/calendar.tsx'
import { Causes } from '../panels/causes.tsx'
import { Daily } from '../panels/daily.tsx'
import { DomainTable } from '../panels/domain-table.tsx'
import { HeatMap } from '../panels/heat-map.tsx'
import { Trust } from '../panels/trust.tsx'
import { Page } from '../parts/page.tsx'
import { Said } from '../parts/said.tsx'
import { DomainsInView, useAsked } from '../asked.ts'
import { count, plural } from '../words.ts'
import { FirstVisit } from './first-visit.tsx'

type Row = Schemas['Domain']
const mostHeadlines = 3
/** Over more of them, what fails where would be one heavy question (docs/performance.md) and a picture of nothing. */
const mostInView = 20

export function Home() {
  const [domains, setDomains] = useState<Row[]>()
  const nothingYet = domains?.every(({ state }) => state === 'no-reports') ?? false
  const inView = useMemo(() => neediest(domains), [domains])
  return (
    <Page title="Overview">
      {domains && <Verdict domains={domains} />}
      {nothingYet && <FirstVisit />}
      <DomainTable onLoaded={setDomains} />
      {domains && !nothingYet && (
        <DomainsInView.Provider value={inView}>
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
        </DomainsInView.Provider>
      )}
    </Page>
  )
}

/** The rows come in the order of need; undefined where there are few enough for all of them. */
const neediest = (domains: Row[] | undefined): string[] | undefined =>
  domains && domains.length > mostInView ? domains.slice(0, mostInView).map(({ domain }) => domain) : undefined

/** The one sentence that somebody with five seconds reads. */
function Verdict({ domains }: { domains: Row[] }) {
  const { link } = useAsked()
  const failing = domains.filter(({ state }) => state === 'failing')
  const silent = domains.filter(({ state }) => state === 'silent')
  if (domains.length === 0) return null
  if (failing.length === 0) {
    return (
      <p class="headline">
        {silent.length === 0
          ? 'Nothing is broken'
          : `Nothing is broken, but ${plural(silent.length, 'domain')} went silent`}
        , as far as the reports say.
      </p>
    )
  }
  return (
    <section class="verdict" aria-label="What is broken">
      {failing.slice(0, mostHeadlines).map((row) => (
        <p key={row.domain} class="headline">
          <a href={link(`/domains/${row.domain}`)}>
            <strong>{row.domain}</strong>
          </a>
          : <Said text={row.headline} />
        </p>
      ))}
      {failing.length > mostHeadlines && (
        <p class="quiet">and {plural(failing.length - mostHeadlines, 'domain')} more, below.</p>
      )}
    </section>
  )
}
