import { expect } from 'chai'
import fc from 'fast-check'
import {
  ackRequest,
  createQueueRequest,
  deleteRequest,
  fetchRequest,
  mailboxVersion,
  putRequest,
  recordRequest,
  subscribeRequest,
  type QueueKeys,
} from '../../../packages/core/src/mailbox/index.ts'
import { checkWork, signOp } from '../../../packages/core/src/mailbox/capability.ts'
import { encodeReply, opFrame, requestFrame } from '../../../packages/core/src/mailbox/frames.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { encodeCbor, utf8 } from '../../../packages/core/src/wire/index.ts'
import {
  bytesOf,
  crypto,
  dayMs,
  keysOf,
  newQueue,
  noonMs,
  signerOf,
  startRelay,
  type TestClient,
} from './support.ts'

const put = (client: TestClient, keys: QueueKeys, text: string) =>
  client.ask((id) => putRequest(crypto, client.session, id, keys.write, utf8(text)))

/** Requests as somebody builds them who knows a queue's names but signs with a key of their own. */
const forged = (client: TestClient, keys: QueueKeys, wrong: QueueKeys) => {
  const { recvId, sendId } = keys
  const ops = [
    [opFrame.encode({ kind: 'put', sendId, blob: utf8('x'), stamp: 0 }), wrong.write],
    [opFrame.encode({ kind: 'fetch', recvId, after: 0, limit: 10 }), wrong.read],
    [opFrame.encode({ kind: 'subscribe', recvId, after: 0 }), wrong.read],
    [opFrame.encode({ kind: 'ack', recvId, upTo: 1_000 }), wrong.read],
    [opFrame.encode({ kind: 'delete', recvId }), wrong.read],
  ] as const
  return ops.map(([op, own], id) =>
    requestFrame.encode({ version: 1, id, op, signatures: [signOp(crypto, client.session, own, op)] }),
  )
}

