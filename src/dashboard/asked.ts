/** The question in the address of now, for views. */
import { useLocation } from 'preact-iso'
import { useMemo } from 'preact/hooks'
import { makeLink, readQuestion, type Question } from './question.ts'

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

/** The question in the address of now; views are drawn anew when it changes. */
export function useAsked(): Asked {
  const { url, path, route } = useLocation()
  return useMemo(() => {
    const search = new URL(url, location.origin).searchParams
    return {
      question: readQuestion(search, new Date().toISOString().slice(0, 10)),
      path,
      search,
      link: (to, changes) => makeLink(search, to, changes),
      here: (changes) => makeLink(search, path, changes, { keepFilters: true }),
      go: (address) => route(address),
    }
  }, [url, path])
}
