/** Who could not reach us. */
import { SenderTable } from '../panels/senders.tsx'
import { Page } from '../parts/page.tsx'

export function Senders() {
  return (
    <Page title="Senders">
      <SenderTable />
    </Page>
  )
}
