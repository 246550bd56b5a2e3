import { expect } from 'chai'
import { nobleProvider } from '../../../packages/core/src/crypto/index.ts'
import {
  CollectingLog,
  ManualClock,
  MemoryMailboxStore,
  MemoryStore,
  seededRandom,
} from '../../../packages/core/src/memory/index.ts'
import { FaultyStore } from '../../support/faulty-store.ts'
import { mailboxStoreCompliance } from '../../support/mailbox-store-compliance.ts'
import { storeCompliance } from '../../support/store-compliance.ts'

const dispose = async () => undefined

storeCompliance('memory', async () => {
  const store = new MemoryStore()
  return { store, reopen: async () => store.reopen(), dispose }
})

storeCompliance('faulty, without a fault', async () => {
  const store = new FaultyStore()
  return { store, reopen: () => store.reopen(), dispose }
})

mailboxStoreCompliance('memory', async () => ({ store: new MemoryMailboxStore(), dispose }))

describe('memory ports', () => {
  it('draws the same bytes from the same seed, however they are asked for', () => {
    const whole = seededRandom(nobleProvider(), 'seed').bytes(10_000)
    const parts = seededRandom(nobleProvider(), 'seed')
    const pieces = [1, 0, 31, 4_096, 5_872].map((length) => parts.bytes(length))
    expect(Buffer.concat(pieces)).to.deep.equal(Buffer.from(whole))
    expect(seededRandom(nobleProvider(), 'another').bytes(32)).not.to.deep.equal(whole.subarray(0, 32))
  })

  it('moves both clocks when time passes and one when the wall clock is set', () => {
    const clock = new ManualClock(1_000)
    clock.advance(5)
    clock.setWall(10)
    expect([clock.nowMs(), clock.monotonicMs()]).to.deep.equal([10, 5])
  })

  it('collects log lines', () => {
    const log = new CollectingLog()
    log.event('a', { n: 1 })
    log.event('b')
    expect([log.count('a'), log.lines.length]).to.deep.equal([1, 2])
  })
})
