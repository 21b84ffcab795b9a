/** The question in the address of now, for views. */
import { createContext, type ComponentChildren } from 'preact'
import { useLocation } from 'preact-iso'
import { useContext, useMemo } from 'preact/hooks'
import { makeLink, readQuestion, type Question, type Trust } from './question.ts'

export type Asked = {
  question: Question
  path: string
  search: URLSearchParams
  /** See makeLink. */
  link: (path: string, changes?: Record<string, string | string[] | undefined>) => string
  /** This view with some filters changed. */
  here: (changes: Record<string, string | string[] | undefined>) => string
  go: (address: string) => void
}

const Now = createContext<Asked | undefined>(undefined)

/** What is asked here and now; who uses it is drawn anew when that changes. */
export function useAsked(): Asked {
  const asked = useContext(Now)
  if (!asked) throw new Error('nothing is asked outside of <Asking>')
  return asked
}

/** Around everything: the question in the address. */
export function Asking({ children }: { children: ComponentChildren }) {
  const { url, path, route } = useLocation()
  const asked = useMemo((): Asked => {
    const search = new URL(url, location.origin).searchParams
    return {
      question: readQuestion(search, new Date().toISOString().slice(0, 10)),
      path,
      search,
      link: (to, changes) => makeLink(search, to, changes),
      here: (changes) => makeLink(search, path, changes, { keepFilters: true }),
      go: (address) => route(address),
    }
  }, [url, path, route])
  return <Now.Provider value={asked}>{children}</Now.Provider>
}

/** Around what is on view until the next answer is there: it goes on saying, and linking to, what it was the answer to. */
export function AskedBefore({ asked, children }: { asked: Asked; children: ComponentChildren }) {
  return <Now.Provider value={asked}>{children}</Now.Provider>
}

/** Around a part of a view: the domains that it is about, and whose word counts, where the address does not say. */
export function Assume({
  domains,
  trust,
  children,
}: {
  domains?: readonly string[] | undefined
  trust?: Trust | undefined
  children: ComponentChildren
}) {
  // prettier-ignore
  const asked = useAsked()
  const assumed = useMemo(() => assume(asked, domains, trust), [asked, domains, trust])
  return <Now.Provider value={assumed}>{children}</Now.Provider>
}

function assume(asked: Asked, domains: readonly string[] | undefined, trust: Trust | undefined): Asked {
  const { question, search } = asked
  const { filters } = question
  const about = domains && !filters.domain ? { ...filters, domain: [...domains] } : filters
  if (!trust || search.has('trust')) return { ...asked, question: { ...question, filters: about } }
  return {
    ...asked,
    question: { ...question, filters: about, trust },
    link: (to, changes) => asked.link(to, { trust, ...changes }),
  }
}
