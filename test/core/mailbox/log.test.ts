import { expect } from 'chai'
import {
  ackRequest,
  createLogRequest,
  createQueueRequest,
  deleteRequest,
  fetchRequest,
  logIdOf,
  putRequest,
  subscribeRequest,
  type LogKeys,
} from '../../../packages/core/src/mailbox/index.ts'
import { opFrame, requestFrame } from '../../../packages/core/src/mailbox/frames.ts'
import { signOp } from '../../../packages/core/src/mailbox/capability.ts'
import type { SignKeyPair } from '../../../packages/core/src/crypto/index.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { utf8 } from '../../../packages/core/src/wire/index.ts'
import { crypto, dayMs, keysOf, signerOf, startRelay, type TestClient } from './support.ts'

/** Keys of a log with so many writers. */
function logOf(seed: string, count: number): LogKeys & { readonly writers: readonly SignKeyPair[] } {
  const writers = Array.from({ length: count }, (_, at) => signerOf(`${seed} ${String(at)}`))
  return { read: signerOf(seed), writers, writeKeys: writers.map(({ publicKey }) => publicKey) }
}

const create = async (client: TestClient, keys: LogKeys, ttlMs?: number): Promise<string> =>
  (await client.ask((id) => createLogRequest(crypto, client.session, id, keys, ttlMs))).kind
const put = async (client: TestClient, write: SignKeyPair, text: string): Promise<string> =>
  (await client.ask((id) => putRequest(crypto, client.session, id, write, utf8(text)))).kind
const idOfLog = ({ read, writeKeys }: LogKeys): Uint8Array => logIdOf(crypto, read.publicKey, writeKeys)

async function texts(client: TestClient, keys: LogKeys, after = 0): Promise<readonly string[]> {
  const reply = await client.ask((id) =>
    fetchRequest(crypto, client.session, id, keys.read, after, 100, idOfLog(keys)),
  )
  return reply.kind === 'page' ? reply.items.map(({ blob }) => new TextDecoder().decode(blob)) : [reply.kind]
}

