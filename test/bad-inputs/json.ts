/** RFC 7493, RFC 8460 §4.4: JSON that is none, or no report, or too much of one. */
import { gzipSync } from 'node:zlib'
import {
  at,
  bytes,
  detail,
  policy,
  report,
  withCounts,
  withDates,
  withDetail,
  withPolicy,
  zipped,
  type Json,
} from './report.ts'
import { overBoth, type ContentRow, type Row } from './run-rows.ts'

/** The JSON of a report with other text in one place. */
const edited = (find: string | RegExp, put: string, json: Json = report()): string =>
  JSON.stringify(json).replace(find, () => put)

/** With so many of each; the numbers are right, so that size is all that is wrong. */
const policies = (count: number): Json =>
  report({ policies: Array.from({ length: count }, () => policy({}, noFailures)) })
const failures = (count: number): Json => {
  const summary = { 'total-successful-session-count': 0, 'total-failure-session-count': count }
  const each = detail({ 'failed-session-count': 1 })
  return withPolicy({}, { summary, 'failure-details': Array.from({ length: count }, () => each) })
}
const noFailures = { summary: { 'total-successful-session-count': 1, 'total-failure-session-count': 0 }, 'failure-details': [] } // prettier-ignore

const textMembers = ['sending-mta-ip', 'receiving-mx-hostname', 'receiving-mx-helo', 'receiving-ip', 'additional-information', 'failure-reason-code', 'result-type'] // prettier-ignore
const day = at(-1).slice(0, 10)
const dates = (start: string, end = `${day}T23:59:59Z`) => withDates(start, end)

/** Every text of the report at once. */
const everywhere = (text: string): Json => {
  const details = [Object.fromEntries([...textMembers.map((name): [string, unknown] => [name, text]), ['failed-session-count', 2]])]
  return { ...withPolicy({ 'policy-type': text, 'policy-string': [text], 'mx-host': [text] }, { 'failure-details': details }), 'organization-name': text }
} // prettier-ignore

const notJson: ContentRow[] = [
  ...['{"a":1}}', '{a:1}', '{"a":1,}', '{"a":01}', "{'a':1}", '{"a":NaN}', '{"a":"\t"}', '{"a":1', '// no\n{}', '{"a":\\u0031}'].map(
    (text): ContentRow => ({ number: 18, title: JSON.stringify(text), body: () => text, row: `malformed ${text.startsWith('/') ? 'not-gzip-or-json' : 'not-json'}`, ...(text.startsWith('/') && { mailed: 'malformed no-report' }) }),
  ),
  { number: 18, title: 'hello', body: () => 'hello', row: 'malformed not-gzip-or-json', mailed: 'malformed no-report' },
  { number: 18, title: 'a trailing comma in a report', body: () => edited(/}$/, ',}'), row: 'malformed not-json' },
  ...['null', '[]', '"x"', '5', 'true', '-1.5e3', '[{}]'].map(
    (text): ContentRow => ({ number: 19, title: `${text} at the top`, body: () => text, row: 'unreadable not-an-object' }),
  ),
  { number: 20, title: 'two reports one after the other', body: () => JSON.stringify(report()) + JSON.stringify(report()), row: 'malformed not-json' },
  { number: 20, title: 'two reports as lines', body: () => `${JSON.stringify(report())}\n${JSON.stringify(report())}`, row: 'malformed not-json' },
  { number: 21, title: 'a byte order mark', body: () => Buffer.concat([Buffer.of(0xef, 0xbb, 0xbf), bytes(report())]), row: 'accepted byte-order-mark' },
  { number: 21, title: 'two byte order marks', body: () => zipped(`\ufeff\ufeff${JSON.stringify(report())}`), row: 'malformed not-gzip-or-json', mailed: 'malformed no-report' },
  { number: 22, title: 'a byte that is no UTF-8', body: () => Buffer.from(edited('Sender', 'Send\xffr'), 'latin1'), row: 'malformed not-utf-8' },
  { number: 22, title: 'UTF-8 cut in the middle of a character', body: () => Buffer.from(edited('Sender', 'Send\xe2\x82'), 'latin1'), row: 'malformed not-utf-8' },
  { number: 23, title: 'UTF-16LE', body: () => gzipSync(Buffer.from(JSON.stringify(report()), 'utf16le')), row: 'malformed not-json' },
  { number: 23, title: 'UTF-16LE with a byte order mark', body: () => gzipSync(Buffer.from(`\ufeff${JSON.stringify(report())}`, 'utf16le')), row: 'malformed not-gzip-or-json', mailed: 'malformed no-report' },
  { number: 23, title: 'UTF-16BE', body: () => gzipSync(Buffer.from(JSON.stringify(report()), 'utf16le').swap16()), row: 'malformed not-gzip-or-json', mailed: 'malformed no-report' },
  { number: 24, title: 'an overlong UTF-8 quote', body: () => Buffer.from(edited('Sender', 'Send\xc0\xa2r'), 'latin1'), row: 'malformed not-utf-8' },
  { number: 24, title: 'a surrogate pair in CESU-8', body: () => Buffer.from(edited('Sender', '\xed\xa0\xbd\xed\xb8\x80'), 'latin1'), row: 'malformed not-utf-8' },
  { number: 24, title: 'a code point beyond U+10FFFF', body: () => Buffer.from(edited('Sender', '\xf4\x90\x80\x80'), 'latin1'), row: 'malformed not-utf-8' },
] // prettier-ignore

