/** Whoever stands between the two devices, or is one of them and does not keep to the rules. */
import { expect } from 'chai'
import fc from 'fast-check'
import {
  beginOffer,
  offerEntropyBytes,
  type LinkContact,
  type LinkWay,
} from '../../../packages/core/src/identity/index.ts'
import { linkFrame, type LinkFrame } from '../../../packages/core/src/identity/link-frame.ts'
import { linkSecretBytes } from '../../../packages/core/src/identity/link-text.ts'
import {
  Channel,
  emojiAt,
  entropyOf,
  Home,
  NewEnd,
  OldEnd,
  pair,
  targetOf,
  type Meddler,
} from './link-world.ts'
import { crypto, seedOf } from './support.ts'

const ways: readonly LinkWay[] = ['link', 'code']
const decoded = (frame: Uint8Array): LinkFrame => {
  const result = linkFrame.decode(frame)
  if (!result.ok) throw new Error(result.reason)
  return result.value
}
const isEnd = (kind: string): boolean => ['ended', 'failed', 'finished'].includes(kind)
const isOver = ({ at }: { readonly at: string }): boolean => at === 'finished' || at === 'ended'

/** A new device of the attacker's that shows the very code of another. */
function impostor(label: string, victim: string): NewEnd {
  const end = new NewEnd(label, 'code')
  const entropy = entropyOf(`${label} offer`, offerEntropyBytes)
  const theirs = entropyOf(`${victim} offer`, offerEntropyBytes)
  entropy.set(theirs.subarray(linkSecretBytes, linkSecretBytes + 5), linkSecretBytes)
  end.state = beginOffer(crypto, end.own, 'code', entropy, 0)
  return end
}

describe('linking: somebody between the devices', () => {
  it('who knows the code and talks to both with own keys makes them show different pictures', () => {
    for (let i = 0; i < 25; i++) {
      const genuine = new NewEnd(`new ${i}`, 'code')
      const fake = impostor(`fake ${i}`, `new ${i}`)
      expect(fake.text).to.equal(genuine.text)
      const toOld = new Channel(fake, new OldEnd(`old ${i}`, targetOf(genuine.text, fake.contact))).meet()
      const toNew = new Channel(
        genuine,
        new OldEnd(`eve ${i}`, targetOf(genuine.text, genuine.contact)),
      ).meet()
      expect(emojiAt(toOld.approval), 'the old device believes it so far').to.equal(emojiAt(fake))
      expect(emojiAt(genuine), 'and so does the new one').to.equal(emojiAt(toNew.approval))
      expect(emojiAt(genuine)).to.not.equal(emojiAt(toOld.approval))
    }
  })

  it('who shows another link and opens the genuine one does so too', () => {
    for (let i = 0; i < 10; i++) {
      const [genuine, fake] = [new NewEnd(`new ${i}`, 'link'), new NewEnd(`fake ${i}`, 'link')]
      new Channel(fake, new OldEnd(`old ${i}`, targetOf(fake.text, fake.contact))).meet()
      new Channel(genuine, new OldEnd(`eve ${i}`, targetOf(genuine.text, genuine.contact))).meet()
      expect(emojiAt(genuine)).to.have.length.above(5)
      expect(emojiAt(genuine)).to.not.equal(emojiAt(fake))
    }
  })

  it('who relays a code’s exchange under a PeerId of its own is taken for a wrong code', () => {
    const genuine = new NewEnd('ada', 'code')
    const relay: LinkContact = { transportKey: crypto.signKeyPair(seedOf('relay')).publicKey, addresses: [] }
    const { approval } = new Channel(genuine, new OldEnd('ada', targetOf(genuine.text, relay))).meet()
    expect(approval.event('ended')?.reason).to.equal('wrong-secret')
    expect(emojiAt(genuine)).to.equal('')
  })

  it('cannot hold back a nonce to choose it later: it is bound before the other is told', () => {
    for (const way of ways) {
      const channel = pair(way, 'ada', (frame) => {
        const value = decoded(frame)
        return [value.kind === 'reveal' ? linkFrame.encode({ ...value, nonce: seedOf('chosen') }) : frame]
      }).meet()
      expect(channel.approval.event('ended')).to.deep.equal({ kind: 'ended', reason: 'changed', by: 'us' })
      expect(emojiAt(channel.approval)).to.equal('')
      const kinds = channel.carried.map(({ frame }) => decoded(frame).kind)
      const bound = way === 'link' ? 'ask' : 'opening'
      expect(kinds.indexOf(bound)).to.be.lessThan(kinds.indexOf('answer'))
      expect(kinds.indexOf('answer')).to.be.lessThan(kinds.indexOf('reveal'))
    }
  })

  it('cannot give another key than the one a link is bound to', () => {
    const other = crypto.kemKeyPair(entropyOf('other', 64)).publicKey
    const channel = pair('link', 'ada', (frame) =>
      decoded(frame).kind === 'key' ? [linkFrame.encode({ kind: 'key', kemKey: other })] : [frame],
    ).meet()
    expect(channel.approval.event('ended')).to.deep.equal({ kind: 'ended', reason: 'changed', by: 'us' })
  })

  for (const way of ways)
    it(`${way}: a change in any frame is refused, wherever it is`, () => {
      const undisturbed = pair(way).meet().finish(new Home('ada')).carried
      expect(undisturbed.length).to.be.greaterThan(9)
      for (const [index, { frame, from }] of undisturbed.entries()) {
        const step = Math.max(1, Math.floor(frame.length / 12))
        for (let at = 0; at < frame.length; at += step) {
          const meddler: Meddler = (sent, _, i) =>
            i === index ? [sent.map((byte, j) => (j === at ? byte ^ 4 : byte))] : [sent]
          const channel = pair(way, 'ada', meddler).meet()
          const [one, other] = [emojiAt(channel.offer), emojiAt(channel.approval)]
          if (index < 4) expect(one !== '' && one === other, `${index}, ${at}`).to.equal(false)
          channel.finish(new Home('ada'))
          const { offer, approval } = channel
          const what = `${decoded(frame).kind} ${index}, byte ${at}`
          const victim = from === 'old' ? offer : approval
          if (index === undisturbed.length - 1) {
            expect(victim.state.stage.at, 'an altered farewell changes nothing').to.equal('finished')
            continue
          }
          const told = [...victim.events, ...offer.events].map(({ kind }) => kind)
          expect(told, what).to.include.oneOf(['ended', 'failed'])
          expect(
            [offer, approval].every(({ state }) => state.stage.at === 'finished'),
            what,
          ).to.equal(false)
        }
      }
    })

  for (const way of ways)
    it(`${way}: frames lost, doubled or of another run end it`, () => {
      const home = new Home('ada')
      const earlier = pair(way, 'earlier').meet().finish(home).carried
      const farewell = earlier.length - 1
      for (let index = 0; index < farewell; index++) {
        const doubled: Meddler = (frame, _, i) => (i === index ? [frame, frame] : [frame])
        const swapped: Meddler = (frame, _, i) => (i === index ? [earlier[i]!.frame] : [frame])
        const lost: Meddler = (frame, _, i) => (i === index ? [] : [frame])
        for (const [name, meddler] of Object.entries({ doubled, swapped, lost })) {
          const { offer, approval } = pair(way, 'ada', meddler).meet().finish(new Home('ada'))
          const same = index === 0 && name === 'swapped' && way === 'link'
          const last = index === farewell - 1 && name === 'doubled'
          const both = [offer, approval].every(({ state }) => state.stage.at === 'finished')
          expect(both, `${name} ${index}`).to.equal(same || last)
        }
      }
    })
})

