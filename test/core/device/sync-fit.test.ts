import { expect } from 'chai'
import fc from 'fast-check'
import { createNodeProvider } from '@sotto/core/crypto-node'
import { askFitting } from '../../../packages/core/src/device/sync-fit.ts'
import { syncAskFrame, type SegmentSummary, type SyncSide } from '../../../packages/core/src/history/index.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { toHex } from '../../../packages/core/src/wire/index.ts'

const crypto = await createNodeProvider()
const idOf = (text: string): Uint8Array => crypto.sha256(new TextEncoder().encode(text))
const nonce = new Uint8Array(8).fill(7)

/** A conversation in whose n-th segment so many devices wrote. */
function sideOf(writers: readonly number[]): SyncSide {
  const summaries = writers.map((count, depth): SegmentSummary => ({
    segment: idOf(`segment ${depth}`),
    depth,
    digest: idOf(`digest ${depth}`),
    devices: Array.from({ length: count }, (_, n) => ({
      account: idOf(`account ${n}`),
      device: idOf(`device ${n}`),
      name: idOf(`name ${n}`).slice(0, 8),
      count: 500,
      tips: [idOf(`tip ${n}`)],
    })),
  }))
  return { conversation: idOf('conversation'), summaries, visible: () => true, records: () => [] }
}

const conversations = fc.array(fc.integer({ min: 1, max: limits.syncDevices + 3 }), { maxLength: 60 })

describe('device: questions of sync', () => {
  it('fit their frame when they begin with the newest segments', () => {
    fc.assert(
      fc.property(conversations, fc.nat(60), (writers, depth) => {
        const { ask } = askFitting(crypto, sideOf(writers), nonce, { kind: 'from', depth })
        expect(syncAskFrame.encode(ask).length).to.be.at.most(limits.syncFrameBytes)
        expect(ask.before).to.be.at.least(depth)
        // What is not listed is compared as one: nothing is left out.
        expect(ask.vectors).to.have.length(Math.max(0, writers.length - (ask.before ?? 0)))
      }),
      { numRuns: 40 },
    )
  })

  it('fit their frame when they name segments, and name each in the end, once', () => {
    fc.assert(
      fc.property(conversations, fc.nat(1_500), (writers, unknown) => {
        const side = sideOf(writers)
        const foreign = Array.from({ length: unknown }, (_, n) => idOf(`foreign ${n}`))
        let wanted: readonly Uint8Array[] = [...side.summaries.map(({ segment }) => segment), ...foreign]
        const asked: string[] = []
        const all = wanted.map(toHex)
        while (wanted.length > 0) {
          const { ask, rest } = askFitting(crypto, side, nonce, { kind: 'segments', segments: wanted })
          expect(syncAskFrame.encode(ask).length).to.be.at.most(limits.syncFrameBytes)
          expect(rest.length).to.be.below(wanted.length)
          asked.push(...ask.vectors.map(({ segment }) => toHex(segment)))
          wanted = rest
        }
        expect(asked).to.deep.equal(all)
      }),
      { numRuns: 20 },
    )
  })
})