describe('mailbox: logs', () => {
  it('whoever has the keys creates it, deposits, and reads it as often as they like', async () => {
    const relay = startRelay()
    const [ada, bob] = [relay.connect('ada'), relay.connect('bob')]
    const keys = logOf('log', 3)
    expect(await create(ada, keys)).to.equal('done')
    expect(await create(bob, keys), 'again').to.equal('done')
    expect(await put(ada, keys.writers[0]!, 'one')).to.equal('done')
    expect(await put(bob, keys.writers[2]!, 'two')).to.equal('done')
    expect(await put(bob, keys.writers[2]!, 'two'), 'the same').to.equal('done')
    for (const client of [ada, bob, ada]) expect(await texts(client, keys)).to.deep.equal(['one', 'two'])
    expect(await texts(bob, keys, 1)).to.deep.equal(['two'])
    expect((await relay.store.totals()).queues).to.equal(1)
  })

  it('nobody acknowledges or deletes in it', async () => {
    const client = startRelay().connect()
    const keys = logOf('log', 2)
    await create(client, keys)
    await put(client, keys.writers[0]!, 'stays')
    const recvId = idOfLog(keys)
    const forged = [
      opFrame.encode({ kind: 'ack', recvId, upTo: 9 }),
      opFrame.encode({ kind: 'delete', recvId }),
    ]
    for (const op of forged) {
      const signatures = [signOp(crypto, client.session, keys.read, op)]
      const [reply] = await client.raw(requestFrame.encode({ version: 1, id: 50, op, signatures }))
      expect(reply?.reply.kind).to.equal('denied')
    }
    expect(await texts(client, keys)).to.deep.equal(['stays'])
  })

  it('is not read, written or made by whoever lacks its keys, which are also its name', async () => {
    const client = startRelay().connect()
    const keys = logOf('log', 2)
    await create(client, keys)
    const stranger = { ...keys, read: signerOf('stranger') }
    const { session } = client
    const fetched = await client.ask((id) =>
      fetchRequest(crypto, session, id, stranger.read, 0, 9, idOfLog(keys)),
    )
    expect(fetched.kind).to.equal('denied')
    expect(await put(client, signerOf('nobody'), 'x')).to.equal('denied')
    expect(await create(client, stranger), 'writers of another queue').to.equal('denied')
    const fewer = { ...keys, writeKeys: keys.writeKeys.slice(1) }
    expect(await create(client, fewer)).to.equal('denied')
    expect(await create(client, logOf('empty', 0))).to.equal('denied')
    const twice = logOf('twice', 1)
    expect(await create(client, { ...twice, writeKeys: [...twice.writeKeys, ...twice.writeKeys] })).to.equal(
      'denied',
    )
    for (const request of [ackRequest, deleteRequest])
      expect((await client.ask((id) => request(crypto, session, id, keys.read, 1))).kind).to.equal('denied')
  })

  it('gives each writer an equal share, whatever the others do, for as long as it lives', async () => {
    const relay = startRelay({ terms: { queueItems: 7, queueBytes: 60 } })
    const client = relay.connect()
    const keys = logOf('log', 3)
    await create(client, keys)
    for (let n = 0; n < 2; n++) expect(await put(client, keys.writers[0]!, `a${String(n)}`)).to.equal('done')
    expect(await put(client, keys.writers[0]!, 'a2'), 'items').to.equal('full')
    expect(await put(client, keys.writers[1]!, 'x'.repeat(21)), 'bytes').to.equal('full')
    expect(await put(client, keys.writers[1]!, 'x'.repeat(20))).to.equal('done')
    expect(await put(client, keys.writers[2]!, 'c')).to.equal('done')
    expect(await put(client, keys.writers[0]!, 'a1'), 'a repetition').to.equal('done')
  })

  it('counts a share over the requests of one batch', async () => {
    const client = startRelay({ terms: { queueItems: 4 } }).connect()
    const keys = logOf('log', 2)
    await create(client, keys)
    const kinds = await Promise.all(
      Array.from({ length: 5 }, (_, n) => put(client, keys.writers[0]!, `n${String(n)}`)),
    )
    expect(kinds.filter((kind) => kind === 'done')).to.have.length(2)
    expect(kinds.filter((kind) => kind === 'full')).to.have.length(3)
  })

  it('takes as many writers as an epoch has devices, and one more is no request', async () => {
    const client = startRelay().connect()
    expect(await create(client, logOf('many', limits.logWriters))).to.equal('done')
    const over = logOf('more', limits.logWriters + 1)
    expect(() => createLogRequest(crypto, client.session, 1, over)).to.throw()
    expect(limits.logWriters).to.equal(limits.epochDevices)
  })

  it('ends after its time with all that is in it, and takes nothing from then on', async () => {
    const relay = startRelay()
    const client = relay.connect()
    const keys = logOf('log', 2)
    await create(client, keys, 2 * dayMs)
    relay.clock.advance(dayMs)
    expect(await put(client, keys.writers[0]!, 'late')).to.equal('done')
    expect(await texts(client, keys)).to.deep.equal(['late'])
    relay.clock.advance(dayMs)
    expect(await texts(client, keys)).to.deep.equal([])
    expect(await put(client, keys.writers[1]!, 'too late')).to.equal('denied')
    relay.clock.advance(1)
    await relay.server.tick()
    expect(await relay.store.totals()).to.deep.equal({ queues: 0, items: 0, bytes: 0, records: 0 })
    expect(await create(client, keys), 'its name is free').to.equal('done')
  })

  it('is pushed to each who watches, a window at a time; asking again opens the window', async () => {
    const relay = startRelay()
    const [writer, reader] = [relay.connect('w'), relay.connect('r')]
    const keys = logOf('log', 1)
    await create(writer, keys)
    const watch = (after: number) =>
      reader.ask((id) => subscribeRequest(crypto, reader.session, id, keys.read, after, idOfLog(keys)))
    await watch(0)
    for (let n = 0; n < limits.pushWindowItems + 3; n++) await put(writer, keys.writers[0]!, `n${String(n)}`)
    const pushed = () => reader.pushes().flatMap(({ items }) => items)
    const first = pushed()
    expect(first).to.have.length(limits.pushWindowItems)
    await watch(first.at(-1)!.cursor)
    expect(pushed()).to.have.length(3)
  })

  it('counts among the queues a relay takes on', async () => {
    const client = startRelay({ caps: { queues: 1 } }).connect()
    await client.ask((id) => createQueueRequest(crypto, client.session, id, keysOf('one'), 'inbox'))
    expect(await create(client, logOf('log', 1))).to.equal('declined')
  })
})
