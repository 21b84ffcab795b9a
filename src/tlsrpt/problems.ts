/** Everything a report can be refused for before anybody asks whose it is, in words for whoever sent it. */
import type { Problem, Refusal } from './submission.ts'

/** Code -> what is wrong. Codes are published: added to, never renamed. */
export const problemMessages = {
  // No JSON.
  empty: 'There is nothing here.',
  'not-utf-8': 'The text must be UTF-8 (RFC 8259 §8.1).',
  'not-json': 'This is no JSON.',
  'too-deep': 'More objects and lists are inside one another than we read.',
  // JSON, but not I-JSON.
  'repeated-member': 'No object may have two members of one name (RFC 7493 §2.3).',
  'unsafe-number': 'No number may be beyond 2^53-1 (RFC 7493 §2.2).',
  // More than we read.
  'too-many-tokens': 'There are more elements and members in all than we read.',
  'too-many-members': 'There are more members in one object than we read.',
  'too-many-policies': 'There are more policies than we read.',
  'too-many-failure-details': 'There are more failure details in all than we read.',
  'too-many-list-entries': 'There are more entries in this list than we read.',
  // No acceptable report.
  'not-an-object': 'The report must be a JSON object.',
  'object-expected': 'This must be there and be an object.',
  'list-expected': 'This must be there and be a list.',
  'text-expected': 'This must be a string.',
  'domain-expected': 'This must be a domain name.',
  'count-expected': 'This must be there and be a whole number from 0 to 2^53-1.',
  'report-id-expected': 'This must be there and be a string, not empty, without NUL or half a surrogate pair.',
  'report-id-too-long': 'This is longer than any report-id that we keep.',
  'date-time-expected': 'This must be there and be an RFC 3339 date-time.',
  'start-before-2016': 'This must be in 2016 or later.',
  'end-before-start': 'The end must not be before the start.',
  'date-range-too-long': 'This is longer than a report may cover.',
  'end-in-future': 'This is too far in the future.',
  'too-many-sessions': 'All counts together must not be more than 9e18 sessions.',
} satisfies Record<string, string>

export type ProblemCode = keyof typeof problemMessages

/** `pointer` is a JSON pointer into the report. `more` is another sentence. */
export const problem = (code: ProblemCode, pointer: string, more = ''): Problem => ({
  code,
  pointer,
  message: problemMessages[code] + more,
})

/** `problems` are one at least, and the first is the reason. */
export const refusal = (kind: 'malformed' | 'unreadable' | 'too-large', problems: Problem[]): Refusal => ({
  kind,
  reason: problems[0]!.code,
  problems,
})
