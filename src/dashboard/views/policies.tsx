/** Which policies senders apply. */
import { PolicyVersions } from '../panels/policy-versions.tsx'
import { Page } from '../parts/page.tsx'

export function Policies() {
  return (
    <Page title="Policies">
      <PolicyVersions />
    </Page>
  )
}
