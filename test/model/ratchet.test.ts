import { expect } from 'chai'
import { seededRandom } from '../../packages/core/src/memory/index.ts'
import { openFrom } from '../../packages/core/src/session/index.ts'
import { readAsSender } from '../support/epoch-thief.ts'
import type { Endpoint } from '../support/session-world.ts'
import { establishedPair, nodeProvider, startMs, textOf } from '../support/session-world.ts'
import { copyOpens, firstEnds, receiveOn, sendOn, type End, type Place } from './ratchet.ts'

interface Sent {
  readonly by: 0 | 1
  readonly frame: Uint8Array
  readonly place: Place
}

describe('model: sessions', () => {
  it('a copy opens in the model what a copy of a real session opens, over random runs', () => {
    const answers = new Map([true, false].map((opens) => [opens, 0]))
    for (let run = 0; run < 60; run++) {
      const random = seededRandom(nodeProvider, `model session ${String(run)}`)
      const below = (n: number): number => random.bytes(1)[0]! % n
      const real = establishedPair(nodeProvider, `model ${String(run)}`)
      const ends: [End, End] = [firstEnds.asked, firstEnds.answered]
      const sent: Sent[] = []
      const onTheirWay: Sent[] = []
      const copyAt = 3 + below(20)
      const victim = below(2) as 0 | 1
      let copy: { readonly peer: Endpoint['peer']; readonly end: End } | undefined
      for (let step = 0; step < 30; step++) {
        if (step === copyAt) copy = { peer: real[victim].peer, end: ends[victim] }
        const at = below(onTheirWay.length + 1)
        const parcel = onTheirWay[at]
        if (parcel === undefined || below(3) === 0) {
          const by = below(2) as 0 | 1
          const { end, place } = sendOn(ends[by])
          ends[by] = end
          const one = { by, frame: real[by].send('text'), place }
          sent.push(one)
          onTheirWay.push(one)
        } else {
          onTheirWay.splice(at, 1)
          if (below(8) === 0) continue
          const to = parcel.by === 0 ? 1 : 0
          expect(textOf(real[to].receive(parcel.frame))).to.equal('text')
          ends[to] = receiveOn(ends[to], parcel.place)
        }
      }
      const { peer, end } = copy!
      const { ratchet } = peer.sessions[0]!
      for (const { by, frame, place } of sent) {
        const opens =
          by === victim
            ? readAsSender(nodeProvider, ratchet, frame) !== undefined
            : openFrom(nodeProvider, peer, frame, startMs).ok
        expect(copyOpens(end, by === victim, place), `${String(run)} ${JSON.stringify(place)}`).to.equal(
          opens,
        )
        answers.set(opens, answers.get(opens)! + 1)
      }
    }
    expect(Math.min(...answers.values())).to.be.greaterThan(100)
  })
})
