/** The page's addresses: a link is a question. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { daysOf, makeLink, queryOf, readQuestion, windowOf } from '../../src/dashboard/question.ts'

const today = '2026-03-02'
const read = (search: string) => readQuestion(new URLSearchParams(search), today)

test('without a word the window is the last 30 days, today included, of verified reports', () => {
  assert.deepEqual(read(''), { from: '2026-02-01', to: '2026-03-03', trust: 'verified', filters: {} })
  assert.equal(daysOf('2026-02-01', '2026-03-03').length, 30)
})

test('days count back from today, and explicit days win', () => {
  assert.equal(read('days=7').from, '2026-02-24')
  assert.deepEqual({ ...read('from=2026-01-01&to=2026-01-08') }, { from: '2026-01-01', to: '2026-01-08', trust: 'verified', filters: {} }) // prettier-ignore
})

test('what makes no sense is left out, and never throws', () => {
  for (const search of ['days=-1', 'days=x', 'days=1e99', 'from=2026-13-99', 'from=2027-01-01', 'to=soon', 'trust=all'])
    assert.deepEqual(read(search), read(''), search)
})

test('filters are repeatable, and an empty one stands for what the sender did not say', () => {
  assert.deepEqual(read('result_type=a&result_type=b&receiving_mx_hostname=').filters, {
    result_type: ['a', 'b'],
    receiving_mx_hostname: [''],
  })
})

test('a link to another view keeps the window and whose word counts, and drops the filters', () => {
  const search = new URLSearchParams('days=7&trust=any&domain=a.example')
  assert.equal(makeLink(search, '/reports'), '/reports?days=7&trust=any')
  assert.equal(makeLink(search, '/reports', { reporter: 'b.example' }), '/reports?days=7&trust=any&reporter=b.example')
})

test('a change of this view keeps its other filters', () => {
  const search = new URLSearchParams('days=7&domain=a.example&domain=b.example')
  const here = (changes: Record<string, string | string[] | undefined>) => makeLink(search, '/failures', changes, { keepFilters: true }) // prettier-ignore
  assert.equal(here({ domain: ['b.example'] }), '/failures?days=7&domain=b.example')
  assert.equal(here({ days: undefined, domain: [] }), '/failures')
})

test('a bucket stands for the days of it that are in the window', () => {
  const window = { from: '2026-01-15', to: '2026-02-03' }
  const days = (bucket: string, interval: 'day' | 'week' | 'month') => {
    const { from, to } = windowOf(bucket, interval, window)
    return [from, to]
  }
  assert.deepEqual(days('2026-01-31', 'day'), ['2026-01-31', '2026-02-01'])
  assert.deepEqual(days('2026-01-12', 'week'), ['2026-01-15', '2026-01-19'])
  assert.deepEqual(days('2026-01-01', 'month'), ['2026-01-15', '2026-02-01'])
  assert.deepEqual(days('2026-02-01', 'month'), ['2026-02-01', '2026-02-03'])
})

test('what is asked of reports alone is in no question for numbers', () => {
  const { filters } = read('anomaly=a&standing=excluded&domain=a.example')
  assert.deepEqual(queryOf({ ...read(''), filters }), { from: '2026-02-01', to: '2026-03-03', domain: ['a.example'] })
})