const tooMuch: ContentRow[] = [
  ...[17, 1_000, 50_000, 5_000_000].map(
    (depth): ContentRow => ({ number: 28, title: `${depth} lists inside one another`, body: () => zipped('{"a":' + '['.repeat(depth)), row: 'malformed too-deep' }),
  ),
  { number: 28, title: '5,000,000 lists inside one another, and closed', body: () => zipped(`${'['.repeat(5_000_000)}${']'.repeat(5_000_000)}`), row: 'malformed too-deep' },
  { number: 29, title: '50,000 lists inside an unknown member', body: () => zipped(edited(/}$/, `,"x-more":${'['.repeat(50_000)}${']'.repeat(50_000)}}`)), row: 'malformed too-deep' },
  { number: 29, title: '15 lists inside an unknown member, as many as we read', body: () => edited(/}$/, `,"x-more":${'['.repeat(15)}${']'.repeat(15)}}`), row: 'accepted' },
  { number: 30, title: 'seven million empty objects', body: () => zipped(`[${'{},'.repeat(6_990_000)}{}]`), row: 'too-large too-many-tokens' },
  { number: 30, title: 'seven million empty objects in an unknown member', body: () => zipped(edited(/}$/, `,"x-more":[${'{},'.repeat(6_980_000)}{}]}`)), row: 'too-large too-many-tokens' },
  { number: 30, title: 'ten million zeros', body: () => zipped(`[${'0,'.repeat(10_000_000)}0]`), row: 'too-large too-many-tokens' },
  { number: 30, title: '490,000 empty objects, which we read', body: () => zipped(edited(/}$/, `,"x-more":[${'{},'.repeat(490_000)}{}]}`)), row: 'accepted' },
  { number: 31, title: 'a million names in one object', body: () => zipped(`{${Array.from({ length: 1_000_000 }, (_, i) => `"k${i}":0`).join(',')}}`), row: 'too-large too-many-members' },
  { number: 31, title: '1,001 names in one object', body: () => edited(/}$/, `,"x":{${Array.from({ length: 1_001 }, (_, i) => `"k${i}":0`).join(',')}}}`), row: 'too-large too-many-members' },
  { number: 32, title: '10,000 policies that are none', body: () => zipped(report({ policies: Array.from({ length: 10_000 }, () => 5) })), row: 'unreadable object-expected' },
  { number: 32, title: '100,000 policies that are none', body: () => zipped(report({ policies: Array.from({ length: 100_000 }, () => ({})) })), row: 'too-large too-many-policies' },
  { number: 32, title: '50,000 failure details without a count', body: () => zipped(withPolicy({}, { 'failure-details': Array.from({ length: 50_000 }, () => ({})) })), row: 'unreadable count-expected' },
  { number: 33, title: 'a name of 19 MiB', body: () => zipped(report({ 'organization-name': 'x'.repeat(19 * 1024 * 1024) })), row: 'accepted text-truncated' , note: 'design.md cuts over-long text and says so; only ids and domains are refused.' },
  { number: 33, title: 'a name of 19 MiB of escapes', body: () => zipped(edited('Sender', '\\u0041'.repeat(3_300_000))), row: 'accepted text-truncated' },
  { number: 34, title: 'a report-id of 1,024 bytes', body: () => report({ 'report-id': Math.random().toString().padEnd(1_024, 'x') }), row: 'accepted' },
  { number: 34, title: 'a report-id of 1,025 bytes', body: () => report({ 'report-id': 'x'.repeat(1_025) }), row: 'unreadable report-id-too-long' },
  { number: 34, title: 'a report-id of 8 KB that cannot be compressed', body: () => report({ 'report-id': Array.from({ length: 8_192 }, () => Math.random().toString(36).at(-1)).join('') }), row: 'unreadable report-id-too-long' },
  { number: 40, title: 'a count of a million digits', body: () => zipped(edited('"total-failure-session-count":2', `"total-failure-session-count":${'9'.repeat(1_000_000)}`)), row: 'unreadable count-expected' },
  { number: 40, title: 'a count of 1 and a million zeros behind the point', body: () => zipped(edited('"total-failure-session-count":2', `"total-failure-session-count":2.${'0'.repeat(1_000_000)}`)), row: 'accepted' },
  { number: 49, title: '10,000 policies', body: () => zipped(policies(10_000)), row: 'accepted' },
  { number: 49, title: '10,001 policies', body: () => zipped(policies(10_001)), row: 'too-large too-many-policies' },
  { number: 49, title: '50,000 failure details', body: () => zipped(failures(50_000)), row: 'accepted', only: 'smtp' },
  { number: 49, title: '50,001 failure details', body: () => zipped(failures(50_001)), row: 'too-large too-many-failure-details' },
  { number: 49, title: '1,000 MX hosts', body: () => withPolicy({ 'mx-host': Array.from({ length: 1_000 }, (_, i) => `mx${i}.ours.example`) }), row: 'accepted' },
  { number: 49, title: '1,001 MX hosts', body: () => withPolicy({ 'mx-host': Array.from({ length: 1_001 }, (_, i) => `mx${i}.ours.example`) }), row: 'too-large too-many-list-entries' },
  { number: 49, title: '1,001 policy strings', body: () => withPolicy({ 'policy-string': Array(1_001).fill('mx: mx.ours.example') }), row: 'too-large too-many-list-entries' },
] // prettier-ignore

