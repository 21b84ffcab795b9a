/** One domain: its headline, and every question about it. */
import { api, told, type Schemas } from '../client.ts'
import { Show, useLoad } from '../load.tsx'
import { Calendar } from '../panels/calendar.tsx'
import { Causes } from '../panels/causes.tsx'
import { Daily } from '../panels/daily.tsx'
import { HeatMap } from '../panels/heat-map.tsx'
import { PolicyVersions } from '../panels/policy-versions.tsx'
import { SenderTable } from '../panels/senders.tsx'
import { stateWords } from '../panels/state.ts'
import { Trust } from '../panels/trust.tsx'
import { Page } from '../parts/page.tsx'
import { Domain, Said } from '../parts/said.tsx'
import { Assume, useAsked } from '../asked.tsx'
import { isZero, plural, readableDomain } from '../words.ts'

type Row = Schemas['Domain']

export function DomainView({ params }: { params?: { domain: string } }) {
  const domain = params?.domain ?? ''
  return <OneDomain key={domain} domain={domain} /> // Nothing of one is shown under the name of another.
}

function OneDomain({ domain }: { domain: string }) {
  const { from, to } = useAsked().question
  const loaded = useLoad((signal) => told(api.GET('/v1/domains/{domain}', { params: { path: { domain }, query: { from, to } }, signal })), [domain, from, to]) // prettier-ignore
  return (
    <Page title={readableDomain(domain)} heading={<Domain name={domain} />}>
      <Show of={loaded}>{(row) => <Head row={row} />}</Show>
      {loaded.kind === 'done' && (
        <Assume trust={isUnverified(loaded.value) ? 'unverified' : undefined}>
          <div class="columns">
            <Daily domain={domain} />
            <Calendar domain={domain} />
          </div>
          <HeatMap domain={domain} />
          <Causes domain={domain} />
          <Trust domain={domain} />
          <SenderTable domain={domain} />
          <PolicyVersions domain={domain} />
        </Assume>
      )}
    </Page>
  )
}

/** Where nobody stands behind any report, what is there is shown, and said to be unverified. */
const isUnverified = (row: Row): boolean => isZero(row.reports) && !isZero(row.unverified.reports)

function Head({ row }: { row: Row }) {
  const { question, link } = useAsked()
  const { domain } = row
  return (
    <>
      <p class="headline">
        <span class={`state ${row.state}`}>{stateWords[row.state]}</span> <Said text={row.headline} />
      </p>
      <p class="quiet">
        <a href={link('/reports', { domain })}>Reports</a> ·{' '}
        <a href={link('/failures', { domain, ...(isUnverified(row) && { trust: 'unverified' }) })}>Failures</a> ·{' '}
        <a href={link(`/domains/${domain}/set-up`)}>Set up and check</a>
      </p>
      {isUnverified(row) && question.trust === 'verified' && (
        <p class="note">
          No report on this domain is verified: all came without proof of who sent them. The numbers below are those of{' '}
          {plural(row.unverified.reports, 'unverified report')}.
        </p>
      )}
    </>
  )
}