describe('linking: a peer that sends anything', () => {
  /** Every frame of a whole run, with the stages in which each end takes it. */
  const framesOf = (way: LinkWay): readonly Uint8Array[] =>
    pair(way, 'other')
      .meet()
      .finish(new Home('other'))
      .carried.map(({ frame }) => frame)
  const strangers = ways.flatMap(framesOf)

  /** Both ends after each number of frames carried; the meddler stops the rest. */
  function stopped(way: LinkWay, after: number): Channel {
    const channel = pair(way, 'ada', (frame, _, index) => (index < after ? [frame] : []))
    return channel.meet().finish(new Home('ada'))
  }

  for (const way of ways)
    it(`${way}: every frame at every moment is taken in its place or refused`, () => {
      const whole = framesOf(way).length
      const stages = new Set<string>()
      for (let after = 0; after < whole; after++)
        for (const frame of strangers) {
          const { offer, approval } = stopped(way, after)
          for (const end of [offer, approval]) {
            stages.add(end.state.stage.at)
            const before = end.state.stage.at
            const events = end.events.length
            end.receives(frame)
            const kind = decoded(frame).kind
            const begins = before === 'waiting' && ['ask', 'exchange'].includes(kind)
            const goesOn = before === 'exchanging' && kind === 'opening'
            const told = isOver({ at: before }) || end.events.slice(events).some((e) => isEnd(e.kind))
            expect(told || begins || goesOn, `${kind} at ${before}`).to.equal(true)
          }
        }
      expect(stages.size).to.be.greaterThan(9)
    })

  it('rubbish is refused at every moment', () => {
    const moments = ways.flatMap((way) => framesOf(way).map((_, after) => ({ way, after })))
    fc.assert(
      fc.property(fc.constantFrom(...moments), fc.uint8Array({ maxLength: 200 }), ({ way, after }, bytes) => {
        const { offer, approval } = stopped(way, after)
        for (const end of [offer, approval]) {
          const over = isOver(end.state.stage)
          end.receives(bytes)
          expect(over || isEnd(end.events.at(-1)?.kind ?? '')).to.equal(true)
        }
      }),
      { numRuns: 150 },
    )
  })

  it('never answers a refusal with a refusal', () => {
    for (const way of ways)
      for (let after = 0; after < framesOf(way).length; after++) {
        const { offer, approval } = stopped(way, after)
        for (const end of [offer, approval])
          for (const reason of [1, 14, 200])
            expect(end.receives(linkFrame.encode({ kind: 'refused', reason }))).to.deep.equal([])
      }
  })
})
