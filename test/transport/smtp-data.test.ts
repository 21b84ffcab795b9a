/** RFC 5321 §4.1.1.4, §4.5.2: the bytes of mails, their limits in size and time, and connections that break. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { connectSmtp, greetSmtp, sendMail, type SmtpClient } from '../support/smtp-client.ts'
import { smtpListener, submissionKey } from './fixtures.ts'

const rua = 'tlsrpt@ours.example'
const mail = 'Subject: outcome=accepted\r\n\r\nbody\r\n'

/** An open session that has said DATA and may send. */
async function atData(port: number, options?: { from?: string }): Promise<SmtpClient> {
  const client = await greetSmtp(port, options)
  await beginMail(client)
  return client
}

async function beginMail(client: SmtpClient): Promise<void> {
  await client.say('MAIL FROM:<reports@sender.example>')
  await client.say(`RCPT TO:<${rua}>`)
  assert.match(await client.say('DATA'), /^354 /)
}

const dotty = ['.', '..', '...x', 'a.', '.a', '', 'a..b', '..', '.'].map((line) => `${line}\r\n`).join('')
const stuffed = Buffer.from(`${dotty.replace(/^\./gm, '..')}.\r\n`)

test('dots are unstuffed to the byte, wherever the network cuts', async (t) => {
  const { port, seen } = await smtpListener(t, { limits: { smtpMessagesPerConnection: 1000 } })
  const client = await greetSmtp(port)
  for (let cut = 1; cut < stuffed.length; cut++) {
    await beginMail(client)
    await client.write(stuffed.subarray(0, cut))
    await sleep(1) // A segment of its own.
    await client.write(stuffed.subarray(cut))
    assert.match(await client.read(), /^250 /)
  }
  await beginMail(client)
  for (const byte of stuffed) {
    await client.write(Buffer.from([byte]))
    await sleep(1)
  }
  assert.match(await client.read(), /^250 /)
  assert.equal(seen.length, stuffed.length)
  for (const { raw } of seen) assert.equal(raw.toString(), dotty)
})

test('any bytes in lines arrive as they were sent', async (t) => {
  const { port, seen } = await smtpListener(t, { limits: { smtpMessagesPerConnection: 1000 } })
  const client = await greetSmtp(port)
  const line = fc
    .uint8Array({ maxLength: 40 })
    .map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 10 && byte !== 13)).toString('latin1'))
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(line, fc.constantFrom('.', '..', '.x')), { maxLength: 20 }), async (lines) => {
      const message = Buffer.from(lines.map((text) => `${text}\r\n`).join(''), 'latin1')
      await sendMail(client, rua, message)
      assert.deepEqual(seen.pop()?.raw, message)
    }),
    { numRuns: 50 },
  )
})

test('a mail ends at CRLF . CRLF only, and one that seems to end elsewhere is refused', async (t) => {
  const { port, seen } = await smtpListener(t)
  const smuggled = `MAIL FROM:<evil@sender.example>\r\nRCPT TO:<${rua}>\r\nDATA\r\nsmuggled\r\n`
  for (const ending of ['\n.\n', '\n.\r\n', '\r\n.\n']) {
    const client = await atData(port)
    for (const segment of ['a: b\r\n\r\nbody', ending, smuggled, '.\r\n']) {
      await client.write(segment)
      await sleep(1)
    }
    assert.match(await client.read(), /^550 5\.5\.2 /, JSON.stringify(ending))
    assert.match(await client.say('NOOP'), /^250 /)
    client.close()
  }
  assert.equal(seen.length, 0)
  // With a bare CR it is not for the transport to say: the road refuses that in any place, and keeps it.
  for (const ending of ['\r.\r', '\r\n.\r', '\r.\r\n', '\r\r\n.\r\r\n', '\n\r.\r\n']) {
    const client = await atData(port)
    for (const byte of ending) await client.write(byte)
    await client.write(`${smuggled}.\r\n`)
    assert.match(await client.read(), /^250 /, JSON.stringify(ending))
    assert.match(await client.say('NOOP'), /^250 /)
    client.close()
  }
  assert.equal(seen.length, 5)
  for (const { raw } of seen) assert.match(raw.toString(), /smuggled\r\n$/)
})

