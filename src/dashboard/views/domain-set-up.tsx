/** One domain seen from outside: what is wrong with what it publishes, what to publish, and whether it may be enforced. */
import { useState } from 'preact/hooks'
import { useAsked } from '../asked.tsx'
import { CheckHistory, Findings } from '../panels/findings.tsx'
import { Readiness } from '../panels/readiness.tsx'
import { RecordsToPublish } from '../panels/records.tsx'
import { Page } from '../parts/page.tsx'
import { Domain } from '../parts/said.tsx'
import { readableDomain } from '../words.ts'

export function DomainSetUp({ params }: { params?: { domain: string } }) {
  const domain = decodeURIComponent(params?.domain ?? '')
  const { link } = useAsked()
  const [made, setMade] = useState(0)
  return (
    <Page
      title={`Set up ${readableDomain(domain)}`}
      heading={
        <>
          Set up <Domain name={domain} />
        </>
      }
    >
      <p class="quiet">
        <a href={link(`/domains/${domain}`)}>What its reports say</a>
      </p>
      <Findings domain={domain} made={made} onMade={() => setMade((n) => n + 1)} />
      <div class="columns">
        <Readiness domain={domain} made={made} />
        <RecordsToPublish domain={domain} made={made} />
      </div>
      <CheckHistory domain={domain} made={made} />
    </Page>
  )
}
