/** From the store's values to JSON: snake_case names, RFC 3339 times, exact integers. */
import { z } from 'zod'

/** Sums are exact: beyond 2^53 a JSON number would be rounded by whoever reads it. */
export const countSchema = z
  .union([z.int(), z.string().regex(/^-?\d+$/)])
  .meta({ id: 'Count', description: 'A whole number; as a decimal string where it is beyond 2^53-1.' })

const jsonInteger = (count: bigint): number | string =>
  count >= Number.MIN_SAFE_INTEGER && count <= Number.MAX_SAFE_INTEGER ? Number(count) : String(count)

type Snake<Name extends string> = Name extends `${infer Head}${infer Tail}`
  ? `${Head extends Lowercase<Head> ? Head : `_${Lowercase<Head>}`}${Snake<Tail>}`
  : Name

export type Json<T> = T extends bigint
  ? number | string
  : T extends Date
    ? string
    : T extends readonly (infer Item)[]
      ? Json<Item>[]
      : T extends object
        ? { [Name in keyof T as Name extends string ? Snake<Name> : never]: Json<T[Name]> }
        : T

/** `value` with its names and values as JSON has them, through all its depth. */
export const toJson = <T>(value: T): Json<T> => convert(value) as Json<T>

function convert(value: unknown): unknown {
  if (typeof value === 'bigint') return jsonInteger(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return value.map(convert)
  const made: Record<string, unknown> = {} // By way of entries it takes half as long again.
  for (const name of Object.keys(value)) setMember(made, snake(name), convert((value as Record<string, unknown>)[name]))
  return made
}

/** A stranger's policy type may be the name by which an object's prototype is set. */
function setMember(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__') Object.defineProperty(object, name, { value, enumerable: true })
  else object[name] = value
}

/** The store's names are few, but what strangers call a policy type is a name here too, so it ends somewhere. */
const mostNames = 1_000
const snakes = new Map<string, string>()

/** Worked out once: a page of reports has 3,000 names, and they are thirty. */
function snake(name: string): string {
  const known = snakes.get(name)
  if (known !== undefined) return known
  const made = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  if (snakes.size < mostNames) snakes.set(name, made)
  return made
}
