/** "Why, and what do I do?": a card for each cause, with what it means, the evidence and the fix. */
import { api, told, type Schemas } from '../client.ts'
import { Show, useLoad } from '../load.tsx'
import { Copyable } from '../parts/copy.tsx'
import { CsvButton } from '../parts/csv.tsx'
import { Details } from '../parts/details.tsx'
import { Panel } from '../parts/page.tsx'
import { Domain, Said } from '../parts/said.tsx'
import { useAsked } from '../asked.tsx'
import { count, days, isZero, plural } from '../words.ts'
import { LiveProof } from './live-proof.tsx'
import { recipes } from './recipes.ts'

type Cause = Schemas['Cause']

export function Causes({ domain, most = 12 }: { domain?: string; most?: number }) {
  const { question } = useAsked()
  const { result_type, receiving_mx_hostname } = question.filters
  const query = {
    from: question.from,
    to: question.to,
    trust: question.trust,
    ...(domain !== undefined ? { domain: [domain] } : question.filters.domain && { domain: question.filters.domain }),
    ...(result_type && { result_type }),
    ...(receiving_mx_hostname && { receiving_mx_hostname }),
    limit: most,
  }
  const loaded = useLoad((signal) => told(api.GET('/v1/causes', { params: { query }, signal })), [query])
  return (
    <Panel
      title="Why, and what to do"
      question="What goes on first, then what is over."
      actions={<CsvButton path="/v1/causes" query={query} />}
    >
      <Show of={loaded}>
        {({ data, page }) =>
          data.length === 0 ? (
            <p class="quiet">
              Nothing failed in this window, as far as {question.trust === 'any' ? 'the' : question.trust} reports say.
            </p>
          ) : (
            <>
              <div class="cards">
                {data.map((cause) => (
                  <CauseCard
                    key={`${cause.domain} ${cause.result_type} ${cause.receiving_mx_hostname ?? ''}`}
                    cause={cause}
                    showDomain={domain === undefined}
                  />
                ))}
              </div>
              {page.next_cursor !== null && (
                <p class="quiet">The {data.length} that matter most; the CSV has them all.</p>
              )}
            </>
          )
        }
      </Show>
    </Panel>
  )
}

/** What it means for mail, under the policies it was seen with: DANE knows no testing (RFC 7672 §2.2), MTA-STS does (RFC 8461 §5). */
function deliveryOf({ enforce_refuses: refuses, policy_types: types }: Cause): string {
  if (refuses === null) return 'A result type of the sender’s own: only that sender can say what it means for delivery.'
  if (!refuses)
    return 'Mail is delivered, under testing and under enforce alike; but perhaps without the protection of the policy.'
  const [tlsa, sts] = [types.includes('tlsa'), types.includes('sts')]
  if (tlsa && sts)
    return 'By MTA-STS mail is delivered under testing and refused under enforce; DANE is always enforced, so a sender that follows it refuses to deliver to this host.'
  if (tlsa) return 'DANE is always enforced: a sender that follows it refuses to deliver to this host.'
  if (sts)
    return 'Under testing the mail is delivered all the same; under enforce a sender refuses to deliver it to this host.'
  return 'Without a policy the mail is delivered all the same; under an enforced one a sender would refuse to deliver it to this host.'
}

export function CauseCard({ cause, showDomain }: { cause: Cause; showDomain: boolean }) {
  const { question, link } = useAsked()
  const failed = isZero(cause.failed) ? cause.unverified.failed : cause.failed
  const evidence = {
    domain: cause.domain,
    result_type: cause.result_type,
    receiving_mx_hostname: cause.receiving_mx_hostname ?? '',
    ...(isZero(cause.failed) && { trust: 'unverified' }),
  }
  const snippets =
    recipes[cause.result_type]?.({ domain: cause.domain, mx: cause.receiving_mx_hostname ?? undefined }) ?? []
  return (
    <article class={`card cause ${cause.ongoing ? 'ongoing' : 'over'}`}>
      <h3>
        <Said text={cause.result_type} /> <small class="quiet">{cause.ongoing ? 'going on' : 'over'}</small>
      </h3>
      {showDomain && (
        <p>
          <a href={link(`/domains/${cause.domain}`)}>
            <Domain name={cause.domain} />
          </a>
        </p>
      )}
      <p class="headline">
        <Said text={cause.headline} />
      </p>
      {cause.meaning !== null && <p>{cause.meaning}</p>}
      {cause.because !== null && (
        <p>
          <strong>Because:</strong> <Said text={cause.because} />
        </p>
      )}
      <LiveProof live={cause.live} />
      <p class="quiet">{deliveryOf(cause)}</p>
      <p>
        <a href={link('/failures', evidence)}>{plural(failed, 'failed session')}</a>,{' '}
        {isZero(cause.reporters) ? 'no verified reporter' : plural(cause.reporters, 'verified reporter')},{' '}
        {days(cause.first_seen, cause.last_seen)}
        {question.trust === 'verified' && !isZero(cause.unverified.failed) && !isZero(cause.failed) && (
          <>
            ; beside them{' '}
            <a href={link('/failures', { ...evidence, trust: 'unverified' })}>
              {count(cause.unverified.failed)} unverified
            </a>
          </>
        )}
      </p>
      {cause.reason_codes.length > 0 && (
        <p class="quiet">
          Reasons given:{' '}
          {cause.reason_codes.map(({ failure_reason_code: code, failed: sessions }, i) => (
            <span key={i}>
              {i > 0 && ', '}
              <Said text={code} absent="none" /> (
              <a href={link('/failures', { ...evidence, failure_reason_code: code })}>{count(sessions)}</a>)
            </span>
          ))}
        </p>
      )}
      {cause.fix !== null && (
        <p>
          <strong>To do:</strong> {cause.fix}
        </p>
      )}
      {snippets.map(({ name, text }) => (
        <Details key={name} summary={name}>
          {() => <Copyable text={text} label={`${name}: ${cause.result_type}`} />}
        </Details>
      ))}
    </article>
  )
}