describe('mailbox: capabilities', () => {
  it('answers an unknown queue and a wrong key with the same bytes', async () => {
    const relay = startRelay()
    const client = relay.connect()
    const known = await newQueue(client, 'known')
    await put(client, known, 'kept')
    const unknown = keysOf('unknown')
    const wrong = keysOf('wrong')
    const answers = async (keys: QueueKeys): Promise<readonly Uint8Array[]> => {
      const before = client.received.length
      for (const request of forged(client, keys, wrong)) await client.raw(request)
      return client.received.slice(before)
    }
    const toKnown = await answers(known)
    expect(toKnown).to.deep.equal(await answers(unknown))
    expect(toKnown).to.deep.equal([0, 1, 2, 3, 4].map((id) => encodeReply(id, { kind: 'denied' })))
    expect(await relay.store.usage(known.recvId)).to.deep.equal({ items: 1, bytes: 4 })
  })

  it('lets neither key do the work of the other', async () => {
    const client = startRelay().connect()
    const keys = await newQueue(client, 'q')
    const swapped: QueueKeys = { ...keys, read: keys.write, write: keys.read }
    for (const request of forged(client, keys, swapped)) {
      const [reply] = await client.raw(request)
      expect(reply?.reply.kind).to.equal('denied')
    }
  })

  it('refuses requests without a signature, and a signature for another op', async () => {
    const client = startRelay().connect()
    const { read, recvId } = await newQueue(client, 'q')
    const fetchOp = opFrame.encode({ kind: 'fetch', recvId, after: 0, limit: 1 })
    const deleteOp = opFrame.encode({ kind: 'delete', recvId })
    const signature = signOp(crypto, client.session, read, fetchOp)
    for (const signatures of [[], [signature]]) {
      const [reply] = await client.raw(requestFrame.encode({ version: 1, id: 1, op: deleteOp, signatures }))
      expect(reply?.reply.kind).to.equal('denied')
    }
  })

  it('gives a recorded request no value on another channel or another relay', async () => {
    const relay = startRelay()
    const other = startRelay({ relayPeerId: 'relay-two' })
    const first = relay.connect('reader')
    const later = relay.connect('reader')
    const elsewhere = other.connect('reader')
    const keys = await newQueue(first, 'q')
    await newQueue(elsewhere, 'q')
    expect(elsewhere.session.nonce, 'same draw, other relay').to.deep.equal(first.session.nonce)
    const recorded = [
      putRequest(crypto, first.session, 1, keys.write, utf8('x')),
      ackRequest(crypto, first.session, 2, keys.read, 9),
      deleteRequest(crypto, first.session, 3, keys.read),
      recordRequest(crypto, first.session, 4, signerOf('o'), {
        locator: bytesOf('l', 32),
        value: utf8('v'),
        expiresAtMs: noonMs + dayMs,
      }),
      createQueueRequest(crypto, first.session, 5, keysOf('new'), 'inbox'),
    ]
    for (const request of recorded) {
      for (const victim of [later, elsewhere]) {
        const [reply] = await victim.raw(request)
        expect(reply?.reply.kind).to.equal('denied')
      }
    }
    expect((await relay.store.totals()).items + (await other.store.totals()).items).to.equal(0)
  })

  it('needs both keys to create a queue, so that a name cannot be taken by who only saw it', async () => {
    const client = startRelay().connect()
    const mine = keysOf('mine')
    const thief = keysOf('thief')
    const squat: QueueKeys = { ...thief, write: { ...thief.write, publicKey: mine.write.publicKey } }
    const reply = await client.ask((id) => createQueueRequest(crypto, client.session, id, squat, 'inbox'))
    expect(reply.kind).to.equal('denied')
    await newQueue(client, 'mine')
    const rebind: QueueKeys = { ...mine, write: thief.write, sendId: thief.sendId }
    const second = await client.ask((id) => createQueueRequest(crypto, client.session, id, rebind, 'inbox'))
    expect(second.kind).to.equal('denied')
  })

  it('asks for the proof of work it announces, and only where it announces it', async () => {
    const relay = startRelay({ terms: { workBits: 8 } })
    const client = relay.connect()
    expect(client.session.terms.workBits).to.equal(8)
    const lazy = { ...client.session, terms: { ...client.session.terms, workBits: 0 } }
    const keys = keysOf('intro')
    const blob = utf8('hello')
    const create = (session: typeof lazy) =>
      client.ask((id) => createQueueRequest(crypto, session, id, keys, 'intro'))
    const deposit = (session: typeof lazy) =>
      client.ask((id) => putRequest(crypto, session, id, keys.write, blob, 'intro'))
    expect(await create(lazy)).to.deep.equal({ kind: 'unpaid', workBits: 8 })
    expect((await create(client.session)).kind).to.equal('done')
    expect(await deposit(lazy)).to.deep.equal({ kind: 'unpaid', workBits: 8 })
    expect((await deposit(client.session)).kind).to.equal('done')
    const inbox = await newQueue(client, 'inbox')
    expect((await put(client, inbox, 'free')).kind).to.equal('done')
  })

  it('counts leading zero bits', () => {
    const subject = bytesOf('subject', 32)
    fc.assert(
      fc.property(fc.nat(5_000), fc.integer({ min: 0, max: limits.workBits }), (stamp, bits) => {
        const digest = crypto.sha256(new Uint8Array([...subject, ...encodeCbor(stamp)]))
        const zeros = [...digest]
          .map((byte) => byte.toString(2).padStart(8, '0'))
          .join('')
          .indexOf('1')
        return checkWork(crypto, subject, stamp, bits) === zeros >= bits
      }),
      { numRuns: 300 },
    )
  })
})

