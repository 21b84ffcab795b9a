/** What to publish, for each domain, and a way to try it. */
import { useState } from 'preact/hooks'
import { useAsked } from '../asked.tsx'
import { api, told } from '../client.ts'
import { Show, useLoad } from '../load.tsx'
import { AddDomain } from '../panels/add-domain.tsx'
import { Panel, Page } from '../parts/page.tsx'
import { Domain } from '../parts/said.tsx'
import { FirstVisit } from './first-visit.tsx'

export function SetUp() {
  return (
    <Page title="Set up">
      <OwnDomains />
      <FirstVisit />
    </Page>
  )
}

const mostDomains = 100

function OwnDomains() {
  const { link } = useAsked()
  const [added, setAdded] = useState(0)
  const loaded = useLoad((signal) => told(api.GET('/v1/domains', { params: { query: { limit: mostDomains } }, signal })), [added]) // prettier-ignore
  return (
    <Panel title="Your domains" question="What each publishes, seen from outside, and whether it is safe to enforce.">
      <Show of={loaded}>
        {({ data, page }) => (
          <ul>
            {data.map(({ domain }) => (
              <li key={domain}>
                <a href={link(`/domains/${domain}/set-up`)}>
                  Check <Domain name={domain} />
                </a>
              </li>
            ))}
            {data.length === 0 && <li class="quiet">None yet.</li>}
            {page.next_cursor !== null && <li class="quiet">and more: each domain’s own page has the link.</li>}
          </ul>
        )}
      </Show>
      <AddDomain onAdded={() => setAdded((n) => n + 1)} />
    </Panel>
  )
}
