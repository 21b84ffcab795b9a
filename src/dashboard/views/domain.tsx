/** One domain: its headline, and every question about it. */
import { api, told } from '../client.ts'
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
import { useAsked } from '../asked.ts'
import { readableDomain } from '../words.ts'

export function DomainView({ params }: { params?: { domain: string } }) {
  const domain = decodeURIComponent(params?.domain ?? '')
  const { question, link } = useAsked()
  const { from, to } = question
  const loaded = useLoad((signal) => told(api.GET('/v1/domains/{domain}', { params: { path: { domain }, query: { from, to } }, signal })), [domain, from, to]) // prettier-ignore
  return (
    <Page title={readableDomain(domain)} heading={<Domain name={domain} />}>
      <Show of={loaded}>
        {(row) => (
          <>
            <p class="headline">
              <span class={`state ${row.state}`}>{stateWords[row.state]}</span> <Said text={row.headline} />
            </p>
            <p class="quiet">
              <a href={link('/reports', { domain })}>Reports</a> · <a href={link('/failures', { domain })}>Failures</a>
            </p>
          </>
        )}
      </Show>
      <div class="columns">
        <Daily domain={domain} />
        <HeatMap domain={domain} />
      </div>
      <Causes domain={domain} />
      <div class="columns">
        <Calendar domain={domain} />
        <Trust domain={domain} />
      </div>
      <SenderTable domain={domain} />
      <PolicyVersions domain={domain} />
    </Page>
  )
}
