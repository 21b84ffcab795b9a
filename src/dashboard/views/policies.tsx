/** Which policies senders apply. */
import { InMostNeed } from '../panels/in-most-need.tsx'
import { PolicyVersions } from '../panels/policy-versions.tsx'
import { Page } from '../parts/page.tsx'

export function Policies() {
  return (
    <Page title="Policies">
      <InMostNeed>
        <PolicyVersions />
      </InMostNeed>
    </Page>
  )
}