const members: ContentRow[] = [
  { number: 35, title: 'no report-id', body: () => report({ 'report-id': undefined }), row: 'unreadable report-id-expected' },
  ...['', ' ', null, {}, [], true, 1.5, 2 ** 60].map(
    (id): ContentRow => ({ number: 35, title: `the report-id ${JSON.stringify(id)}`, body: () => report({ 'report-id': id }), row: 'unreadable report-id-expected' }),
  ),
  { number: 35, title: 'a number as report-id', body: () => report({ 'report-id': Math.floor(Math.random() * 1e12) }), row: 'accepted report-id-is-number' },
  { number: 36, title: 'two lists of policies', body: () => edited(/}$/, ',"policies":[]}'), row: 'unreadable repeated-member' },
  { number: 36, title: 'two report-ids', body: () => edited(/}$/, ',"report-id":"other"}'), row: 'unreadable repeated-member' },
  { number: 36, title: 'two report-ids, one with an escape', body: () => edited(/}$/, ',"report\\u002did":"other"}'), row: 'unreadable repeated-member' },
  { number: 36, title: 'two counts', body: () => edited('"total-failure-session-count":2', '"total-failure-session-count":1,"total-failure-session-count":2'), row: 'unreadable repeated-member' },
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__'].flatMap((name): ContentRow[] => [
    { number: 37, title: `${name} as a member at the top`, body: () => edited('{', `{"${name}":{"polluted":true},`), row: 'accepted' },
    { number: 37, title: `${name} as a member of a detail`, body: () => edited('{"result-type"', `{"${name}":{"failed-session-count":99},"result-type"`), row: 'accepted' },
  ]),
  ...[-1, 1.5, true, null, [], {}, '-5', '1e3', '', ' 5', '0x5'].map(
    (count): ContentRow => {
      const missing = count === null || count === ''
      return { number: 38, title: `the count ${JSON.stringify(count)}`, body: () => withCounts(10, count), row: missing ? 'accepted count-missing' : 'unreadable count-expected' }
    },
  ),
  { number: 38, title: 'the count 1e3', body: () => edited('"total-successful-session-count":10', '"total-successful-session-count":1e3'), row: 'accepted' },
  { number: 38, title: 'the count "5"', body: () => withCounts('5', 0), row: 'accepted count-is-string' },
  { number: 39, title: 'the count 2^53-1', body: () => withCounts(Number.MAX_SAFE_INTEGER, 0), row: 'accepted implausible-count' },
  ...['9007199254740992', '9223372036854775808', '1e30', '1e308', '1e400', '-1e400'].map(
    (count): ContentRow => ({ number: 39, title: `the count ${count}`, body: () => edited('"total-successful-session-count":10', `"total-successful-session-count":${count}`), row: 'unreadable count-expected' }),
  ),
  { number: 39, title: '2^53 in a member that nobody reads', body: () => edited(/}$/, ',"x":9007199254740992}'), row: 'unreadable unsafe-number' },
  { number: 41, title: 'details that do not add up', body: () => withDetail({ 'failed-session-count': 3 }), row: 'accepted details-differ-from-total' },
  { number: 46, title: 'no date-range', body: () => report({ 'date-range': undefined }), row: 'unreadable object-expected' },
  { number: 46, title: 'a date-range that is text', body: () => report({ 'date-range': day }), row: 'unreadable object-expected' },
  { number: 47, title: 'contact-info null', body: () => report({ 'contact-info': null }), row: 'accepted contact-info-missing' },
  { number: 47, title: 'no contact-info', body: () => report({ 'contact-info': undefined }), row: 'accepted contact-info-missing' },
  { number: 47, title: 'contact-info a web page', body: () => report({ 'contact-info': 'https://sender.example/' }), row: 'accepted contact-info-unparsable' },
  { number: 47, title: 'contact-info an object', body: () => report({ 'contact-info': { mail: 'x' } }), row: 'accepted contact-info-unparsable' },
  { number: 48, title: 'no policies in the list', body: () => report({ policies: [] }), row: 'not-ours no-policy-domain' },
  { number: 48, title: 'one policy and no list', body: () => report({ policies: policy() }), row: 'accepted policies-is-object' },
  { number: 48, title: 'policies null', body: () => report({ policies: null }), row: 'unreadable list-expected' },
  { number: 48, title: 'no policies', body: () => report({ policies: undefined }), row: 'unreadable list-expected' },
  { number: 53, title: 'an unknown policy-type', body: () => withPolicy({ 'policy-type': 'quantum' }), row: 'accepted unknown-policy-type' },
  { number: 53, title: 'an unknown result-type', body: () => withDetail({ 'result-type': 'Sun-Spots' }), row: 'accepted unknown-result-type' },
  { number: 53, title: 'a policy-type as long as a novel', body: () => zipped(withPolicy({ 'policy-type': 'x'.repeat(1_000_000) })), row: 'accepted text-truncated unknown-policy-type' },
  ...[['sts'], 5, {}, true].map((type): ContentRow => ({ number: 54, title: `the policy-type ${JSON.stringify(type)}`, body: () => withPolicy({ 'policy-type': type }), row: 'unreadable text-expected' })),
  ...['unknown', 'fe80::1%eth0', '192.0.2.0/24', '2001:db8::/32', '1.2.3', '0x7f.1', 'x'.repeat(200), "'; drop table report; --"].map(
    (address): ContentRow => ({ number: 55, title: `the address ${address.slice(0, 30)}`, body: () => withDetail({ 'sending-mta-ip': address, 'receiving-ip': address }), row: 'accepted unparsable-address' }),
  ),
  { number: 55, title: 'an address in brackets', body: () => withDetail({ 'receiving-ip': '[::1]' }), row: 'accepted address-in-brackets' },
  { number: 55, title: 'a v4-mapped address', body: () => withDetail({ 'receiving-ip': '::ffff:192.0.2.1' }), row: 'accepted address-v4-mapped' },
  { number: 56, title: 'mx-host as text', body: () => withPolicy({ 'mx-host': 'mx.ours.example' }), row: 'accepted mx-host-is-string' },
  { number: 56, title: 'mx-host-pattern', body: () => withPolicy({ 'mx-host': undefined, 'mx-host-pattern': ['*.ours.example'] }), row: 'accepted member-alias' },
  { number: 56, title: 'policy-string as text', body: () => withPolicy({ 'policy-string': 'version: STSv1' }), row: 'accepted policy-string-is-string' },
  { number: 57, title: 'failure-details null', body: () => withPolicy({}, { 'failure-details': null }), row: 'accepted details-differ-from-total null-member' },
  { number: 57, title: 'no failure-details', body: () => withPolicy({}, { 'failure-details': undefined }), row: 'accepted details-differ-from-total' },
  { number: 57, title: 'failure-details an object', body: () => withPolicy({}, { 'failure-details': {} }), row: 'unreadable list-expected' },
  { number: 58, title: 'no sending-mta-ip', body: () => withDetail({ 'sending-mta-ip': undefined }), row: 'accepted' },
  { number: 58, title: 'no failed-session-count', body: () => withDetail({ 'failed-session-count': undefined }), row: 'unreadable count-expected' },
  { number: 61, title: 'an object of 12 levels as additional-information', body: () => withDetail({ 'additional-information': JSON.parse(`${'{"a":'.repeat(11)}{}${'}'.repeat(11)}`) as unknown }), row: 'malformed too-deep' },
  { number: 61, title: 'an object as additional-information', body: () => withDetail({ 'additional-information': { why: 'not' } }), row: 'unreadable text-expected' },
  { number: 62, title: 'policies with numbers for names', body: () => report({ policies: { 0: policy(), length: 1 } }), row: 'unreadable object-expected' },
  { number: 62, title: 'a list of policies with a hole', body: () => edited('"policies":[', '"policies":[,'), row: 'malformed not-json' },
] // prettier-ignore

