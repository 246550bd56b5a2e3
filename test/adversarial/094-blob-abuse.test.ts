import { expect } from 'chai'
import { limits } from '../../packages/core/src/limits.ts'
import { putRequest } from '../../packages/core/src/mailbox/index.ts'
import { crypto, keysOf, newQueue, startRelay, type TestClient } from '../core/mailbox/support.ts'

const number = (value: number): Uint8Array => Uint8Array.of(value >> 16, (value >> 8) & 255, value & 255)

const put = (client: TestClient, blob: Uint8Array) =>
  client.ask((id) => putRequest(crypto, client.session, id, keysOf('q').write, blob))

describe('094 blob abuse', () => {
  it('094 very many tiny items fill one queue to its limit and no further', async () => {
    const queueItems = 200
    const relay = startRelay({ terms: { queueItems }, caps: { requests: { perSecond: 1e9, burst: 1e9 } } })
    const client = relay.connect('spammer')
    const { recvId } = await newQueue(client, 'q')
    for (let i = 0; i < 2 * queueItems; i++) await put(client, number(i))
    expect((await relay.store.usage(recvId)).items).to.equal(queueItems)
    expect(relay.server.counters().replies.full).to.equal(queueItems)
  })

  it('094 a flood of large items meets the byte rate, then the queue', async () => {
    const relay = startRelay()
    const client = relay.connect('spammer')
    const { recvId } = await newQueue(client, 'q')
    const blob = new Uint8Array(limits.frameBytes)
    const kinds = new Map<string, number>()
    for (let i = 0; i < 320; i++) {
      blob.set(number(i))
      const { kind } = await put(client, blob)
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
    }
    const { bytes } = await relay.store.usage(recvId)
    expect(bytes).to.be.at.most(limits.queueBytes)
    expect(kinds.get('done')).to.equal(limits.queueBytes / limits.frameBytes)
    expect(kinds.get('busy')).to.be.at.least(320 - limits.relayByteBurst / limits.frameBytes)
    expect(kinds.get('full')).to.be.greaterThan(0)
  })

  it('094 what a relay counts names nobody', async () => {
    const relay = startRelay()
    const client = relay.connect('spammer')
    await newQueue(client, 'q')
    const text = JSON.stringify(relay.server.counters())
    expect(text)
      .to.match(/^[{}":,\w]+$/)
      .and.not.contain('spammer')
  })
})
