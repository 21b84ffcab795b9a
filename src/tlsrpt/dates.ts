/** RFC 3339 date-times of a report (RFC 8460 §4.4), in every spelling that senders were seen to use. */
import { remembered } from '../remembered.ts'
import type { AnomalyCode } from './anomalies.ts'

const spelling = /^(\d{4})-(\d\d)-(\d\d)(?:([Tt ])(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:([Zz])|([+-])(\d\d):(\d\d))?)?$/

/** Nearly all of them, and read in a tenth of the time: whole seconds, in UTC, on a day that any month has. */
const plain = /^2\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/

/**
 * Reads an RFC 3339 date-time to the millisecond. `seen` names what is not plain in it. Undefined for everything else,
 * days that no calendar has included, so that a date is never made up.
 */
export function readDateTime(text: string): { instant: Date; seen: AnomalyCode[] } | undefined {
  if (plain.test(text)) return { instant: new Date(readDigits(text)), seen: [] }
  const match = spelling.exec(text)
  if (match === null) return undefined
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  // Date carries over the days that a month does not have, and takes the years 0 to 99 for those of 1900.
  if (year < 100 || month < 1 || month > 12 || day < 1 || (day > 28 && day > daysOf(month, year))) return undefined
  const midnight = Date.UTC(year, month - 1, day)
  const separator = match[4]
  if (separator === undefined) return { instant: new Date(midnight), seen: ['date-only'] }

  const [hour, minute, second] = [Number(match[5]), Number(match[6]), Number(match[7])]
  const milliseconds = match[8] === undefined ? 0 : Number(match[8].slice(0, 3).padEnd(3, '0'))
  // ISO 8601 has it, RFC 3339 does not: the end of a day as the same instant as the start of the next.
  const endOfDay = hour === 24 && minute === 0 && second === 0 && milliseconds === 0
  if ((hour > 23 && !endOfDay) || minute > 59 || second > 60) return undefined
  const [z, sign, zoneHour, zoneMinute] = [match[9], match[10], Number(match[11] ?? 0), Number(match[12] ?? 0)]
  if (zoneHour > 23 || zoneMinute > 59) return undefined

  const seen: AnomalyCode[] = []
  if (separator === ' ') seen.push('date-blank-separator')
  if (separator === 't' || z === 'z') seen.push('date-lower-case')
  if (z === undefined && sign === undefined) seen.push('date-without-zone')
  if (endOfDay) seen.push('end-of-day-24')
  // Date and Postgres know no leap seconds; one more would put the end of a day into the next.
  if (second === 60) seen.push('leap-second')
  const offset = (sign === '-' ? -1 : 1) * (zoneHour * 60 + zoneMinute)
  const seconds = (hour * 60 + minute - offset) * 60 + Math.min(second, 59)
  return { instant: new Date(midnight + seconds * 1000 + milliseconds), seen }
}

/** By the digit: Date itself takes twice as long to read it. */
const readDigits = (text: string): number =>
  Date.UTC(
    digits(text, 0, 4),
    digits(text, 5, 7) - 1,
    digits(text, 8, 10),
    digits(text, 11, 13),
    digits(text, 14, 16),
    digits(text, 17, 19),
  )

function digits(text: string, from: number, to: number): number {
  let number = 0
  for (let i = from; i < to; i++) number = 10 * number + text.charCodeAt(i) - 0x30
  return number
}

const dayMs = 24 * 60 * 60 * 1000

/** The UTC day of an instant, 'YYYY-MM-DD'. */
export const utcDay = (at: Date): string => dayText(Math.floor(at.getTime() / dayMs))

/** The UTC day so many days after another one, before it where `count` is negative. */
export const daysAfter = (day: string, count: number): string => utcDay(new Date(Date.parse(day) + count * dayMs))

const dayText = remembered((day: number) => new Date(day * dayMs).toISOString().slice(0, 10), 1_000)

/** An instant as RFC 3339 has it, in UTC and with milliseconds: of reports, most of which begin and end with their day. */
export const instantText = (at: Date): string => textOfInstant(at.getTime())

const textOfInstant = remembered((ms: number) => new Date(ms).toISOString(), 1_000)

/** From 1 to 12. The day before the first of the next month. */
const daysOf = (month: number, year: number): number => new Date(Date.UTC(year, month, 0)).getUTCDate()
