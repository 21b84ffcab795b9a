/** RFC 4180: rows of an answer as CSV, with the columns that their schema has, and nothing that a spreadsheet would run. */
import { z } from 'zod'

export type Column = {
  /** Members of members are joined: `unverified_successful`. */
  name: string
  path: readonly string[]
  /** Of numbers, though some may be decimal strings. */
  isNumeric: boolean
  /** The row has it only where it was asked for. */
  isOptional: boolean
}

type Schema = z.core.$ZodType

/** The columns of an object, in its order. A list or a record is one column. */
export function columnsOf(row: z.ZodObject): Column[] {
  return membersOf(row).flatMap(([name, schema]) => flatten([name], schema, schema instanceof z.ZodOptional))
}

function flatten(path: readonly string[], wrapped: Schema, isOptional: boolean): Column[] {
  const schema = bare(wrapped)
  const members = membersOf(schema)
  if (members.length === 0) return [{ name: path.join('_'), path, isNumeric: isNumeric(schema), isOptional }]
  const names = new Set<string>()
  return members.flatMap(([name, member]) => {
    if (names.has(name)) return [] // Of a union the variants share some.
    names.add(name)
    return flatten([...path, name], member, isOptional)
  })
}

function bare(schema: Schema): Schema {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return bare(schema.unwrap())
  return schema
}

/** Of an object, or of all variants of a union of objects; none for anything else. */
function membersOf(schema: Schema): [string, Schema][] {
  if (schema instanceof z.ZodObject) {
    const shape: Record<string, Schema> = schema.shape
    return Object.entries(shape)
  }
  return schema instanceof z.ZodUnion ? schema.options.flatMap((option) => membersOf(bare(option))) : []
}

const isNumeric = (schema: Schema): boolean =>
  schema instanceof z.ZodNumber || (schema instanceof z.ZodUnion && schema.options.some(isNumeric))

/** With a header line, also where there are no rows. Lists are joined by blanks; what has members of its own is JSON. */
export function csvText(columns: readonly Column[], rows: readonly object[]): string {
  const lines = [columns.map(({ name }) => name), ...rows.map((row) => columns.map((column) => cell(column, row)))]
  return lines.map((cells) => `${cells.join(',')}\r\n`).join('')
}

function cell({ path, isNumeric }: Column, row: object): string {
  const value = path.reduce<unknown>((node, name) => (node as Record<string, unknown> | null | undefined)?.[name], row)
  if (value === undefined || value === null) return ''
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return isNumeric ? value : text(value)
  const isPlainList = Array.isArray(value) && value.every((item) => typeof item !== 'object')
  return text(isPlainList ? value.join(' ') : JSON.stringify(value))
}

/** What makes a spreadsheet take a text for a formula (OWASP, CSV injection), full-width forms included. */
const formula = /^[=+\-@\t\r\n\0＝＋－＠]/
/** Some spreadsheets part cells by semicolons or tabs. */
const needsQuotes = /[",;\t\r\n]|^\s|\s$/

function text(value: string): string {
  const inert = formula.test(value) ? `'${value}` : value
  return needsQuotes.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert
}
