import { expect } from 'chai'
import { PortError } from '../../../packages/core/src/errors.ts'
import {
  ackRequest,
  createQueueRequest,
  fetchRequest,
  lookupRequest,
  putRequest,
  recordRequest,
  subscribeRequest,
  type QueueKeys,
} from '../../../packages/core/src/mailbox/index.ts'
import { Watches } from '../../../packages/core/src/mailbox/watch.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { MemoryMailboxStore } from '../../../packages/core/src/memory/index.ts'
import type { MailboxWrite } from '../../../packages/core/src/ports/index.ts'
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

const unhurried = { requests: { perSecond: 1e9, burst: 1e9 }, bytes: { perSecond: 1e9, burst: 1e9 } }

const put = (client: TestClient, keys: QueueKeys, blob: Uint8Array | string) =>
  client.ask((id) =>
    putRequest(crypto, client.session, id, keys.write, typeof blob === 'string' ? utf8(blob) : blob),
  )

describe('mailbox: quotas and life', () => {
  it('fills an inbox to its last item, tells the writer, and takes more once some are acknowledged', async () => {
    const relay = startRelay({ terms: { queueItems: 5 }, caps: unhurried })
    const client = relay.connect()
    const keys = await newQueue(client, 'q')
    for (let i = 0; i < 5; i++) expect((await put(client, keys, `m${i}`)).kind).to.equal('done')
    expect((await put(client, keys, 'one more')).kind).to.equal('full')
    expect((await put(client, keys, 'm3')).kind, 'already kept').to.equal('done')
    await client.ask((id) => ackRequest(crypto, client.session, id, keys.read, 1))
    expect((await put(client, keys, 'one more')).kind).to.equal('done')
  })

  it('fills a queue to its last byte', async () => {
    const relay = startRelay({ terms: { queueBytes: 100 } })
    const client = relay.connect()
    const keys = await newQueue(client, 'q')
    expect((await put(client, keys, bytesOf('a', 60))).kind).to.equal('done')
    expect((await put(client, keys, bytesOf('b', 41))).kind).to.equal('full')
    expect((await put(client, keys, bytesOf('c', 40))).kind).to.equal('done')
    expect((await put(client, keys, bytesOf('d', 1))).kind).to.equal('full')
  })

  it('keeps 32 items in an intro queue', async () => {
    const relay = startRelay()
    const client = relay.connect()
    const keys = await newQueue(client, 'q', 'intro')
    for (let i = 0; i < limits.introItems; i++)
      expect((await put(client, keys, `m${i}`)).kind).to.equal('done')
    expect((await put(client, keys, 'one more')).kind).to.equal('full')
  })

  it('holds a quota also when all deposits arrive at once', async () => {
    const relay = startRelay({ terms: { queueItems: 10 } })
    const client = relay.connect()
    const keys = await newQueue(client, 'q')
    const before = client.received.length
    for (let i = 0; i < 30; i++)
      void relay.server.frame(
        client.channel,
        putRequest(crypto, client.session, i, keys.write, utf8(`m${i}`)),
      )
    await relay.server.settled()
    expect(client.received.length - before).to.equal(30)
    expect((await relay.store.usage(keys.recvId)).items).to.equal(10)
    expect(relay.server.counters().replies.full).to.equal(20)
    expect(relay.server.counters().commits, 'one commit for all that waited').to.be.at.most(3)
  })

  it('keeps one copy of a deposit however often it comes, at once or after its acknowledgement', async () => {
    const relay = startRelay()
    const client = relay.connect()
    const keys = await newQueue(client, 'q')
    for (let i = 0; i < 4; i++)
      void relay.server.frame(client.channel, putRequest(crypto, client.session, i, keys.write, utf8('same')))
    await relay.server.settled()
    expect((await relay.store.usage(keys.recvId)).items).to.equal(1)
    await client.ask((id) => ackRequest(crypto, client.session, id, keys.read, 1))
    expect((await put(client, keys, 'same')).kind).to.equal('done')
    expect((await relay.store.usage(keys.recvId)).items, 'delivered already').to.equal(0)
  })

  it('forgets an item when its time is over, before and after the sweep', async () => {
    const relay = startRelay()
    const client = relay.connect()
    const keys = await newQueue(client, 'q', 'inbox', dayMs)
    await put(client, keys, 'early')
    relay.clock.advance(dayMs / 2)
    await put(client, keys, 'late')
    const count = async () => {
      const page = await client.ask((id) => fetchRequest(crypto, client.session, id, keys.read, 0))
      return page.kind === 'page' ? page.items.length : -1
    }
    relay.clock.advance(dayMs / 2 - 1)
    expect(await count()).to.equal(2)
    relay.clock.advance(1)
    expect(await count()).to.equal(1)
    relay.clock.advance(1)
    const wakeAtMs = await relay.server.tick()
    expect(wakeAtMs).to.be.greaterThan(relay.clock.nowMs())
    expect((await relay.store.usage(keys.recvId)).items).to.equal(1)
    relay.clock.advance(dayMs)
    await relay.server.tick()
    expect(relay.server.counters().expired).to.equal(2)
  })

  it('keeps nothing longer than the operator grants, nor than 14 days', async () => {
    const relay = startRelay({ terms: { ttlMs: dayMs } })
    const client = relay.connect()
    const keys = await newQueue(client, 'q', 'inbox', limits.mailboxTtlMs)
    await put(client, keys, 'x')
    const [item] = await relay.store.page(keys.recvId, 0, 1)
    expect(item?.expiresAtMs).to.equal(noonMs + dayMs)
    const tooLong = () =>
      createQueueRequest(crypto, client.session, 1, keysOf('r'), 'inbox', limits.mailboxTtlMs + 1)
    expect(tooLong).to.throw()
  })

  it('takes no more queues or records than the operator wants, and serves those it has', async () => {
    const relay = startRelay({ caps: { queues: 2, records: 1 } })
    const client = relay.connect()
    const first = await newQueue(client, 'one')
    await newQueue(client, 'two')
    const third = await client.ask((id) =>
      createQueueRequest(crypto, client.session, id, keysOf('three'), 'inbox'),
    )
    expect(third.kind).to.equal('declined')
    expect((await put(client, first, 'served')).kind).to.equal('done')
    const keep = (seed: string) =>
      client.ask((id) =>
        recordRequest(crypto, client.session, id, signerOf('o'), {
          locator: bytesOf(seed, 32),
          value: utf8('v'),
          expiresAtMs: noonMs + dayMs,
        }),
      )
    expect((await keep('a')).kind).to.equal('done')
    expect((await keep('b')).kind).to.equal('declined')
    expect((await keep('a')).kind, 'an update is no new record').to.equal('done')
  })
})

