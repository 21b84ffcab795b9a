/** What to publish, for each domain, and a way to try it. */
import { useState } from 'preact/hooks'
import { useAsked } from '../asked.tsx'
import { api, told } from '../client.ts'
import { AddDomain } from '../panels/add-domain.tsx'
import { Panel, Page } from '../parts/page.tsx'
import { Pages } from '../parts/pages.tsx'
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

function OwnDomains() {
  const { link } = useAsked()
  const [added, setAdded] = useState(0)
  const query = { limit: 50 }
  return (
    <Panel title="Your domains" question="What each publishes, seen from outside, and whether it is safe to enforce.">
      <Pages
        ask={(more, init) => told(api.GET('/v1/domain-names', { params: { query: { ...query, ...more } }, ...init }))}
        on={[added]}
      >
        {(rows) => (
          <ul>
            {rows.map(({ domain }) => (
              <li key={domain}>
                <a href={link(`/domains/${domain}/set-up`)}>
                  Check <Domain name={domain} />
                </a>
              </li>
            ))}
            {rows.length === 0 && <li class="quiet">None yet.</li>}
          </ul>
        )}
      </Pages>
      <AddDomain onAdded={() => setAdded((n) => n + 1)} />
    </Panel>
  )
}