const texts: ContentRow[] = [
  { number: 25, title: 'NUL in every text', body: () => JSON.stringify(everywhere('aNULb')).replaceAll('NUL', '\\u0000'), row: 'accepted nul-stripped unknown-policy-type unknown-result-type unparsable-address' },
  { number: 25, title: 'NUL in the report-id', body: () => edited('"report-id":"', '"report-id":"\\u0000'), row: 'unreadable report-id-expected' },
  { number: 25, title: 'NUL in the policy-domain', body: () => edited('ours.example', 'ours\\u0000.example'), row: 'unreadable domain-expected' },
  { number: 25, title: 'NUL in the name of a member', body: () => edited(/}$/, ',"\\u0000":"\\u0000"}'), row: 'accepted' },
  { number: 26, title: 'half a surrogate pair in every text', body: () => JSON.stringify(everywhere('aHALFb')).replaceAll('HALF', '\\ud800'), row: 'accepted lone-surrogate unknown-policy-type unknown-result-type unparsable-address' },
  { number: 26, title: 'half a surrogate pair in the policy-domain', body: () => edited('ours.example', 'ours\\udc00.example'), row: 'unreadable domain-expected' },
  { number: 27, title: 'half a surrogate pair in the report-id', body: () => edited('"report-id":"', '"report-id":"\\ud800'), row: 'unreadable report-id-expected' },
  ...['<img src=x onerror=alert(1)>', '"><svg/onload=alert(1)>', '</script><script>alert(1)</script>', '{{7*7}}', 'javascript:alert(1)', "' or 1=1; --", '${jndi:ldap://x.example}', '=HYPERLINK("x")'].map(
    (text): ContentRow => ({ number: 59, title: text, body: () => everywhere(text), row: 'accepted unknown-policy-type unknown-result-type unparsable-address' }),
  ),
  ...['\u001b[2J\u001b[31m', '\u202egnp.exe', 'a\u200bb\ufeff', '\u2028\u2029', '\u0007\u0008', '\u009b31m', '😀'].map(
    (text): ContentRow => ({ number: 60, title: JSON.stringify(text), body: () => everywhere(text), row: 'accepted unknown-policy-type unknown-result-type unparsable-address' }),
  ),
  { number: 60, title: 'line ends in every text', body: () => everywhere('a\r\nb: c'), row: 'accepted policy-string-joined unknown-policy-type unknown-result-type unparsable-address' },
] // prettier-ignore