test('a dot at the very start, ended by a bare LF, ends nothing either', async (t) => {
  const { port, seen } = await smtpListener(t)
  const client = await atData(port)
  await client.write('.\nNOOP\r\n.\r\n')
  assert.match(await client.read(), /^550 5\.5\.2 /)
  assert.equal(seen.length, 0)
})

test('bare LFs away from such dots, and eight-bit bytes, are taken', async (t) => {
  const { port, seen } = await smtpListener(t)
  const client = await atData(port)
  await client.write(Buffer.from('a: b\nc: d.\n\n.x\n\xff\xfe\n\r\n.\r\n', 'latin1'))
  assert.match(await client.read(), /^250 /)
  assert.equal(seen[0]!.raw.toString('latin1'), 'a: b\nc: d.\n\n.x\n\xff\xfe\n\r\n')
})

test('a mail of the largest size is taken, a byte more is refused, and the next one is heard', async (t) => {
  const { port, seen, entries } = await smtpListener(t, { limits: { messageBytes: 1000 } })
  const client = await greetSmtp(port)
  assert.match(await sendMail(client, rua, `${'x'.repeat(998)}\r\n`), /^250 /)
  assert.equal(
    await sendMail(client, rua, `${'x'.repeat(999)}\r\n`),
    `552 5.3.4 message-too-large key=${submissionKey}`,
  )
  assert.match(await sendMail(client, rua, mail), /^250 /)
  assert.deepEqual(
    seen.map(({ raw }) => raw.length),
    [1000, mail.length],
  )
  assert.deepEqual(
    entries().map(({ verdict }) => verdict),
    ['accepted', 'too-large', 'accepted'],
  )
})

test('SIZE=1 does not make a large mail small', async (t) => {
  const { port } = await smtpListener(t, { limits: { messageBytes: 1000 } })
  const client = await greetSmtp(port)
  await client.say('MAIL FROM:<> SIZE=1')
  await client.say(`RCPT TO:<${rua}>`)
  await client.say('DATA')
  await client.write(`${'x'.repeat(1500)}\r\n.\r\n`)
  assert.equal(await client.read(), `552 5.3.4 message-too-large key=${submissionKey}`)
})

test('who goes on at twice the size is cut off', async (t) => {
  const { port, seen } = await smtpListener(t, { limits: { messageBytes: 1000 } })
  const client = await atData(port)
  for (let i = 0; i < 30; i++) await client.write(`${'x'.repeat(98)}\r\n`)
  assert.equal(await client.read(), '552 5.3.4 message-too-large')
  assert.equal(await client.read(), 'closed')
  assert.equal(seen.length, 0)
})

test('all mails under way share one room, and who finds none is told to come back', async (t) => {
  const { port, seen } = await smtpListener(t, { limits: { messageBytes: 1000 }, limitExempt: () => true })
  const clients = await Promise.all(Array.from({ length: 17 }, () => atData(port)))
  for (const client of clients) {
    await client.write(`${'x'.repeat(960)}\r\n`)
    await sleep(2)
  }
  for (const client of clients) await client.write('.\r\n')
  const replies = await Promise.all(clients.map((client) => client.read()))
  assert.equal(replies.filter((reply) => reply.startsWith('250 ')).length, 16)
  assert.equal(replies.filter((reply) => reply === '452 4.3.1 overloaded').length, 1)
  assert.equal(seen.length, 16)
  assert.match(await sendMail(clients[0]!, rua, mail), /^250 /, 'the room is given back')
})

