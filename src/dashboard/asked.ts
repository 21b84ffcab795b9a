/** The question in the address of now, for views. */
import { createContext } from 'preact'
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

/** The domains that a part of a view is about, where the address names none: see views/home.tsx. */
export const DomainsInView = createContext<readonly string[] | undefined>(undefined)

/** Whose word counts in a part of a view, where the address does not say: see views/domain.tsx. */
export const TrustInView = createContext<Trust | undefined>(undefined)

/** The question in the address of now; views are drawn anew when it changes. */
export function useAsked(): Asked {
  const { url, path, route } = useLocation()
  const inView = useContext(DomainsInView)
  const assumed = useContext(TrustInView)
  return useMemo(() => {
    const search = new URL(url, location.origin).searchParams
    const trust = search.has('trust') ? undefined : assumed
    const asked = about(readQuestion(search, new Date().toISOString().slice(0, 10)), inView)
    return {
      question: trust ? { ...asked, trust } : asked,
      path,
      search,
      link: (to, changes) => makeLink(search, to, { ...(trust && { trust }), ...changes }),
      here: (changes) => makeLink(search, path, changes, { keepFilters: true }),
      go: (address) => route(address),
    }
  }, [url, path, inView, assumed])
}

const about = (question: Question, domains: readonly string[] | undefined): Question =>
  domains && !question.filters.domain
    ? { ...question, filters: { ...question.filters, domain: [...domains] } }
    : question
