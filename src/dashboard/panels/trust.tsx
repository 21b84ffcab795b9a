/** "Can I trust this?": what somebody stands behind, and beside it what nobody does. */
import type { Schemas } from '../client.ts'
import { Show, useLoad } from '../load.tsx'
import { Panel } from '../parts/page.tsx'
import { useAsked } from '../asked.tsx'
import { queryOf } from '../question.ts'
import { totalsOf } from './totals.ts'
import { approximately, count, isZero, percent, plural } from '../words.ts'

export function Trust({ domain }: { domain?: string }) {
  const { question, here, link } = useAsked()
  const of = domain === undefined ? {} : { domain }
  const loaded = useLoad(() => totalsOf(question, domain, 'verified'), [queryOf(question, domain)])
  return (
    <Panel
      title="Whose word this is"
      question="A DKIM signature proves who reports, not that the counts are right; HTTPS proves nothing."
    >
      <Show of={loaded}>
        {(totals) => (
          <>
            <dl class="facts">
              <dt>Verified</dt>
              <dd>
                <Sessions of={totals} trust="verified" {...of} />,{' '}
                <a href={link('/reporters')}>{plural(totals.reporters, 'reporter')}</a>
              </dd>
              <dt>Unverified</dt>
              <dd>
                <Sessions of={totals.unverified} trust="unverified" {...of} />{' '}
                {!isZero(totals.unverified.reports) && <a href={here({ trust: 'unverified' })}>show these</a>}
              </dd>
            </dl>
            {isZero(totals.reports) && !isZero(totals.unverified.reports) && question.trust === 'verified' && (
              <p class="note">
                All reports in this window came without proof of who sent them.{' '}
                <a href={here({ trust: 'any' })}>Count them all the same</a>, and take the numbers for what they are.
              </p>
            )}
          </>
        )}
      </Show>
    </Panel>
  )
}

type SessionsProps = {
  of: Pick<Schemas['Totals'], 'successful' | 'failed' | 'reports'>
  trust: 'verified' | 'unverified'
  domain?: string
}

function Sessions({ of, trust, domain }: SessionsProps) {
  const { question, link } = useAsked()
  const filters = { ...question.filters, trust, ...(domain !== undefined && { domain }) }
  const sessions = approximately(of.successful) + approximately(of.failed)
  return (
    <>
      <a href={link('/reports', filters)}>{plural(of.reports, 'report')}</a>:{' '}
      <a href={link('/failures', filters)}>{count(of.failed)}</a> of{' '}
      {of.successful === null ? 'unknown' : count(sessions)} sessions failed
      {of.successful !== null && sessions > 0 && <> ({percent(of.failed, sessions)})</>}
    </>
  )
}
