/** Who is signed in. The token itself is handed over once and kept nowhere: what stays is a cookie out of our reach. */
import { signal } from '@preact/signals'
import { api, Refused, told, type Schemas } from './client.ts'

export type Session = Schemas['Session']

/** 'unknown' until the service has been asked. */
export const session = signal<Session | 'unknown' | 'none' | Refused>('unknown')

export async function findSession(): Promise<void> {
  try {
    session.value = await told(api.GET('/v1/session', {}))
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    session.value = error.status === 401 ? 'none' : error
  }
}

/** Throws Refused when the token is none. */
export async function signIn(token: string): Promise<void> {
  session.value = await told(api.POST('/v1/session', { body: { token } }))
}

// Whatever is asked, a session may be over: it has expired, or its token was revoked.
api.use({
  onResponse: ({ response, schemaPath }) => {
    if (response.status === 401 && schemaPath !== '/v1/session') sessionEnded()
  },
})

/** What is still being asked is dropped first: its answer would be that nobody is signed in. */
export async function signOut(): Promise<void> {
  session.value = 'unknown'
  try {
    await told(api.DELETE('/v1/session', {}))
    session.value = 'none'
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    session.value = error
  }
}

/** The service no longer knows us. */
export function sessionEnded(): void {
  session.value = 'none'
}

/** What is shown is the service's word anyway; this only saves offering what it would refuse. */
export const mayWrite = (): boolean => {
  const who = session.value
  return (
    typeof who === 'object' && 'scopes' in who && who.scopes.some((scope) => scope === 'write' || scope === 'admin')
  )
}

/** Some acts are for tokens of all domains. */
export const mayWriteAll = (): boolean => {
  const who = session.value
  return mayWrite() && typeof who === 'object' && 'domains' in who && who.domains === null
}
