import assert from 'node:assert/strict'
import { test } from 'node:test'
import { remembered } from '../src/remembered.ts'

function counting(most: number) {
  const made: string[] = []
  const find = remembered((key: string) => {
    made.push(key)
    return key === '' ? undefined : key.length
  }, most)
  return { find, made }
}

test('what was made once is found again', () => {
  const { find, made } = counting(10)
  assert.deepEqual([find('a'), find('bb'), find('a')], [1, 2, 1])
  assert.deepEqual(made, ['a', 'bb'])
})

test('it never holds more than it may', () => {
  const { find, made } = counting(2)
  for (const key of ['a', 'b', 'c', 'c', 'a']) find(key)
  assert.deepEqual(made, ['a', 'b', 'c', 'a'])
})

test('what is undefined is made each time', () => {
  const { find, made } = counting(2)
  assert.deepEqual([find(''), find('')], [undefined, undefined])
  assert.deepEqual(made, ['', ''])
})
