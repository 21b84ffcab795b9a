/** Signing in with an API token. */
import { useState } from 'preact/hooks'
import { Refused } from '../client.ts'
import { signIn } from '../session.ts'

export function SignIn() {
  const [token, setToken] = useState('')
  const [problem, setProblem] = useState('')
  const [busy, setBusy] = useState(false)
  const submit = async () => {
    setBusy(true)
    setProblem('')
    try {
      await signIn(token.trim())
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      setProblem(error.status === 401 ? 'This is no valid token.' : error.message)
    } finally {
      setBusy(false)
    }
  }
  return (
    <main id="content" class="sign-in">
      <h1>TLS reports</h1>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void submit()
        }}
      >
        <label>
          Token
          <input
            type="password"
            autocomplete="current-password"
            required
            value={token}
            aria-invalid={problem === '' ? undefined : true}
            aria-describedby="sign-in-problem"
            onInput={({ currentTarget: { value } }) => setToken(value)}
          />
        </label>
        <p id="sign-in-problem" role="alert">
          {problem}
        </p>
        <button type="submit" aria-busy={busy} disabled={busy}>
          Sign in
        </button>
      </form>
      <p class="quiet">
        The admin token was shown at the first start and is kept in <code>DATA_DIR/admin-token</code>; others are made
        with <code>npm start -- token create</code>.
      </p>
    </main>
  )
}
