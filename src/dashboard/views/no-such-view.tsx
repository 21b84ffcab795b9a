/** For addresses that nothing answers to. */
import { Page } from '../parts/page.tsx'
import { useAsked } from '../asked.tsx'

export function NoSuchView() {
  const { link } = useAsked()
  return (
    <Page title="There is no such page">
      <p>
        <a href={link('/')}>To the overview</a>
      </p>
    </Page>
  )
}