describe('mailbox: hostile frames', () => {
  it('answers any bytes with a value and stays useful', async () => {
    const relay = startRelay()
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (input) => {
        const client = relay.connect()
        const replies = await client.raw(input)
        expect(replies).to.have.length(1)
        expect(['malformed', 'version']).to.include(replies[0]?.reply.kind)
      }),
      { numRuns: 300 },
    )
    await newQueue(relay.connect(), 'still working')
  })

  it('survives every single flipped byte of real requests, and none has an effect', async () => {
    const relay = startRelay({ caps: { requests: { perSecond: 1e6, burst: 1e6 } } })
    const home = relay.connect('home')
    const keys = await newQueue(home, 'q')
    await put(home, keys, 'kept')
    /** The request's number is the sender's own business and not part of what is signed. */
    const idAt = 2
    const build = [
      (client: TestClient) => putRequest(crypto, client.session, 1, keys.write, utf8('x')),
      (client: TestClient) => ackRequest(crypto, client.session, 1, keys.read, 9),
      (client: TestClient) => deleteRequest(crypto, client.session, 1, keys.read),
      (client: TestClient) => subscribeRequest(crypto, client.session, 1, keys.read, 0),
    ]
    for (const make of build) {
      const length = make(relay.connect('probe')).length
      for (let at = 0; at < length; at++) {
        if (at === idAt) continue
        const client = relay.connect('probe')
        const frame = make(client)
        frame[at] = (frame[at] ?? 0) ^ (1 << (at % 8))
        const [reply] = await client.raw(frame)
        expect(['denied', 'malformed', 'version']).to.include(reply?.reply.kind)
        relay.server.closed(client.channel)
      }
    }
    expect(await relay.store.usage(keys.recvId)).to.deep.equal({ items: 1, bytes: 4 })
  })

  it('names the version it speaks to who speaks another, and hangs up', async () => {
    const relay = startRelay()
    const client = relay.connect()
    for (const version of [0, 2, 23, 24, 255, 256, 65_535]) {
      const stranger = relay.connect()
      const replies = await stranger.raw(encodeCbor([version, 1, new Uint8Array(3), []]))
      expect(replies.map(({ reply }) => reply)).to.deep.equal([
        { kind: 'version', supported: mailboxVersion },
      ])
      expect(relay.hungUp.has(stranger.channel)).to.equal(true)
    }
    expect(relay.hungUp.has(client.channel)).to.equal(false)
  })

  it('hangs up on who sends nothing but rubbish', async () => {
    const relay = startRelay()
    const client = relay.connect()
    for (let i = 1; i < limits.relayBadFrames; i++) await client.raw(utf8('rubbish'))
    expect(relay.hungUp.has(client.channel)).to.equal(false)
    await client.raw(utf8('rubbish'))
    expect(relay.hungUp.has(client.channel)).to.equal(true)
  })

  it('refuses a frame longer than a channel carries', async () => {
    const client = startRelay().connect()
    const [reply] = await client.raw(new Uint8Array(limits.streamFrameBytes + 1))
    expect(reply?.reply.kind).to.equal('malformed')
  })

  it('ignores frames of channels that never opened or have closed', async () => {
    const relay = startRelay()
    const client = relay.connect()
    const keys = await newQueue(client, 'q')
    relay.server.closed(client.channel)
    relay.server.closed(client.channel)
    expect(await client.raw(putRequest(crypto, client.session, 7, keys.write, utf8('x')))).to.have.length(0)
    void relay.server.frame(999, utf8('x'))
    await relay.server.settled()
    expect((await relay.store.totals()).items).to.equal(0)
  })

  it('takes a request for a queue that says fetch more than a page as malformed', async () => {
    const client = startRelay().connect()
    const { read } = await newQueue(client, 'q')
    expect(() => fetchRequest(crypto, client.session, 1, read, 0, limits.fetchPage + 1)).to.throw()
    const op = encodeCbor([3, keysOf('q').recvId, 0, limits.fetchPage + 1])
    const signatures = [signOp(crypto, client.session, read, op)]
    const [reply] = await client.raw(requestFrame.encode({ version: 1, id: 4, op, signatures }))
    expect(reply).to.deep.equal({ id: 4, reply: { kind: 'malformed' } })
  })
})