/** They wait and do no work, so all of them wait at once. */
suite('who takes his time', { concurrency: true }, () => {
  test('a byte now and then keeps nobody in, before DATA or in it', async (t) => {
    const { port } = await smtpListener(t, { limits: { smtpIdleSeconds: 1, smtpDataSeconds: 1 } })
    const trickle = async (client: SmtpClient) => {
      const started = performance.now()
      const timer = setInterval(() => void client.write('x'), 100)
      const reply = await client.read()
      clearInterval(timer)
      assert.match(reply, /^421 4\.4\.2 /)
      assert.ok(performance.now() - started < 5000)
      assert.equal(await client.read(), 'closed')
    }
    const silent = async () => {
      const client = await connectSmtp(port)
      assert.match(await client.read(), /^220 /)
      assert.match(await client.read(), /^421 4\.4\.2 /)
    }
    await Promise.all([greetSmtp(port).then(trickle), atData(port).then(trickle), silent()])
  })

  test('a mail that comes too slowly ends its connection long before the deadline, and one that comes slowly enough does not', async (t) => {
    const { port, entries } = await smtpListener(t, { limits: { slowGraceSeconds: 1, slowestBytesPerSecond: 100 } })
    const pour = async (bytes: number) => {
      const client = await atData(port)
      const timer = setInterval(() => void client.write('x'.repeat(bytes)), 100)
      await sleep(1600)
      clearInterval(timer)
      await client.write('\r\n.\r\n')
      return client
    }
    const [slow, fast] = await Promise.all([pour(5), pour(20)])
    assert.match(await slow.read(), /^421 4\.4\.2 /)
    assert.equal(await slow.read(), 'closed')
    assert.match(await fast.read(), /^250 /)
    assert.deepEqual(
      entries().map(({ verdict, reason }) => [verdict, reason]),
      [
        ['none', 'too-slow'],
        ['accepted', 'accepted'],
      ],
    )
  })

  test('a session has an end, between two mails', async (t) => {
    const { port } = await smtpListener(t, { limits: { smtpSessionSeconds: 1 } })
    const client = await greetSmtp(port)
    assert.match(await sendMail(client, rua, mail), /^250 /)
    await sleep(1050)
    assert.match(await sendMail(client, rua, mail), /^421 4\.4\.2 /)
    assert.equal(await client.read(), 'closed')
  })

  test('a slow road is not cut off by the deadlines of the sender', async (t) => {
    const { port } = await smtpListener(t, {
      limits: { smtpIdleSeconds: 1, smtpDataSeconds: 1 },
      ingest: async () => {
        await sleep(1300)
        return [{ kind: 'deferred', reason: 'slow' }]
      },
    })
    assert.equal(await sendMail(await greetSmtp(port), rua, mail), '451 4.3.0 slow')
  })
})

test('a connection reset at any step ends that connection and nothing else', async (t) => {
  const { port, seen } = await smtpListener(t, { limits: { smtpConnections: 12 }, limitExempt: () => true })
  const steps: ((client: SmtpClient) => Promise<unknown>)[] = [
    () => Promise.resolve(),
    (client) => client.read(),
    (client) => client.write('EHLO client'),
    (client) => client.write('.example\r\n'),
    (client) => client.read(),
    (client) => client.say('MAIL FROM:<>'),
    (client) => client.say(`RCPT TO:<${rua}>`),
    (client) => client.write('DATA\r\n'),
    (client) => client.read(),
    (client) => client.write('Subject: x\r\n'),
    (client) => client.write('\r\n'.repeat(5000)),
  ]
  for (let round = 0; round < 3; round++) {
    await Promise.all(
      steps.map(async (_, last) => {
        const client = await connectSmtp(port)
        for (const step of steps.slice(0, last + 1)) await step(client)
        client.reset()
      }),
    )
    await sleep(150) // The greeting of those that left before it.
  }
  assert.equal(seen.length, 0)
  const others = await Promise.all(Array.from({ length: 12 }, () => greetSmtp(port)))
  for (const client of others) assert.match(await client.say('NOOP'), /^250 /, 'all places are free again')
})

