/** RFC 5321, RFC 8460 §5.3 over real sockets: the protocol, its replies, and who may send what to whom. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Provenance } from '../../src/tlsrpt/submission.ts'
import { connectSmtp, greetSmtp, sendMail, type SmtpClient } from '../support/smtp-client.ts'
import { smtpListener, submissionKey } from './fixtures.ts'

const rua = 'tlsrpt@ours.example'
const mail = (outcome = 'accepted') => `Subject: outcome=${outcome}\r\n\r\nbody\r\n`

test('EHLO offers what we do, STARTTLS among it and no AUTH', async (t) => {
  const { port } = await smtpListener(t)
  const client = await connectSmtp(port)
  assert.equal(await client.read(), '220 mx.ours.example ESMTP')
  const offers = (await client.say('EHLO client.example')).split('\n').map((line) => line.slice(4))
  assert.deepEqual(offers, [
    'mx.ours.example',
    'PIPELINING',
    '8BITMIME',
    'SMTPUTF8',
    'ENHANCEDSTATUSCODES',
    'STARTTLS',
    'SIZE 10485760',
  ])
})

test('the sender of a mail hears what became of its report, and with which key', async (t) => {
  const { port } = await smtpListener(t)
  const client = await greetSmtp(port)
  const key = `key=${submissionKey}`
  for (const [outcome, reply] of [
    ['accepted', `250 2.6.0 accepted ${key}`],
    ['duplicate', `250 2.6.0 duplicate ${key}`],
    ['conflict', `250 2.6.0 conflict ${key}`],
    ['quarantined', `250 2.6.0 quarantined ${key}`],
    ['unsigned', `550 5.7.20 no-passing-signature ${key}`],
    ['unacceptable', `550 5.7.21 weak-key ${key}`],
    ['unaligned', `550 5.7.22 signature-not-aligned ${key}`],
    ['malformed', `554 5.6.0 not-gzip-or-json ${key}`],
    ['loop', `554 5.4.6 mail-loop ${key}`],
    ['unreadable', `554 5.6.0 date-range-missing ${key}`],
    ['not-ours', `550 5.7.1 not-ours ${key}`],
    ['keyless', '550 5.7.1 not-ours'],
    ['too-large', `552 5.3.4 unpacked-too-large ${key}`],
    ['dns-timeout', '451 4.4.3 dns-timeout'],
    ['overloaded', '452 4.3.1 overloaded'],
    ['database-away', '451 4.3.0 database-away'],
  ]) {
    assert.equal(await sendMail(client, rua, mail(outcome)), reply)
  }
})

test("the operator's own relay hears 250 for what is refused, and 451 for what must come again", async (t) => {
  const { port, seen } = await smtpListener(t, { relays: ['127.0.0.9', '10.0.0.0/8'] })
  const relay = await greetSmtp(port, { from: '127.0.0.9' })
  assert.equal(await sendMail(relay, rua, mail('unsigned')), `250 2.6.0 no-passing-signature key=${submissionKey}`)
  assert.equal(await sendMail(relay, rua, mail('too-large')), `250 2.6.0 unpacked-too-large key=${submissionKey}`)
  assert.equal(await sendMail(relay, rua, mail('dns-timeout')), '451 4.4.3 dns-timeout')
  assert.equal(seen.length, 3)
  const stranger = await greetSmtp(port)
  assert.match(await sendMail(stranger, rua, mail('unsigned')), /^550 5\.7\.20 /)
})

test('when the road throws, the sender is told to come back, and the log says why once', async (t) => {
  const { port, entries } = await smtpListener(t)
  const client = await greetSmtp(port)
  assert.match(await sendMail(client, rua, mail('throws')), /^451 4\.3\.0 /)
  assert.match(await sendMail(client, rua, mail()), /^250 /)
  const errors = entries().filter(({ level }) => level === 50)
  assert.equal(errors.length, 1)
  assert.match(JSON.stringify(errors[0]), /the database is away/)
})

test('a mail comes with how it came: peer, HELO, envelope, TLS or not', async (t) => {
  const { port, seen } = await smtpListener(t)
  const client = await connectSmtp(port, { from: '127.0.0.7' })
  await client.read()
  await client.say('EHLO Mail.Sender.Example')
  assert.match(await client.say('MAIL FROM:<> SIZE=100 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=x AUTH=<>'), /^250 /)
  assert.match(await client.say('RCPT TO:<TLSRPT+2026@Ours.Example> NOTIFY=NEVER ORCPT=rfc822;a@b'), /^250 /)
  await client.say('DATA')
  await client.write('a: b\r\n\r\nc\r\n.\r\n')
  assert.match(await client.read(), /^250 /)
  const provenance: Provenance = {
    transport: 'smtp',
    peerAddress: '127.0.0.7',
    helo: 'mail.sender.example',
    mailFrom: '',
    rcptTo: ['TLSRPT+2026@Ours.Example'],
    tls: false,
  }
  assert.deepEqual(seen, [
    { raw: Buffer.from('a: b\r\n\r\nc\r\n'), form: 'message', arrivedAt: new Date('2026-06-01T12:00:00Z'), provenance },
  ])
})

test('odd reverse-paths are taken as they are', async (t) => {
  const { port, seen } = await smtpListener(t)
  const client = await greetSmtp(port)
  const paths = [
    'no.reply.@sender.example',
    'bounce+a=b@under_score.example',
    'a..b@[192.0.2.1]',
    'x@localhost',
    `${'v'.repeat(300)}@verp.example`,
  ]
  for (const path of paths) {
    assert.match(await client.say(`MAIL FROM:<${path}>`), /^250 /, path)
    await client.say(`RCPT TO:<${rua}>`)
    await client.say('DATA')
    await client.write('\r\n.\r\n')
    assert.match(await client.read(), /^250 /)
  }
  assert.deepEqual(
    seen.map(({ provenance }) => (provenance as { mailFrom: string }).mailFrom),
    paths,
  )
})

test('half a character hidden in an A-label does not reach the store, which could not keep it', async (t) => {
  const { port, seen } = await smtpListener(t)
  const client = await greetSmtp(port)
  await client.say('MAIL FROM:<a@xn--ib9b.example>') // Decodes to U+D800.
  await client.say(`RCPT TO:<${rua}>`)
  await client.say('DATA')
  await client.write('\r\n.\r\n')
  await client.read()
  assert.equal(seen.length, 1)
  assert.ok((seen[0]!.provenance as { mailFrom: string }).mailFrom.isWellFormed())
})

test('mail is taken for our addresses only', async (t) => {
  const ruaAddresses = [rua, 'tlsrpt@bücher.example', 'postmaster@mx.ours.example']
  const { port } = await smtpListener(t, { ruaAddresses, limits: { smtpUnknownRecipients: 100 } })
  const client = await greetSmtp(port)
  await client.say('MAIL FROM:<reports@sender.example>')
  for (const ours of [
    'tlsrpt@ours.example',
    'TLSRPT@OURS.EXAMPLE',
    'tlsrpt+tag@ours.example',
    'tlsrpt+a+b@ours.example',
    'tlsrpt@xn--bcher-kva.example',
    'tlsrpt@BÜCHER.example',
    'postmaster',
    '@relay.example:tlsrpt@ours.example', // RFC 5321 §4.1.2: a source route is to be ignored.
  ]) {
    assert.match(await client.say(`RCPT TO:<${ours}>`), /^250 2\.1\.5 /, ours)
  }
  for (const theirs of [
    'tlsrpt@theirs.example',
    'tlsrpt@sub.ours.example',
    'other@ours.example',
    'tlsrptx@ours.example',
    'postmaster@ours.example',
    'tlsrpt%theirs.example@ours.example',
    'theirs.example!tlsrpt@ours.example',
    'tlsrpt@ours.example@theirs.example',
    'tlsrpt@theirs.example@ours.example',
    '"tlsrpt@ours.example"@theirs.example',
    '@ours.example:tlsrpt@theirs.example',
    'tlsrpt@[127.0.0.1]',
    'tlsrpt',
    '',
    '+tag@ours.example',
  ]) {
    assert.match(await client.say(`RCPT TO:<${theirs}>`), /^(?:550 5\.1\.1|501 5\.1\.3) /, theirs)
  }
})

test('postmaster is taken only where it is configured', async (t) => {
  const { port } = await smtpListener(t)
  const client = await greetSmtp(port)
  await client.say('MAIL FROM:<>')
  assert.match(await client.say('RCPT TO:<postmaster>'), /^550 5\.1\.1 /)
})

test('who asks for too many unknown recipients is sent away', async (t) => {
  const { port } = await smtpListener(t, { limits: { smtpUnknownRecipients: 3 } })
  const client = await greetSmtp(port)
  await client.say('MAIL FROM:<>')
  for (let i = 0; i < 3; i++) assert.match(await client.say(`RCPT TO:<guess${i}@ours.example>`), /^550 5\.1\.1 /)
  assert.match(await client.say('RCPT TO:<guess4@ours.example>'), /^421 4\.7\.0 /)
  assert.equal(await client.read(), 'closed')
})

test('one recipient too many is refused for now, in each mail anew', async (t) => {
  const { port } = await smtpListener(t, { limits: { smtpRecipients: 3 } })
  const client = await greetSmtp(port)
  for (let round = 0; round < 2; round++) {
    await client.say('MAIL FROM:<>')
    for (let i = 0; i < 3; i++) assert.match(await client.say(`RCPT TO:<${rua}>`), /^250 /)
    assert.match(await client.say(`RCPT TO:<${rua}>`), /^452 4\.5\.3 /)
    assert.match(await client.say('RSET'), /^250 /)
  }
})

test('parameters are read as RFC 5321 and its extensions say', async (t) => {
  const { port } = await smtpListener(t)
  const client = await greetSmtp(port)
  for (const [parameter, reply] of [
    ['SIZE=10485760', /^250 2\.1\.0 /],
    ['SIZE=10485761', /^552 5\.3\.4 /],
    ['SIZE=abc', /^501 5\.5\.4 /],
    ['SIZE=1 SIZE=1', /^501 5\.5\.4 /],
    ['BODY=BINARYMIME', /^501 5\.5\.4 /],
    ['FOO=bar', /^555 5\.5\.4 /],
    ['REQUIRETLS', /^530 5\.7\.0 /],
    ['ENVID=a+0D+0Ab', /^501 5\.1\.7 /],
  ] as const) {
    assert.match(await client.say(`MAIL FROM:<a@b.example> ${parameter}`), reply, parameter)
    await client.say('RSET')
  }
  await client.say('MAIL FROM:<>')
  assert.match(await client.say(`RCPT TO:<${rua}> FOO=bar`), /^555 5\.5\.4 /)
})

test('commands out of order are refused', async (t) => {
  const { port } = await smtpListener(t)
  const client = await connectSmtp(port)
  await client.read()
  assert.match(await client.say('MAIL FROM:<>'), /^503 5\.5\.1 /)
  await client.say('EHLO client.example')
  assert.match(await client.say(`RCPT TO:<${rua}>`), /^503 5\.5\.1 /)
  assert.match(await client.say('DATA'), /^503 5\.5\.1 /)
  await client.say('MAIL FROM:<>')
  assert.match(await client.say('DATA'), /^503 5\.5\.1 /)
  assert.match(await client.say('MAIL FROM:<>'), /^503 5\.5\.1 /)
  assert.match(await client.say(`EHLO ${'x'.repeat(301)}`), /^501 /)
  assert.match(await client.say('EHLO a\x1bb'), /^501 /)
})

test('commands that we do not do are said to be so, sendmail wizardry among them', async (t) => {
  const { port } = await smtpListener(t)
  const known = ['AUTH PLAIN AGEAYg==', 'WIZ x', 'SHELL', 'KILL', 'XCLIENT ADDR=192.0.2.1', 'XFORWARD ADDR=192.0.2.1']
  const client = await greetSmtp(port)
  for (const command of [...known, 'BDAT 5 LAST', 'EXPN list', 'ETRN ours.example']) {
    assert.match(await client.say(command), /^502 5\.5\.1 /, command)
  }
  assert.match(await client.say('VRFY tlsrpt'), /^252 2\.1\.5 /)
  assert.match(await client.say('HELP'), /^214 2\.0\.0 /)
  assert.match(await client.say('TURN'), /^421 /, 'the tenth')
  const proxy = await greetSmtp(port)
  assert.match(await proxy.say('PROXY TCP4 192.0.2.1 192.0.2.2 1 2'), /^500 5\.5\.2 /)
})

test('every reply has one enhanced code, but for greetings and 354 (RFC 2034)', async (t) => {
  const { port } = await smtpListener(t, { limits: { smtpRecipients: 1, smtpUnknownRecipients: 1 } })
  const client = await greetSmtp(port)
  const replies = []
  for (const command of [
    'NOOP',
    'RSET',
    'HELP',
    'VRFY x',
    'VRFY',
    'FOO',
    'WIZ x',
    'DATA',
    'STARTTLS now',
    'MAIL FROM',
    'MAIL FROM:<>',
    'MAIL FROM:<>',
    'RCPT TO:<>',
    'RCPT TO:<x@y.example>',
    `RCPT TO:<${rua}>`,
    `RCPT TO:<${rua}>`,
  ]) {
    replies.push(await client.say(command))
  }
  assert.match(await client.say('DATA'), /^354 End/)
  await client.write(`${mail('unsigned')}.\r\n`)
  replies.push(await client.read(), await client.say('MAIL FROM:<>'), await client.say('RCPT TO:<x@y.example>'))
  const other = await greetSmtp(port)
  replies.push(await other.say('QUIT'))
  for (const reply of replies) assert.match(reply, /^([245])\d\d \1\.\d\.\d+ (?!\d\.\d)[\x20-\x7e]+$/)
})

test('clients that are none are sent away', async (t) => {
  const { port } = await smtpListener(t)
  const early = await connectSmtp(port)
  assert.match(await early.say('EHLO client.example'), /^421 /)
  for (const words of ['GET / HTTP/1.1', `NOOP ${'x'.repeat(2048)}`, 'x'.repeat(100_000)]) {
    const client = await greetSmtp(port)
    assert.match(await client.say(words), /^421 /, words.slice(0, 20))
    assert.equal(await client.read(), 'closed')
  }
  const random = await greetSmtp(port)
  await random.write(Buffer.concat([Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]), Buffer.alloc(4096, 0xfe)]))
  assert.match(await random.read(), /^(?:421|500) /)
})

test('commands without end and without a mail are not listened to for ever', async (t) => {
  const { port } = await smtpListener(t, { limits: { smtpRecipients: 5 } })
  const client = await greetSmtp(port)
  await client.write('NOOP\r\n'.repeat(200))
  let replies = 0
  let reply = await client.read()
  for (; reply.startsWith('250 '); reply = await client.read()) replies++
  assert.match(reply, /^421 4\.7\.0 /)
  assert.ok(replies < 40, `${replies} replies`)
})

test('messages on one connection are counted; a relay may go on', async (t) => {
  const { port } = await smtpListener(t, { limits: { smtpMessagesPerConnection: 2 }, relays: ['127.0.0.9'] })
  const client = await greetSmtp(port)
  for (let i = 0; i < 2; i++) assert.match(await sendMail(client, rua, mail()), /^250 /)
  assert.match(await sendMail(client, rua, mail()), /^421 4\.7\.0 /)
  assert.equal(await client.read(), 'closed')
  const relay = await greetSmtp(port, { from: '127.0.0.9' })
  for (let i = 0; i < 4; i++) assert.match(await sendMail(relay, rua, mail()), /^250 /)
})

test('a transaction is one line in the log, whatever a stranger writes into it', async (t) => {
  const { port, lines } = await smtpListener(t)
  const client = await connectSmtp(port)
  await client.read()
  await client.say('EHLO "client')
  await client.say('MAIL FROM:<"a\u202eb"@sender.example>')
  await client.say(`RCPT TO:<${rua}>`)
  await client.say('DATA')
  await client.write(`${mail('unsigned')}.\r\n`)
  await client.read()
  assert.equal(lines.length, 1)
  assert.doesNotMatch(lines[0]!.trimEnd(), /[\x00-\x1f\x7f]/)
  const { verdict, reason, submission_key, peer, from, size, tls } = JSON.parse(lines[0]!) as Record<string, unknown>
  assert.deepEqual(
    { verdict, reason, submission_key, peer, from, size, tls },
    {
      verdict: 'unauthenticated',
      reason: 'no-passing-signature',
      submission_key: submissionKey,
      peer: '127.0.0.1',
      from: '"a\u202eb"@sender.example',
      size: mail('unsigned').length,
      tls: false,
    },
  )
})

const open = async (port: number, from: string): Promise<{ client: SmtpClient; greeting: string }> => {
  const client = await connectSmtp(port, { from })
  return { client, greeting: await client.read() }
}

test('connections are counted by address, by network and in total; who leaves makes room', async (t) => {
  const { port } = await smtpListener(t, {
    limits: { smtpConnections: 6, smtpConnectionsPerAddress: 2, smtpConnectionsPerNetwork: 4 },
    limitExempt: (address) => address.startsWith('127.0.1.'),
    relays: ['127.0.2.0/24'],
  })
  const first = await open(port, '127.0.0.1')
  assert.match((await open(port, '127.0.0.1')).greeting, /^220 /)
  assert.match((await open(port, '127.0.0.1')).greeting, /^421 4\.7\.0 /, 'the third of an address')
  assert.match((await open(port, '127.0.0.2')).greeting, /^220 /)
  assert.match((await open(port, '127.0.0.3')).greeting, /^220 /)
  assert.match((await open(port, '127.0.0.4')).greeting, /^421 4\.7\.0 /, 'the fifth of a network')
  assert.match(await first.client.say('QUIT'), /^221 /)
  assert.equal(await first.client.read(), 'closed')
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.match((await open(port, '127.0.0.4')).greeting, /^220 /, 'after one has left')
  assert.match((await open(port, '127.0.1.1')).greeting, /^220 /)
  assert.match((await open(port, '127.0.2.1')).greeting, /^220 /, 'six in total')
  assert.match((await open(port, '127.0.2.1')).greeting, /^421 4\.7\.0 /, 'the seventh in total, even of a relay')
})

test('new connections are counted by address and minute: a reconnecting one is told to come back later', async (t) => {
  const { port, entries } = await smtpListener(t, {
    limits: { smtpConnectionsPerMinute: 3 },
    limitExempt: (address) => address === '127.0.0.8',
    relays: ['127.0.0.9'],
  })
  const comeAndGo = async (from: string) => {
    const { client, greeting } = await open(port, from)
    client.close()
    return greeting.slice(0, 9)
  }
  const times = async (from: string, count: number) => {
    const greetings: string[] = []
    while (greetings.length < count) greetings.push(await comeAndGo(from))
    return greetings
  }
  assert.deepEqual(await times('127.0.0.1', 5), ['220 mx.ou', '220 mx.ou', '220 mx.ou', '421 4.7.0', '421 4.7.0'])
  assert.deepEqual(await times('127.0.0.2', 1), ['220 mx.ou'], 'another address')
  for (const from of ['127.0.0.8', '127.0.0.9']) assert.ok((await times(from, 5)).every((greeting) => greeting.startsWith('220 '))) // prettier-ignore
  assert.equal(entries().filter(({ reason }) => reason === 'too-many-connections').length, 2)
})

test('relays and exempt addresses are not counted by address', async (t) => {
  const { port } = await smtpListener(t, {
    limits: { smtpConnectionsPerAddress: 1, smtpConnectionsPerNetwork: 1 },
    limitExempt: (address) => address === '127.0.0.8',
    relays: ['127.0.0.9'],
  })
  for (const from of ['127.0.0.8', '127.0.0.9']) {
    const opened = await Promise.all([1, 2, 3].map(() => open(port, from)))
    for (const { greeting } of opened) assert.match(greeting, /^220 /)
  }
})

test('without a host it listens on all addresses, and IPv4 peers have IPv4 addresses', async (t) => {
  const { port, seen } = await smtpListener(t, {}, undefined)
  const client = await greetSmtp(port, { from: '127.0.0.5' })
  await sendMail(client, rua, mail())
  assert.equal((seen[0]!.provenance as { peerAddress: string }).peerAddress, '127.0.0.5')
})
