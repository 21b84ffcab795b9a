/** Who could not reach us. */
import { InMostNeed } from '../panels/in-most-need.tsx'
import { SenderTable } from '../panels/senders.tsx'
import { Page } from '../parts/page.tsx'

/** Addresses are in the details only, and these are many: of the largest domains of 5,000 five take 150 ms, ten 280. */
const mostInView = 5

export function Senders() {
  return (
    <Page title="Senders">
      <InMostNeed most={mostInView}>
        <SenderTable />
      </InMostNeed>
    </Page>
  )
}