test('who vanishes behind the final dot is committed all the same', async (t) => {
  let committed = 0
  const { port } = await smtpListener(t, {
    ingest: async () => {
      await sleep(40)
      committed++
      return [{ kind: 'deferred', reason: 'database-away' }]
    },
  })
  const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length
  const before = timers()
  const client = await atData(port)
  await client.write(`${mail}.\r\n`)
  await sleep(20)
  client.reset()
  await sleep(40)
  assert.equal(committed, 1)
  assert.equal(timers(), before, 'no deadline is left behind')
  assert.match(await sendMail(await greetSmtp(port), rua, mail), /^451 /)
})

test('an envelope does not outlive its transaction', async (t) => {
  const { port, seen } = await smtpListener(t)
  const client = await greetSmtp(port)
  await client.say('MAIL FROM:<first@sender.example>')
  await client.say('RCPT TO:<tlsrpt+first@ours.example>')
  await client.say('RSET')
  assert.match(await sendMail(client, rua, mail), /^250 /)
  const { mailFrom, rcptTo } = seen[0]!.provenance as { mailFrom: string; rcptTo: string[] }
  assert.deepEqual({ mailFrom, rcptTo }, { mailFrom: 'reports@sender.example', rcptTo: [rua] })
})

test('a whole session in one segment, or in segments of a byte, is the same session', async (t) => {
  const { port, seen } = await smtpListener(t)
  const session = `EHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<${rua}>\r\nDATA\r\n${mail}.\r\nNOOP\r\nQUIT\r\n`
  for (const size of [session.length, 1]) {
    const client = await connectSmtp(port)
    await client.read()
    for (let at = 0; at < session.length; at += size) await client.write(session.slice(at, at + size))
    const replies = []
    for (let reply = await client.read(); reply !== 'closed'; reply = await client.read())
      replies.push(reply.slice(0, 3))
    assert.deepEqual(replies, ['250', '250', '250', '354', '250', '250', '221'])
  }
  assert.deepEqual(
    seen.map(({ raw }) => raw.toString()),
    [mail, mail],
  )
})

test('closing answers what is under way, sends the idle away, and takes nothing new', async (t) => {
  let arrived = () => {}
  let finish = () => {}
  const underWay = new Promise<void>((resolve) => (arrived = resolve))
  const allowed = new Promise<void>((resolve) => (finish = resolve))
  const { port, close } = await smtpListener(t, {
    ingest: async () => {
      arrived()
      await allowed
      return [{ kind: 'deferred', reason: 'database-away' }]
    },
  })
  const idle = await greetSmtp(port)
  const unanswered = await atData(port)
  await unanswered.write(`${mail}.\r\n`)
  const sending = await atData(port)
  await sending.write('Subject: x\r\n')
  await underWay
  const closed = close()
  assert.match(await idle.read(), /^421 4\.3\.2 /)
  assert.equal(await idle.read(), 'closed')
  await assert.rejects(connectSmtp(port), { code: 'ECONNREFUSED' })
  await sending.write('\r\n.\r\n')
  await sleep(20)
  finish()
  for (const client of [unanswered, sending]) {
    assert.equal(await client.read(), '451 4.3.0 database-away')
    assert.match(await client.read(), /^421 4\.3\.2 /)
    assert.equal(await client.read(), 'closed')
  }
  await closed
  await close() // A second signal.
})

test('closing does not wait for ever for a mail that does not come', async (t) => {
  const { port, close } = await smtpListener(t, { limits: { drainSeconds: 1 } })
  const client = await atData(port)
  const started = performance.now()
  await close()
  assert.ok(performance.now() - started < 5000)
  assert.equal(await client.read(), 'closed')
})