describe('mailbox: rates', () => {
  it('tells a hurried peer when to come back, and serves it then', async () => {
    const relay = startRelay({ caps: { requests: { perSecond: 2, burst: 4 } } })
    const client = relay.connect('hurried')
    const keys = await newQueue(client, 'q')
    for (let i = 0; i < 3; i++) expect((await put(client, keys, `m${i}`)).kind).to.equal('done')
    const refused = await put(client, keys, 'too soon')
    expect(refused).to.deep.equal({ kind: 'busy', retryAfterMs: 500 })
    relay.clock.advance(500)
    expect((await put(client, keys, 'too soon')).kind).to.equal('done')
  })

  it('counts a peer, not a channel, and leaves others alone', async () => {
    const relay = startRelay({ caps: { requests: { perSecond: 1, burst: 2 } } })
    const first = relay.connect('hurried')
    await newQueue(first, 'q')
    await put(first, keysOf('q'), 'x')
    relay.server.closed(first.channel)
    const second = relay.connect('hurried')
    expect((await put(second, keysOf('q'), 'y')).kind).to.equal('busy')
    expect((await put(relay.connect('calm'), keysOf('q'), 'z')).kind).to.equal('done')
  })

  it('counts bytes too', async () => {
    const relay = startRelay({ caps: { bytes: { perSecond: 1_000, burst: 2_000 } } })
    const client = relay.connect()
    const keys = await newQueue(client, 'q')
    expect((await put(client, keys, bytesOf('a', 1_200))).kind).to.equal('done')
    expect((await put(client, keys, bytesOf('b', 1_200))).kind).to.equal('busy')
  })

  it('bounds what waits for the store, and hangs up on who does not stop', async () => {
    const relay = startRelay({ caps: unhurried })
    const client = relay.connect()
    const keys = await newQueue(client, 'q')
    const total = limits.relayPendingRequests + limits.relayRequestBurst + 1
    const request = putRequest(crypto, client.session, 1, keys.write, utf8('x'))
    for (let i = 0; i < total; i++) void relay.server.frame(client.channel, request)
    expect(relay.hungUp.has(client.channel)).to.equal(true)
    await relay.server.settled()
    expect(relay.server.counters().replies.busy).to.equal(limits.relayRequestBurst)
    expect(relay.server.counters().replies.done).to.equal(limits.relayPendingRequests + 1)
  })

  it('lets one channel watch a bounded number of queues, and restart those it watches', () => {
    const watches = new Watches()
    const idOf = (i: number): Uint8Array => Uint8Array.of(i >> 8, i & 255)
    for (let i = 0; i < limits.relaySubscriptions; i++)
      expect(watches.add(1, idOf(i), 0)).to.not.equal(undefined)
    expect(watches.add(1, idOf(limits.relaySubscriptions), 0)).to.equal(undefined)
    expect(watches.add(1, idOf(0), 7)).to.include({ after: 7 })
    expect(watches.add(2, idOf(limits.relaySubscriptions), 0)).to.not.equal(undefined)
    watches.dropQueue(idOf(5))
    expect(watches.add(1, idOf(limits.relaySubscriptions), 0)).to.not.equal(undefined)
    watches.dropChannel(1)
    expect(watches.of(idOf(0))).to.deep.equal([])
  })

  it('takes nothing new while it drains', async () => {
    const relay = startRelay()
    const client = relay.connect()
    const keys = await newQueue(client, 'q')
    const request = putRequest(crypto, client.session, 50, keys.write, utf8('in time'))
    void relay.server.frame(client.channel, request)
    await relay.server.drain()
    expect((await relay.store.usage(keys.recvId)).items).to.equal(1)
    expect((await put(client, keys, 'late')).kind).to.equal('busy')
  })
})

