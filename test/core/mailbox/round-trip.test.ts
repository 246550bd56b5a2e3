import { expect } from 'chai'
import { encodeReply } from '../../../packages/core/src/mailbox/frames.ts'
import {
  ackRequest,
  createQueueRequest,
  defaultTerms,
  deleteRequest,
  fetchRequest,
  lookupRequest,
  newQueueKeys,
  putRequest,
  readHello,
  recordRequest,
  subscribeRequest,
} from '../../../packages/core/src/mailbox/index.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { utf8 } from '../../../packages/core/src/wire/index.ts'
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

const put = (client: TestClient, seed: string, text: string) =>
  client.ask((id) => putRequest(crypto, client.session, id, keysOf(seed).write, utf8(text)))

const fetch = (client: TestClient, seed: string, after = 0, limit?: number) =>
  client.ask((id) => fetchRequest(crypto, client.session, id, keysOf(seed).read, after, limit))

const textsOf = (items: readonly { readonly blob: Uint8Array }[]): readonly string[] =>
  items.map(({ blob }) => new TextDecoder().decode(blob))

describe('mailbox: a client and a relay', () => {
  it('says what it grants before anything is asked', () => {
    const { session } = startRelay().connect()
    expect(session.nonce).to.have.length(32)
    expect(session.terms).to.deep.equal({
      ttlMs: limits.mailboxTtlMs,
      queueItems: limits.queueItems,
      queueBytes: limits.queueBytes,
      introItems: limits.introItems,
      recordMs: limits.inviteMaxMs,
      workBits: 0,
    })
  })

  it('says where it serves the web app, as it is when the channel opens', () => {
    expect(startRelay().connect().session.web).to.equal(null)
    let web: string | null = null
    const relay = startRelay({ web: () => web })
    expect(relay.connect().session.web).to.equal(null)
    web = 'relay.example:8443'
    expect(relay.connect().session.web).to.equal('relay.example:8443')
    web = 'a'.repeat(limits.webHostBytes)
    expect(relay.connect().session.web).to.equal(web)
    web += 'a'
    expect(() => relay.connect()).to.throw()
  })

  it('takes no greeting that names a longer host, and none without the field', () => {
    const greeting = { kind: 'hello', nonce: bytesOf('n', 32), terms: defaultTerms, web: null } as const
    const hello = encodeReply(null, { ...greeting, web: 'a'.repeat(limits.webHostBytes) })
    expect(readHello('relay-one', hello)?.web).to.have.length(limits.webHostBytes)
    // One more letter, and one more in the last byte of the text's head.
    const longer = Uint8Array.from([...hello, 97])
    longer[hello.length - limits.webHostBytes - 1] = 1
    expect(readHello('relay-one', longer)).to.equal(undefined)
    // The array of four items becomes one of three, and its last item goes.
    const without = encodeReply(null, greeting).slice(0, -1)
    without[without.indexOf(0x84)] = 0x83
    expect(readHello('relay-one', without)).to.equal(undefined)
  })

  it('keeps a deposit until its reader has acknowledged it', async () => {
    const relay = startRelay()
    const reader = relay.connect('reader')
    const writer = relay.connect('writer')
    await newQueue(reader, 'q')
    for (const text of ['one', 'two', 'three']) expect((await put(writer, 'q', text)).kind).to.equal('done')

    const page = await fetch(reader, 'q')
    if (page.kind !== 'page') return expect.fail(page.kind)
    expect(textsOf(page.items)).to.deep.equal(['one', 'two', 'three'])
    expect(page.more).to.equal(false)
    expect(page.items[0]?.expiresAtMs).to.equal(noonMs + limits.mailboxTtlMs)

    const upTo = page.items[1]?.cursor ?? 0
    const acked = await reader.ask((id) => ackRequest(crypto, reader.session, id, keysOf('q').read, upTo))
    expect(acked.kind).to.equal('done')
    const rest = await fetch(reader, 'q')
    expect(rest.kind === 'page' && textsOf(rest.items)).to.deep.equal(['three'])
  })

  it('pages by count and by bytes, and says where to go on', async () => {
    const relay = startRelay()
    const client = relay.connect()
    await newQueue(client, 'q')
    for (let i = 0; i < 5; i++) {
      const blob = bytesOf(`blob ${i}`, 30_000)
      const reply = await client.ask((id) => putRequest(crypto, client.session, id, keysOf('q').write, blob))
      expect(reply.kind).to.equal('done')
    }
    const sizes: number[] = []
    for (let after = 0, more = true; more;) {
      const page = await fetch(client, 'q', after)
      if (page.kind !== 'page') return expect.fail(page.kind)
      sizes.push(page.items.length)
      ;({ after, more } = page)
    }
    expect(sizes).to.deep.equal([2, 2, 1])
    const one = await fetch(client, 'q', 0, 1)
    expect(one.kind === 'page' && [one.items.length, one.more]).to.deep.equal([1, true])
  })

  it('carries an item of exactly the longest size through put, fetch and push', async () => {
    const relay = startRelay()
    const client = relay.connect()
    const { read, write } = await newQueue(client, 'q')
    await client.ask((id) => subscribeRequest(crypto, client.session, id, read, 0))
    const blob = bytesOf('longest', limits.frameBytes)
    const reply = await client.ask((id) => putRequest(crypto, client.session, id, write, blob))
    expect(reply.kind).to.equal('done')
    expect(client.pushes().flatMap(({ items }) => items.map((item) => item.blob))).to.deep.equal([blob])
    const page = await fetch(client, 'q')
    expect(page.kind === 'page' && page.items[0]?.blob).to.deep.equal(blob)
    for (const frame of client.received) expect(frame.length).to.be.at.most(limits.streamFrameBytes)
    expect(() => putRequest(crypto, client.session, 9, write, bytesOf('x', limits.frameBytes + 1))).to.throw()
  })

  it('pushes what waits and what comes, a window at a time', async () => {
    const relay = startRelay()
    const reader = relay.connect('reader')
    const writer = relay.connect('writer')
    const { read } = await newQueue(reader, 'q')
    const total = limits.pushWindowItems + 5
    for (let i = 0; i < total - 1; i++) await put(writer, 'q', `m${i}`)
    const subscribed = await reader.ask((id) => subscribeRequest(crypto, reader.session, id, read, 0))
    expect(subscribed.kind).to.equal('done')
    const first = reader.pushes().flatMap(({ items }) => items)
    expect(first).to.have.length(limits.pushWindowItems)

    await put(writer, 'q', `m${total - 1}`)
    expect(reader.pushes(), 'the window is full').to.have.length(0)
    const upTo = first.at(-1)?.cursor ?? 0
    await reader.ask((id) => ackRequest(crypto, reader.session, id, read, upTo))
    const second = reader.pushes().flatMap(({ items }) => items)
    expect(textsOf([...first, ...second])).to.deep.equal(Array.from({ length: total }, (_, i) => `m${i}`))
  })

  it('shares one window of bytes among all queues of a channel, and loses nothing for it', async () => {
    const relay = startRelay({ caps: { bytes: { perSecond: 1e9, burst: 1e9 } } })
    const reader = relay.connect('reader')
    const seeds = ['a', 'b', 'c', 'd', 'e', 'f']
    for (const seed of seeds) {
      const { write } = await newQueue(reader, seed)
      for (let i = 0; i < 4; i++) {
        const blob = bytesOf(`${seed}${i}`, 40_000)
        await reader.ask((id) => putRequest(crypto, reader.session, id, write, blob))
      }
    }
    for (const seed of seeds)
      await reader.ask((id) => subscribeRequest(crypto, reader.session, id, keysOf(seed).read, 0))
    const got = new Set<string>()
    for (let pushes = reader.pushes(); pushes.length > 0; pushes = reader.pushes()) {
      const unacked = pushes.flatMap(({ items }) => items).reduce((sum, { blob }) => sum + blob.length, 0)
      expect(unacked).to.be.at.most(limits.pushWindowBytes)
      for (const { recvId, items } of pushes) {
        const seed = seeds.find((name) => Buffer.from(keysOf(name).recvId).equals(recvId)) ?? ''
        for (const { cursor } of items) got.add(`${seed}${cursor}`)
        const upTo = items.at(-1)?.cursor ?? 0
        await reader.ask((id) => ackRequest(crypto, reader.session, id, keysOf(seed).read, upTo))
      }
    }
    expect(got.size).to.equal(24)
  })

  it('stops pushing to a channel that closed', async () => {
    const relay = startRelay()
    const reader = relay.connect('reader')
    const writer = relay.connect('writer')
    const { read } = await newQueue(reader, 'q')
    await reader.ask((id) => subscribeRequest(crypto, reader.session, id, read, 0))
    relay.server.closed(reader.channel)
    await put(writer, 'q', 'after')
    expect(reader.pushes()).to.have.length(0)
    expect(relay.server.counters().pushed).to.equal(0)
  })

  it('forgets a deleted queue under both its names', async () => {
    const relay = startRelay()
    const client = relay.connect()
    const { read } = await newQueue(client, 'q')
    await put(client, 'q', 'gone')
    expect((await client.ask((id) => deleteRequest(crypto, client.session, id, read))).kind).to.equal('done')
    expect((await put(client, 'q', 'again')).kind).to.equal('denied')
    expect((await fetch(client, 'q')).kind).to.equal('denied')
    expect(await relay.store.totals()).to.deep.equal({ queues: 0, items: 0, bytes: 0, records: 0 })
  })

  it('creates a queue once however often it is asked', async () => {
    const relay = startRelay()
    const client = relay.connect()
    await newQueue(client, 'q')
    await put(client, 'q', 'kept')
    await newQueue(client, 'q')
    const page = await fetch(client, 'q')
    expect(page.kind === 'page' && page.items.length).to.equal(1)
  })

  it('keeps a record for whoever knows its locator, and changes it for its editor only', async () => {
    const relay = startRelay()
    const client = relay.connect()
    const locator = bytesOf('locator', 32)
    const keep = (editor: string, value: Uint8Array, expiresAtMs = noonMs + dayMs) =>
      client.ask((id) =>
        recordRequest(crypto, client.session, id, signerOf(editor), { locator, value, expiresAtMs }),
      )
    const look = () => client.ask((id) => lookupRequest(crypto, client.session, id, locator))

    expect((await look()).kind).to.equal('missing')
    expect((await keep('owner', utf8('first'))).kind).to.equal('done')
    expect((await keep('stranger', utf8('mine'))).kind).to.equal('denied')
    expect((await keep('owner', utf8('second'))).kind).to.equal('done')
    const found = await look()
    expect(found.kind === 'record' && [found.value, found.editKey, found.expiresAtMs]).to.deep.equal([
      utf8('second'),
      signerOf('owner').publicKey,
      noonMs + dayMs,
    ])

    expect((await keep('owner', new Uint8Array())).kind).to.equal('done')
    expect((await look()).kind, 'deleted').to.equal('missing')
    expect((await keep('stranger', utf8('mine'))).kind, 'the locator stays taken').to.equal('denied')
  })

  it('forgets a record when it expires, and keeps none longer than it grants', async () => {
    const relay = startRelay({ terms: { recordMs: 2 * dayMs } })
    const client = relay.connect()
    const locator = bytesOf('locator', 32)
    const keep = (expiresAtMs: number) =>
      client.ask((id) =>
        recordRequest(crypto, client.session, id, signerOf('o'), { locator, value: utf8('v'), expiresAtMs }),
      )
    const look = () => client.ask((id) => lookupRequest(crypto, client.session, id, locator))
    expect((await keep(noonMs)).kind).to.equal('declined')
    expect((await keep(noonMs + 30 * dayMs)).kind).to.equal('done')
    relay.clock.advance(2 * dayMs - 1)
    expect((await look()).kind).to.equal('record')
    relay.clock.advance(1)
    expect((await look()).kind).to.equal('missing')
    relay.clock.advance(1)
    await relay.server.tick()
    expect((await relay.store.totals()).records).to.equal(0)
  })

  it('takes a record of exactly 12 KiB; a longer one cannot be written', async () => {
    const client = startRelay().connect()
    const entry = (length: number) => ({
      locator: bytesOf('l', 32),
      value: bytesOf('value', length),
      expiresAtMs: noonMs + dayMs,
    })
    const at = (length: number) => (id: number) =>
      recordRequest(crypto, client.session, id, signerOf('o'), entry(length))
    expect((await client.ask(at(limits.recordBytes))).kind).to.equal('done')
    expect(() => at(limits.recordBytes + 1)(2)).to.throw()
  })

  it('asks for exactly 64 bytes of entropy for a queue', () => {
    expect(() => newQueueKeys(crypto, bytesOf('short', 63)))
      .to.throw()
      .with.property('code', 'E_LENGTH')
    const keys = keysOf('q')
    expect(keys.recvId).to.not.deep.equal(keys.sendId)
  })

  it('builds the same bytes for the same request', () => {
    const { session } = startRelay().connect()
    const build = () => createQueueRequest(crypto, session, 1, keysOf('q'), 'inbox')
    expect(build()).to.deep.equal(build())
  })
})