const ranges: ContentRow[] = [
  ...['now', 'infinity', '-infinity', 'epoch', 'today', 'tomorrow', 'allballs', '', '0', '1e3', 'J2459000', `${day}T25:00:00Z`, `${day}T00:60:00Z`, `${day}T00:00:61Z`, '2026-02-30T00:00:00Z', '2026-13-01T00:00:00Z', '0000-01-01T00:00:00Z', '99999-01-01T00:00:00Z', '300000-01-01T00:00:00Z', `${day}T00:00:00+99:00`].map(
    (start): ContentRow => ({ number: ['now', 'infinity', '-infinity', 'epoch', 'today', 'tomorrow'].includes(start) ? 43 : 44, title: `from '${start}'`, body: () => dates(start), row: 'unreadable date-time-expected' }),
  ),
  { number: 44, title: 'a number for a date-time', body: () => withDates(1_772_323_200, `${day}T23:59:59Z`), row: 'unreadable date-time-expected' },
  { number: 44, title: 'a date-time without zone', body: () => dates(`${day}T00:00:00`), row: 'accepted date-without-zone' },
  { number: 44, title: 'a zone of +00:00', body: () => dates(`${day}T00:00:00+00:00`), row: 'accepted' },
  { number: 44, title: 'lower-case letters', body: () => dates(`${day}t00:00:00z`), row: 'accepted date-lower-case' },
  { number: 44, title: 'a leap second', body: () => dates(`${day}T00:00:00Z`, `${day}T23:59:60Z`), row: 'accepted leap-second' },
  { number: 44, title: '300 digits of a second', body: () => dates(`${day}T00:00:00.${'1'.repeat(300)}Z`), row: 'accepted' },
  { number: 45, title: 'the end before the start', body: () => withDates(at(-1), at(-2)), row: 'unreadable end-before-start' },
  { number: 45, title: 'a year', body: () => withDates(at(-366), at(-1)), row: 'unreadable date-range-too-long' },
  { number: 45, title: 'a week', body: () => withDates(at(-8), at(-1)), row: 'accepted long-date-range' },
  { number: 45, title: 'the end in 2099', body: () => dates(`${day}T00:00:00Z`, '2099-01-01T00:00:00Z'), row: 'unreadable date-range-too-long' },
  { number: 45, title: 'a day that is yet to come', body: () => withDates(at(2), at(3)), row: 'unreadable end-in-future' },
  { number: 45, title: 'the start in 1970', body: () => dates('1970-01-01T00:00:00Z', '1970-01-02T00:00:00Z'), row: 'unreadable start-before-2016' },
  { number: 45, title: 'two months ago', body: () => withDates(at(-60), at(-59)), row: 'accepted late' },
  { number: 45, title: 'two years ago', body: () => withDates(at(-730), at(-729)), row: 'accepted late older-than-retention' },
] // prettier-ignore

