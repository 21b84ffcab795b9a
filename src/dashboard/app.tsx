/** Who is here decides what is shown: the sign-in, or the view that the address names. */
import { LocationProvider, Route, Router } from 'preact-iso'
import { Asking } from './asked.tsx'
import { Refused } from './client.ts'
import { Failed } from './load.tsx'
import { findSession, session } from './session.ts'
import { Shell } from './shell.tsx'
import { Arrivals } from './views/arrivals.tsx'
import { DomainView } from './views/domain.tsx'
import { DomainSetUp } from './views/domain-set-up.tsx'
import { Failures } from './views/failures.tsx'
import { Home } from './views/home.tsx'
import { NoSuchView } from './views/no-such-view.tsx'
import { Policies } from './views/policies.tsx'
import { ReportView } from './views/report.tsx'
import { Reporters } from './views/reporters.tsx'
import { Reports } from './views/reports.tsx'
import { Senders } from './views/senders.tsx'
import { SetUp } from './views/set-up.tsx'
import { SignIn } from './views/sign-in.tsx'
import { SubmissionView } from './views/submission.tsx'

export function App() {
  const who = session.value
  if (who === 'unknown') return <p class="loading" aria-busy="true">Loading …</p> // prettier-ignore
  if (who === 'none') return <SignIn />
  if (who instanceof Refused) return <main id="content"><Failed error={who} retry={() => void findSession()} /></main> // prettier-ignore
  return (
    <LocationProvider>
      <Asking>
        <Shell who={who}>
          <Router>
            <Route path="/" component={Home} />
            <Route path="/domains/:domain" component={DomainView} />
            <Route path="/domains/:domain/set-up" component={DomainSetUp} />
            <Route path="/failures" component={Failures} />
            <Route path="/reports" component={Reports} />
            <Route path="/reports/:key" component={ReportView} />
            <Route path="/reporters" component={Reporters} />
            <Route path="/senders" component={Senders} />
            <Route path="/policies" component={Policies} />
            <Route path="/arrivals" component={Arrivals} />
            <Route path="/submissions/:key" component={SubmissionView} />
            <Route path="/set-up" component={SetUp} />
            <Route default component={NoSuchView} />
          </Router>
        </Shell>
      </Asking>
    </LocationProvider>
  )
}