/** A store that can be told to fail or to hang in its commit, as a disk does. */
class FaultyStore extends MemoryMailboxStore {
  fault: 'none' | 'fails' | 'hangs' | 'reads-fail' = 'none'
  release: () => void = () => undefined

  override async commit(writes: readonly MailboxWrite[]): Promise<void> {
    if (this.fault === 'fails') throw new PortError('E_STORE_FULL', 'The disk is full.', { retryable: true })
    if (this.fault === 'hangs') await new Promise<void>((resolve) => (this.release = resolve))
    await super.commit(writes)
  }

  override async record(locator: Uint8Array) {
    if (this.fault === 'reads-fail') throw new PortError('E_STORE_CORRUPT', 'Cannot read.')
    return super.record(locator)
  }
}

describe('mailbox: receipts', () => {
  it('gives no receipt before the deposit is durable', async () => {
    const store = new FaultyStore()
    const relay = startRelay({ store })
    const client = relay.connect()
    const keys = await newQueue(client, 'q')
    const { read } = keys
    await client.ask((id) => subscribeRequest(crypto, client.session, id, read, 0))
    const before = client.received.length
    store.fault = 'hangs'
    void relay.server.frame(client.channel, putRequest(crypto, client.session, 5, keys.write, utf8('x')))
    for (let i = 0; i < 50; i++) await Promise.resolve()
    expect(client.received.length, 'neither receipt nor push').to.equal(before)
    expect((await store.usage(keys.recvId)).items).to.equal(0)
    store.release()
    await relay.server.settled()
    expect(client.received.length).to.equal(before + 2)
    expect((await store.usage(keys.recvId)).items).to.equal(1)
  })

  it('answers a failed commit with a later try, for all of the batch, and keeps none of it', async () => {
    const store = new FaultyStore()
    const relay = startRelay({ store })
    const client = relay.connect()
    const keys = await newQueue(client, 'q')
    store.fault = 'fails'
    const before = client.received.length
    for (let i = 0; i < 3; i++)
      void relay.server.frame(
        client.channel,
        putRequest(crypto, client.session, i, keys.write, utf8(`m${i}`)),
      )
    void relay.server.frame(client.channel, lookupRequest(crypto, client.session, 3, bytesOf('l', 32)))
    await relay.server.settled()
    expect(client.received.length - before).to.equal(4)
    expect(relay.server.counters().replies).to.include({ busy: 3, missing: 1, done: 1 })
    expect((await store.totals()).items).to.equal(0)
    expect(relay.log.count('mailbox.commit-failed')).to.be.at.least(1)

    store.fault = 'none'
    expect((await put(client, keys, 'm0')).kind, 'not taken for a repetition').to.equal('done')
  })

  it('says of nothing that rests on a failed commit that it is done: a repetition, or a queue just made', async () => {
    const store = new FaultyStore()
    const relay = startRelay({ store })
    const [client, other] = [relay.connect(), relay.connect()]
    const [keys, made] = [await newQueue(client, 'q'), keysOf('made')]
    store.fault = 'fails'
    const replies = [client, other].map(({ received }) => received.length)
    const say = ({ channel }: TestClient, frame: Uint8Array): void => void relay.server.frame(channel, frame)
    for (const [id, one] of [client, other].entries())
      say(one, putRequest(crypto, one.session, id, keys.write, utf8('the same')))
    say(client, createQueueRequest(crypto, client.session, 2, made, 'inbox'))
    say(other, putRequest(crypto, other.session, 3, made.write, utf8('into it')))
    say(other, subscribeRequest(crypto, other.session, 4, made.read, 0))
    await relay.server.settled()
    expect([client, other].map(({ received }, i) => received.length - replies[i]!)).to.deep.equal([2, 3])
    expect(relay.server.counters().replies).to.include({ busy: 5, done: 1 })
    store.fault = 'none'
    expect((await put(client, made, 'no such queue')).kind).to.equal('denied')
  })

  it('answers a failed read with a later try and goes on', async () => {
    const store = new FaultyStore()
    const relay = startRelay({ store })
    const client = relay.connect()
    store.fault = 'reads-fail'
    const look = () => client.ask((id) => lookupRequest(crypto, client.session, id, bytesOf('l', 32)))
    expect((await look()).kind).to.equal('busy')
    store.fault = 'none'
    expect((await look()).kind).to.equal('missing')
  })

  it('logs counters only', async () => {
    const store = new FaultyStore()
    const relay = startRelay({ store })
    const client = relay.connect()
    const keys = await newQueue(client, 'q')
    store.fault = 'fails'
    await put(client, keys, 'x')
    for (const { fields } of relay.log.lines)
      for (const value of Object.values(fields)) expect(value).to.be.a('number')
  })
})
