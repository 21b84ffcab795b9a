/** What stands around every view: where to go, the window, whose word counts, and the filters that are on. */
import type { ComponentChildren } from 'preact'
import { useAsked } from './asked.tsx'
import { addDays, daysBetween, filterNames, type FilterName, type Trust } from './question.ts'
import { Said } from './parts/said.tsx'
import { signOut, type Session } from './session.ts'
import { day } from './words.ts'

const places = [
  ['/', 'Overview'],
  ['/failures', 'Failures'],
  ['/reports', 'Reports'],
  ['/reporters', 'Reporters'],
  ['/senders', 'Senders'],
  ['/policies', 'Policies'],
  ['/arrivals', 'Arrivals'],
  ['/set-up', 'Set up'],
] as const

export function Shell({ who, children }: { who: Session; children: ComponentChildren }) {
  const { path, link } = useAsked()
  return (
    <>
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <header class="top">
        <a class="brand" href={link('/')}>
          TLS reports
        </a>
        <nav aria-label="Views">
          <ul>
            {places.map(([to, name]) => (
              <li key={to}>
                <a href={link(to)} aria-current={path === to ? 'page' : undefined}>
                  {name}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <p class="who">
          <Said text={who.name} />{' '}
          <button type="button" class="outline small" onClick={() => void signOut()}>
            Sign out
          </button>
        </p>
      </header>
      <QuestionBar />
      {children}
      <footer class="quiet">
        All days and times are UTC. Every number here is one of the REST API:{' '}
        <a href="/docs" target="_blank" rel="noopener">
          its documentation
        </a>
        .
      </footer>
    </>
  )
}

const spans = [7, 30, 90, 365]
const trusts: Record<Trust, string> = {
  verified: 'verified reports',
  unverified: 'unverified reports',
  any: 'all reports',
}

function QuestionBar() {
  const { question, here, go } = useAsked()
  const { from, to, trust } = question
  const span = daysBetween(from, to)
  const tomorrow = addDays(new Date().toISOString().slice(0, 10), 1)
  const isSpan = to === tomorrow && spans.includes(span)
  return (
    <form class="question" aria-label="What is asked" onSubmit={(event) => event.preventDefault()}>
      <label>
        Window
        <select
          value={isSpan ? String(span) : 'own'}
          onChange={({ currentTarget: { value } }) =>
            go(here(value === 'own' ? { days: undefined, from, to } : { days: value, from: undefined, to: undefined }))
          }
        >
          {spans.map((days) => (
            <option key={days} value={String(days)}>
              last {days} days
            </option>
          ))}
          <option value="own">from … to …</option>
        </select>
      </label>
      <label>
        From
        <input
          type="date"
          value={from}
          max={addDays(to, -1)}
          onChange={({ currentTarget: { value } }) => value !== '' && go(here({ days: undefined, from: value, to }))}
        />
      </label>
      <label>
        To
        <input
          type="date"
          value={addDays(to, -1)}
          min={from}
          onChange={({ currentTarget: { value } }) =>
            value !== '' && go(here({ days: undefined, from, to: addDays(value, 1) }))
          }
        />
      </label>
      <label>
        Numbers of
        <select
          value={trust}
          onChange={({ currentTarget: { value } }) => go(here({ trust: value === 'verified' ? undefined : value }))}
        >
          {Object.entries(trusts).map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <p class="quiet window">
        {day(from)} to {day(addDays(to, -1))}, UTC
      </p>
      <FilterChips />
    </form>
  )
}

const filterLabels: Record<FilterName, string> = {
  domain: 'Domain',
  policy_domain: 'Policy domain',
  policy_type: 'Policy type',
  result_type: 'Result type',
  receiving_mx_hostname: 'MX',
  reporter: 'Reporter',
  organization: 'Organization',
  sending_mta_ip: 'Sending MTA',
  failure_reason_code: 'Reason code',
  anomaly: 'Anomaly',
  standing: 'Standing',
}

/** The filters of the address, each to be taken away. */
function FilterChips() {
  const { question, here } = useAsked()
  const chips = filterNames.flatMap((name) => (question.filters[name] ?? []).map((value) => ({ name, value })))
  if (chips.length === 0) return null
  return (
    <ul class="chips" aria-label="Filters">
      {chips.map(({ name, value }) => (
        <li key={`${name} ${value}`}>
          <a
            href={here({ [name]: (question.filters[name] ?? []).filter((other) => other !== value) })}
            aria-label={`Remove the filter ${filterLabels[name]} ${value}`}
          >
            {filterLabels[name]}: <Said text={value === '' ? null : value} absent="not said" />{' '}
            <span aria-hidden="true">×</span>
          </a>
        </li>
      ))}
    </ul>
  )
}
