/** Who could not reach us. */
import { InMostNeed } from '../panels/in-most-need.tsx'
import { SenderTable } from '../panels/senders.tsx'
import { Page } from '../parts/page.tsx'

export function Senders() {
  return (
    <Page title="Senders">
      <InMostNeed>
        <SenderTable />
      </InMostNeed>
    </Page>
  )
}
