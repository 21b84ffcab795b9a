/** The twelve properties that the service is to have, and the tests that hold each of them: none may be lost. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

/** Property -> [file under test/, what the test is called, or begins with, there]. */
const properties: Record<string, [file: string, title: string][]> = {
  'P1: any bytes are a report or a refusal, in time, and never a throw': [
    ['tlsrpt/parse.test.ts', 'any bytes are a report or a refusal, and never throw'],
    ['tlsrpt/unwrap.test.ts', 'any bytes in either form have an answer, and the same one each time'],
    ['tlsrpt/unwrap.test.ts', 'no mail makes the service stall'],
    ['tlsrpt/record.test.ts', 'any records are read without a throw'],
    ['dkim/properties.test.ts', 'any bytes at all have an answer'],
    ['dns/message.test.ts', 'a reply with any of its bytes changed or cut off never throws'],
    ['fuzz/road.test.ts', 'whatever is spoilt in a report or a mail, it has one verdict, in time'],
    ['fuzz/sockets.test.ts', 'whatever is said on a connection, it is answered as it should be'],
  ],
  'P2: what the bounds let through is parsed, checked, written again and stored': [
    ['tlsrpt/prescan.test.ts', 'what is bounded and is JSON can be written again'],
    ['tlsrpt/parse.test.ts', 'a parsed report keeps its promises, whatever was sent'],
    ['store/copy.test.ts', 'every ${type} comes out as Postgres would have read it from text'],
    ['store/recorder.test.ts', 'a report of the largest size is recorded whole'],
    ['fuzz/road.test.ts', 'whatever is spoilt in a report or a mail, it has one verdict, in time, that the store can take'],
  ],
  'P3: how bytes are cut on their way changes nothing': [
    ['properties/segments.test.ts', 'P3: into whatever members gzip is cut'],
    ['properties/segments.test.ts', 'P3: in whatever segments and chunks a post comes'],
    ['transport/collect.test.ts', 'what comes in pieces of any size is whole again'],
    ['transport/smtp-data.test.ts', 'dots are unstuffed to the byte, wherever the network cuts'],
    ['transport/smtp-data.test.ts', 'a whole session in one segment, or in segments of a byte, is the same session'],
  ],
  'P4: a report is the same report however it is written, wrapped and sent': [
    ['properties/repeats.test.ts', 'P4, P7: in any order of members, indentation, compression and transport'],
    ['properties/repeats.test.ts', 'P4: one count more in one place is no repeat'],
    ['tlsrpt/parse.test.ts', 'the order of members and the white space change nothing'],
    ['tlsrpt/identity.test.ts', 'policies and details in another order are the same content'],
  ],
  'P5: aggregates are the fold of the unique reports': [
    ['store/aggregates.test.ts', 'a summary is the fold of the facts, for any grouping, filter and trust'],
    ['store/aggregates.test.ts', 'a time series is the fold of the facts'],
    ['store/decisions.test.ts', 'whatever is decided while reports arrive, the totals are what the facts add up to'],
  ],
  'P6: the order of arrivals changes no number, whoever is trusted': [
    ['store/identity-order.test.ts', 'any claims by any number of instances in any order end in the same numbers'],
    ['store/reporters.test.ts', 'any order of blocking, unblocking and arrivals ends in the same counted facts'],
    ['tlsrpt/identity.test.ts', 'the standing of a claim does not depend on the order in which claims were recorded'],
  ],
  'P7: what arrives twice counts once': [
    ['properties/repeats.test.ts', 'P4, P7: in any order of members, indentation, compression and transport'],
    ['store/recorder.test.ts', 'a hundred deliveries of one report at once, over two instances, are one report'],
  ],
  'P8: whatever a stranger writes comes out as he wrote it, and inert': [
    ['properties/texts.test.ts', 'P8: a report’s texts come back from the API as they were written'],
    ['api/csv.test.ts', '185: whatever a text begins with, its cell begins harmlessly and is read back whole'],
    ['transport/smtp-reply.test.ts', 'whatever a reason says, a reply is one line of printable ASCII'],
    ['store/recorder.test.ts', 'what jsonb would refuse in what a stranger wrote is replaced, not refused'],
  ],
  'P9: no question makes SQL of its own': [
    ['api/parameters.test.ts', 'whatever stands in a query, the answer is 200 or 400 and no statement fails'],
    ['api/wall.test.ts', 'whatever a tenant asks, the answer is that of a store with nothing but his domains'],
  ],
  'P10: addresses are told apart as the system does': [
    ['properties/addresses.test.ts', 'P10: an address is in a list of ranges if and only if the system says so'],
    ['tlsrpt/address.test.ts', 'every spelling of an IPv6 address becomes the one that the system writes'],
  ],
  'P11: as much as a limit says is taken, and one more is not': [
    ['tlsrpt/parse.test.ts', 'policies, failure details and list entries are bounded'],
    ['tlsrpt/parse.test.ts', 'the limits stand at what the service says'],
    ['tlsrpt/prescan.test.ts', 'as many levels as allowed are read, and one more is too deep'],
    ['tlsrpt/prescan.test.ts', 'as many tokens as allowed are read, and one more is too many'],
    ['tlsrpt/gzip.test.ts', 'what is unzipped may have just as many bytes as allowed, in either layer'],
    ['tlsrpt/unwrap.test.ts', 'a mail may have as many reports as allowed'],
    ['tlsrpt/unwrap.test.ts', 'a mail may have as many parts as allowed'],
    ['tlsrpt/unwrap.test.ts', 'multiparts may be nested as deep as allowed'],
    ['tlsrpt/unwrap.test.ts', 'the bounds of a mail hold before it is parsed'],
    ['transport/smtp-data.test.ts', 'a mail of the largest size is taken, a byte more is refused, and the next one is heard'],
    ['transport/https.test.ts', 'a body of the largest size is taken, and a byte more is not, however it comes'],
  ],
  'P12: what is answered follows from the cause alone': [
    ['store/database.test.ts', "an error of Postgres is '${verdict}'"],
    ['store/database.test.ts', 'what Postgres did not say itself is temporary'],
    ['transport/smtp-reply.test.ts', 'temporary stays temporary and permanent permanent'],
    ['transport/https-reply.test.ts', 'temporary is 503 with Retry-After, a refusal 4xx, success plain 200, and nothing else'],
  ],
} // prettier-ignore

for (const [property, tests] of Object.entries(properties)) {
  test(`${property} - is held by ${tests.length} tests`, () => {
    for (const [file, title] of tests) {
      const source = readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')
      const names = source.split(/\btest\(\s*['"`]/).slice(1)
      assert.ok(
        names.some((name) => name.startsWith(title)),
        `${file} has no test '${title}'`,
      )
    }
  })
}
