/** As much of JSON Schema 2020-12 as the OpenAPI document uses; a keyword it does not know is an error, not a pass. */

export type Schema = Record<string, unknown>

/** What is wrong with `value`, each with a JSON pointer; [] when nothing is. `$ref`s lead into `document`. */
export function violations(document: Schema, schema: Schema, value: unknown, at = ''): string[] {
  return Object.entries(schema).flatMap(([keyword, wanted]) => {
    const check = keywords[keyword]
    if (!check) throw new Error(`the keyword '${keyword}' is not known here`)
    return check({ document, schema, value, at }, wanted as never)
  })
}

type Place = { document: Schema; schema: Schema; value: unknown; at: string }

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const types: Record<string, (value: unknown) => boolean> = {
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === 'boolean',
  null: (value) => value === null,
  array: Array.isArray,
  object: isObject,
}

const formats: Record<string, RegExp> = {
  date: /^\d{4}-\d\d-\d\d$/,
  'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/,
  uuid: /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/,
  binary: /^/,
}

const fails = (ok: boolean, { at, value }: Place, wanted: unknown): string[] =>
  ok ? [] : [`${at}: ${JSON.stringify(value)} is not ${JSON.stringify(wanted)}`]

const inner = (place: Place, schema: Schema, name: string, value: unknown) =>
  violations(place.document, schema, value, `${place.at}/${name}`)

const keywords: Record<string, (place: Place, wanted: never) => string[]> = {
  $ref: (place, path: string) => {
    const target = path.slice(2).split('/').reduce((node, name) => node[name] as Schema, place.document) // prettier-ignore
    return violations(place.document, target, place.value, place.at)
  },
  type: (place, type: string | string[]) => fails([type].flat().some((one) => types[one]!(place.value)), place, type), // prettier-ignore
  enum: (place, values: unknown[]) => fails(values.includes(place.value), place, values),
  const: (place, value: unknown) => fails(place.value === value, place, value),
  pattern: (place, pattern: string) => fails(typeof place.value !== 'string' || new RegExp(pattern).test(place.value), place, pattern), // prettier-ignore
  format: (place, format: string) => fails(typeof place.value !== 'string' || formats[format]!.test(place.value), place, format), // prettier-ignore
  minimum: (place, least: number) => fails(typeof place.value !== 'number' || place.value >= least, place, least),
  maximum: (place, most: number) => fails(typeof place.value !== 'number' || place.value <= most, place, most),
  required: (place, names: string[]) => names.flatMap((name) => fails(!isObject(place.value) || name in place.value, place, `with ${name}`)), // prettier-ignore
  properties: (place, properties: Record<string, Schema>) =>
    Object.entries(isObject(place.value) ? place.value : {}).flatMap(([name, value]) => (properties[name] ? inner(place, properties[name], name, value) : [])), // prettier-ignore
  additionalProperties: (place, rest: Schema | boolean) => {
    const known = Object.keys((place.schema['properties'] as Schema | undefined) ?? {})
    const others = Object.entries(isObject(place.value) ? place.value : {}).filter(([name]) => !known.includes(name))
    if (rest === true) return []
    return others.flatMap(([name, value]) => (rest === false ? [`${place.at}/${name} is unknown`] : inner(place, rest, name, value))) // prettier-ignore
  },
  propertyNames: () => [],
  items: (place, schema: Schema) => (Array.isArray(place.value) ? place.value : []).flatMap((value, i) => inner(place, schema, String(i), value)), // prettier-ignore
  anyOf: (place, schemas: Schema[]) => fails(schemas.some((schema) => violations(place.document, schema, place.value).length === 0), place, schemas), // prettier-ignore
  oneOf: (place, schemas: Schema[]) => fails(schemas.filter((schema) => violations(place.document, schema, place.value).length === 0).length === 1, place, schemas), // prettier-ignore
  description: () => [],
}
