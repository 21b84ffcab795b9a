/** Reporters: by day, and whom to believe. */
import { Calendar } from '../panels/calendar.tsx'
import { InMostNeed } from '../panels/in-most-need.tsx'
import { Standing } from '../panels/standing.tsx'
import { Page } from '../parts/page.tsx'

export function Reporters() {
  return (
    <Page title="Reporters">
      <InMostNeed what="Reporters by day">
        <Calendar />
      </InMostNeed>
      <Standing />
    </Page>
  )
}
