/** The totals of a question, for which two panels of a view ask at once: the service is asked once. */
import { api, told, type Schemas } from '../client.ts'
import { queryOf, type Question, type Trust } from '../question.ts'

const underWay = new Map<string, Promise<Schemas['Totals']>>()

/** Throws Refused. */
export function totalsOf(question: Question, domain: string | undefined, trust: Trust): Promise<Schemas['Totals']> {
  const query = { ...queryOf(question, domain), trust }
  const key = JSON.stringify(query)
  const asked = underWay.get(key) ?? ask(query).finally(() => underWay.delete(key))
  underWay.set(key, asked)
  return asked
}

const ask = async (query: ReturnType<typeof queryOf> & { trust: Trust }): Promise<Schemas['Totals']> =>
  (await told(api.GET('/v1/summary', { params: { query } }))).totals