const domains: ContentRow[] = [
  { number: 50, title: 'a domain of others', body: () => withPolicy({ 'policy-domain': 'theirs.example' }), row: 'not-ours not-ours' },
  { number: 50, title: 'a domain that ends like ours', body: () => withPolicy({ 'policy-domain': 'notours.example' }), row: 'not-ours not-ours' },
  { number: 50, title: 'ours and theirs in one report', body: () => report({ policies: [policy({ 'policy-domain': 'theirs.example' }), policy()] }), row: 'accepted policy-dropped' },
  ...['OURS.Example', 'ours.example.', ' ours.example', 'ｏurs.example'].map(
    (domain): ContentRow => ({ number: 51, title: `the domain '${domain}'`, body: () => withPolicy({ 'policy-domain': domain }), row: 'accepted policy-domain-normalised' }),
  ),
  { number: 51, title: 'a U-label under ours', body: () => withPolicy({ 'policy-domain': 'bücher.ours.example' }), row: 'accepted policy-domain-normalised' },
  { number: 51, title: 'the A-label of the same', body: () => withPolicy({ 'policy-domain': 'xn--bcher-kva.ours.example' }), row: 'accepted' },
  ...['*.ours.example', '192.0.2.1', 'x'.repeat(300), 'a..b', 'x.ours.example@y', 'ours.example/x', 'ours example', '.ours.example', '-', `${'a'.repeat(64)}.ours.example`].map(
    (domain): ContentRow => ({ number: 51, title: `the domain ${domain.slice(0, 40)}`, body: () => withPolicy({ 'policy-domain': domain }), row: 'unreadable domain-expected' }),
  ),
  { number: 51, title: 'an empty domain', body: () => withPolicy({ 'policy-domain': '' }), row: 'not-ours no-policy-domain' },
  { number: 52, title: 'a subdomain where subdomains are not ours', body: () => withPolicy({ 'policy-domain': 'sub.alone.example' }), row: 'not-ours not-ours' },
  { number: 52, title: 'the domain itself there', body: () => withPolicy({ 'policy-domain': 'alone.example' }), row: 'accepted' },
  { number: 42, title: 'as many sessions in a day as fit', body: () => withCounts(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER), row: 'accepted details-differ-from-total implausible-count' },
] // prettier-ignore

export const json: Row[] = overBoth([...notJson, ...tooMuch, ...members, ...texts, ...ranges, ...domains])
