import { expect } from 'chai'
import fc from 'fast-check'
import { Secret } from '../../../packages/core/src/crypto/index.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { seededRandom } from '../../../packages/core/src/memory/index.ts'
import {
  openFrom,
  requestPqStep,
  sealEntropyBytes,
  sealTo,
  type Pairwise,
} from '../../../packages/core/src/session/index.ts'
import { utf8 } from '../../../packages/core/src/wire/index.ts'
import { establishedPair, nodeProvider, startMs } from '../../support/session-world.ts'

/** Every secret in plain data; one of no bytes is none. */
function secretsIn(value: unknown): readonly Secret[] {
  if (value instanceof Secret) return value.length === 0 ? [] : [value]
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return []
  return Object.values(value).flatMap(secretsIn)
}

/** Checks one step: what the old state held and the new one does not is spent, and nothing that is still held. */
function expectSpent(before: Pairwise, after: Pairwise, spent: readonly Secret[]): void {
  const held = new Set(secretsIn(after))
  const given = new Set(spent)
  for (const secret of spent) {
    expect(secret).to.be.instanceOf(Secret)
    expect(held.has(secret), 'spent and still held').to.equal(false)
  }
  for (const secret of secretsIn(before))
    expect(given.has(secret), 'spent or still held').to.equal(!held.has(secret))
}

describe('session: spent secrets', () => {
  it('are those a step no longer holds, all of them and no other, whatever is sent, lost and kept', () => {
    const step = fc.record({
      from: fc.constantFrom(0 as const, 1 as const),
      pick: fc.nat(30),
      act: fc.constantFrom('send', 'send', 'send', 'deliver', 'deliver', 'deliver', 'lose', 'wait', 'ask'),
    })
    fc.assert(
      fc.property(fc.array(step, { minLength: 30, maxLength: 120 }), fc.integer(), (steps, seed) => {
        const ends = establishedPair(nodeProvider, `spent ${seed}`).map(({ peer }) => peer)
        const random = seededRandom(nodeProvider, `spent ${seed}`)
        const waiting: { readonly to: 0 | 1; readonly frame: Uint8Array }[] = []
        let nowMs = startMs
        for (const { from, pick, act } of steps) {
          const at = waiting.length === 0 ? -1 : pick % waiting.length
          const item = waiting[at]
          const own = ends[from]!
          if (act === 'wait') nowMs += limits.skippedKeyMs / 2
          else if (act === 'ask') ends[from] = requestPqStep(own)
          else if (act === 'send') {
            const sealed = sealTo(nodeProvider, own, utf8('text'), random.bytes(sealEntropyBytes), nowMs)
            if (!sealed.ok) continue
            expectSpent(own, sealed.peer, sealed.spent)
            ends[from] = sealed.peer
            waiting.push({ to: from === 0 ? 1 : 0, frame: sealed.frame })
          } else if (item !== undefined) {
            waiting.splice(at, 1)
            if (act === 'lose') continue
            const before = ends[item.to]!
            const opened = openFrom(nodeProvider, before, item.frame, nowMs)
            if (!opened.ok) continue
            expectSpent(before, opened.peer, opened.spent)
            ends[item.to] = opened.peer
          }
        }
      }),
      { numRuns: 40 },
    )
  })
})
