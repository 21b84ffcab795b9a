/** What to publish, and a way to try it. */
import { Page } from '../parts/page.tsx'
import { FirstVisit } from './first-visit.tsx'

export function SetUp() {
  return (
    <Page title="Set up">
      <FirstVisit />
    </Page>
  )
}
