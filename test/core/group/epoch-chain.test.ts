/** What becomes of envelopes, one by one and together, and of the keys they took (docs/protocol/epochs.md §3, §4). */
import { expect } from 'chai'
import {
  forgetHeld,
  open,
  type ConversationEpochs,
  type EnvelopesOpened,
  type HoldsRecord,
  type JudgeRecords,
} from '../../../packages/core/src/group/index.ts'
import { decodeChains, encodeChains } from '../../../packages/core/src/group/chain-codec.ts'
import {
  encodeSealed,
  generationAssociated,
  sealEnvelope,
} from '../../../packages/core/src/group/envelope.ts'
import { issueSlotBase, type SlotBase } from '../../../packages/core/src/group/epoch-items.ts'
import { epochTagBytes, packEnvelope } from '../../../packages/core/src/group/packed.ts'
import {
  messageKey,
  nextKey,
  startChain,
  type SenderChain,
} from '../../../packages/core/src/group/sender-chain.ts'
import { addSkipped, skippedFrom } from '../../../packages/core/src/group/skipped-generations.ts'
import { pad, Secret } from '../../../packages/core/src/crypto/index.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { concat } from '../../../packages/core/src/wire/index.ts'
import { crypto, EpochScene, personOf, seedOf, type Written } from './epoch-scene.ts'

const genuine: JudgeRecords = (candidates) => candidates.map(() => true)
const nonce = seedOf('nonce').slice(0, 24)

/** A device that reads, and an epoch by C of it, B and C. */
function reader(): { scene: EpochScene; written: Written } {
  const scene = new EpochScene()
  return { scene, written: scene.keyed('c') }
}

/** The device of B beside it, with the same epochs. */
function writer(...written: readonly Written[]): EpochScene {
  const scene = new EpochScene('b')
  scene.take(...written)
  scene.key(...written)
  return scene
}

interface Forged {
  readonly by?: string
  readonly index?: number
  readonly generation?: number
  readonly plain?: Uint8Array
  readonly slot?: SlotBase | null
  readonly on?: Written
  readonly tag?: Uint8Array
}

/** An envelope as anybody in the epoch can make it. */
function forge(scene: EpochScene, written: Written, forged: Forged = {}): Uint8Array {
  const { by = 'b', generation = 0, slot = null, on = written } = forged
  const node = scene.node(written)
  const listed = node.recipients.findIndex(({ device }) => scene.nameOf(device) === by)
  let key = scene.state.keys.get(node.key)!.chains[listed]!.key.expose()
  for (let i = 0; i < generation; i++) key = nextKey(crypto, key)
  const plain = forged.plain ?? encodeSealed(seedOf(`content ${generation}`), slot)
  const associated = generationAssociated(scene.conversation, written.record.id, personOf(by), generation)
  const inner = concat(nonce, crypto.seal(messageKey(crypto, key), nonce, plain, associated))
  const tag = forged.tag ?? written.record.id.slice(0, epochTagBytes)
  const topic = scene.state.keys.get(scene.node(on).key)!.route!.envelope.expose()
  return sealEnvelope(
    crypto,
    topic,
    { kind: 'message', tag, index: forged.index ?? listed, generation, inner },
    nonce,
  )
}

const opened = (
  scene: EpochScene,
  envelopes: readonly Uint8Array[],
  judge = genuine,
  holds?: HoldsRecord,
): EnvelopesOpened =>
  open(
    crypto,
    scene.state,
    envelopes.map((envelope) => ({ envelope })),
    judge,
    scene.nowMs,
    holds,
  )
const said = ({ verdicts }: EnvelopesOpened): readonly string[] =>
  verdicts.map((one) =>
    one.verdict === 'accepted'
      ? one.value.kind
      : one.verdict === 'held'
        ? `held ${one.awaiting}`
        : one.reason,
  )
/** What becomes of one envelope that changes nothing. */
function refused(scene: EpochScene, envelope: Uint8Array, judge = genuine): string {
  const result = opened(scene, [envelope], judge)
  expect(result.state).to.equal(scene.state)
  expect(result.spent).to.deep.equal([])
  return said(result)[0]!
}
const chainOf = (state: ConversationEpochs, scene: EpochScene, written: Written, name = 'b'): SenderChain => {
  const node = scene.node(written)
  return state.keys.get(node.key)!.chains[
    node.recipients.findIndex(({ device }) => scene.nameOf(device) === name)
  ]!
}
const slotOf = (scene: EpochScene, written: Written, base: number, by = 'b'): SlotBase =>
  issueSlotBase(crypto, personOf(by).keys, scene.conversation, written.record.id, personOf(by), base)

describe('conversation epochs: an envelope that is refused', () => {
  it('is so for its place: another topic, no such epoch, no such device, its own', () => {
    const { scene, written } = reader()
    const other = scene.keyed('b')
    const unkeyed = scene.write('c')
    scene.take(unkeyed)
    const tag = (id: Uint8Array): Uint8Array => id.slice(0, epochTagBytes)
    expect(said(opened(scene, [forge(scene, written, { slot: slotOf(scene, written, 0) })]))).to.deep.equal([
      'record',
    ])
    expect(refused(scene, forge(scene, written, { on: other }))).to.equal('wrong-route')
    expect(refused(scene, forge(scene, written, { tag: tag(seedOf('unknown')) }))).to.equal('held epoch')
    const early = forge(scene, written, { tag: tag(unkeyed.record.id) })
    expect(refused(scene, early), 'not on its topic').to.equal('wrong-route')
    const turn = scene.write('c', { on: written, after: [written] })
    scene.take(turn)
    expect(refused(scene, forge(scene, written, { tag: tag(turn.record.id) }))).to.equal('held epoch')
    expect(refused(scene, forge(scene, written, { index: 3 }))).to.equal('malformed')
    expect(refused(scene, forge(scene, written, { by: 'a' }))).to.equal('own')
  })

  it('or for what it holds: nothing in its one form, no record, or a number whose keys are gone', () => {
    const { scene, written } = reader()
    const topic = scene.state.keys.get(scene.node(written).key)!.route!.envelope.expose()
    const rubbish = crypto.seal(topic, nonce, pad(Uint8Array.of(0xff)), new Uint8Array(0))
    expect(refused(scene, packEnvelope(nonce, rubbish))).to.equal('malformed')
    expect(refused(scene, forge(scene, written, { plain: seedOf('no record') }))).to.equal('inner')
    const slot = slotOf(scene, written, 0)
    expect(refused(scene, forge(scene, written, { slot }), () => [false])).to.equal('not-a-record')
    expect(refused(scene, forge(scene, written, { slot }), () => [])).to.equal('not-a-record')
    const far = { generation: limits.generationsAhead, slot }
    expect(said(opened(scene, [forge(scene, written, far)]))).to.deep.equal(['record'])
    const further = { generation: limits.generationsAhead + 1, slot }
    expect(refused(scene, forge(scene, written, further))).to.equal('too-far')
    const old = forge(scene, written, { slot })
    scene.keyed('c', { after: [written] })
    scene.sweep(limits.epochSupersededMs)
    expect(scene.opens(written)).to.equal(false)
    expect(refused(scene, old)).to.equal('retired')
  })

  it('or for its base: one stated for another epoch, by another device, or not by anybody', () => {
    const { scene, written } = reader()
    const other = scene.keyed('c')
    const bad = (slot: SlotBase): string => refused(scene, forge(scene, written, { slot }))
    expect(bad(slotOf(scene, other, 0)), 'of another epoch').to.equal('bad-base')
    expect(bad(slotOf(scene, written, 0, 'c')), 'by another').to.equal('bad-base')
    expect(bad({ ...slotOf(scene, written, 0), base: 1 }), 'another number').to.equal('bad-base')
    expect(refused(scene, forge(scene, written)), 'shown, but it counts for nothing').to.equal('record')
    const [shown] = opened(scene, [forge(scene, written)]).verdicts
    expect(shown).to.deep.include({ verdict: 'accepted' })
    expect(shown?.verdict === 'accepted' && shown.value).to.deep.include({ counted: false, aseq: undefined })
  })
})

describe('conversation epochs: envelopes that count', () => {
  it('count in any order, each once, and what they spent is handed over', () => {
    const { scene, written } = reader()
    const other = writer(written)
    const envelopes = [0, 1, 2].map((aseq) => {
      const sealed = other.sealed({ aseq: 5 + aseq, base: 5, announceBase: true })
      other.state = sealed.state
      return sealed.envelope
    })
    const before = chainOf(scene.state, scene, written)
    const all = opened(scene, [envelopes[2]!, envelopes[0]!, envelopes[1]!, envelopes[0]!])
    expect(said(all)).to.deep.equal(['record', 'record', 'record', 'replayed'])
    const numbers = all.verdicts.map((one) =>
      one.verdict === 'accepted' && one.value.kind === 'record' ? [one.value.aseq, one.value.counted] : null,
    )
    expect(numbers).to.deep.equal([[7, true], [5, true], [6, true], null])
    expect(all.spent).to.deep.equal([before.key])
    expect(chainOf(all.state, scene, written)).to.deep.include({ count: 3, base: 5 })
    expect(chainOf(all.state, scene, written).skipped.count).to.equal(0)
    expect(all.state.lastSpeaker?.device).to.deep.equal(personOf('b').device)
    expect(all.state.nodes.get(scene.node(written).key)!.heard).to.deep.equal([false, true, false])

    const last = opened(scene, [envelopes[2]!])
    scene.state = last.state
    const skipping = chainOf(last.state, scene, written)
    expect(skipping.skipped.count).to.equal(2)
    const first = opened(scene, [envelopes[0]!])
    expect(said(first)).to.deep.equal(['record'])
    const after = chainOf(first.state, scene, written)
    expect([after.skipped.count, after.count, after.key]).to.deep.equal([1, 3, skipping.key])
    expect(first.spent, 'the keys that were skipped, one of which is used').to.deep.equal([
      skipping.skipped.rows,
    ])
    expect(first.state.nodes, 'it was heard before').to.equal(last.state.nodes)
    scene.state = first.state
    expect(refused(scene, envelopes[0]!)).to.equal('replayed')
    expect(refused(scene, envelopes[2]!)).to.equal('replayed')
  })

  it('count together, whichever devices and epochs they are of', () => {
    const { scene, written } = reader()
    const other = scene.keyed('c')
    const all = [written, other].flatMap((one) => [
      forge(scene, one, { slot: slotOf(scene, one, 0) }),
      forge(scene, one, { by: 'c' }),
    ])
    const { state, ...rest } = opened(scene, all)
    expect(said({ state, ...rest })).to.deep.equal(['record', 'record', 'record', 'record'])
    for (const one of [written, other])
      expect(state.nodes.get(scene.node(one).key)!.heard).to.deep.equal([false, true, true])
  })

  it('reach further together than alone', () => {
    const { scene, written } = reader()
    const slot = slotOf(scene, written, 0)
    const at = (generation: number): Uint8Array => forge(scene, written, { generation, slot })
    const [near, far] = [at(limits.generationsAhead), at(2 * limits.generationsAhead + 1)]
    expect(refused(scene, far)).to.equal('too-far')
    expect(said(opened(scene, [near, at(0), far]))).to.deep.equal(['record', 'record', 'record'])
    expect(said(opened(scene, [far, near]))).to.deep.equal(['too-far', 'record'])
  })

  it('of two bases that a device states the first is kept, and what says otherwise is refused', () => {
    const { scene, written } = reader()
    const one = forge(scene, written, { slot: slotOf(scene, written, 3) })
    const two = forge(scene, written, { generation: 1, slot: slotOf(scene, written, 4) })
    const both = opened(scene, [one, two])
    expect(said(both)).to.deep.equal(['record', 'replayed'])
    expect(chainOf(both.state, scene, written)).to.deep.include({ base: 3, count: 1 })
    scene.state = both.state
    const asked: (number | undefined)[] = []
    opened(scene, [two], (candidates) => {
      asked.push(...candidates.map(({ aseq }) => aseq))
      return [false]
    })
    expect(asked, 'by the base that is kept').to.deep.equal([4])
  })

  it('leave no key for a record that is held already, and hand over those beyond their room', () => {
    const { scene, written } = reader()
    const slot = slotOf(scene, written, 10)
    const third = forge(scene, written, { generation: 3, slot })
    const asked: number[] = []
    const held = opened(scene, [third], genuine, (author, aseq) => {
      expect(scene.nameOf(author.device)).to.equal('b')
      asked.push(aseq)
      return aseq === 11
    })
    expect(asked).to.deep.equal([10, 11, 12])
    expect(chainOf(held.state, scene, written).skipped.count).to.equal(2)
    const skipped: number[] = []
    forgetHeld(held.state, personOf('b'), (aseq) => skipped.push(aseq) === 0)
    expect(skipped, 'asked again later by their numbers').to.deep.equal([10, 12])
    scene.nowMs += limits.skippedGenerationMs + 1
    const late = forge(scene, written, { generation: 5, slot })
    const earlier = chainOf(held.state, scene, written).skipped.rows
    const next = open(crypto, held.state, [{ envelope: late }], genuine, scene.nowMs)
    expect(said(next)).to.deep.equal(['record'])
    expect(chainOf(next.state, scene, written).skipped.count, 'older ones are too old now').to.equal(1)
    expect(next.spent).to.include.members([earlier, chainOf(held.state, scene, written).key])
    expect(new Set(next.spent).size, 'each once').to.equal(next.spent.length)
    expect(next.spent, 'and those of both once the older went').to.have.length(3)
  })
})

describe('conversation epochs: stored chains', () => {
  const key = (n: number): { readonly generation: number; readonly key: Uint8Array } => ({
    generation: n,
    key: seedOf(`key ${n}`),
  })
  const chain = (base: number | undefined, ...skipped: readonly number[]): SenderChain => {
    const fresh = startChain(new Secret(seedOf('chain')), base)
    return { ...fresh, count: 9, skipped: addSkipped(fresh.skipped, skipped.map(key), 2 ** 40 + 3) }
  }
  const plain = ({ key: secret, skipped, ...rest }: SenderChain): unknown => ({
    ...rest,
    key: [...secret.expose()],
    rows: [...skipped.rows.expose()],
  })

  it('come back with their base, none or the greatest there is, and with what they skipped', () => {
    const chains = [
      chain(undefined),
      chain(0, 1, 2),
      chain(2 ** 40 + 5, 300),
      chain(Number.MAX_SAFE_INTEGER - 1),
    ]
    expect(decodeChains(encodeChains(chains))!.map(plain)).to.deep.equal(chains.map(plain))
    expect(decodeChains(encodeChains([]))).to.deep.equal([])
  })

  it('are nothing where they are cut, or hold a number that is none', () => {
    const bytes = encodeChains([chain(4, 1, 2)])
    expect(decodeChains(bytes)).to.have.length(1)
    for (const cut of [1, 41, 42, 43, 84, bytes.length - 1])
      expect(decodeChains(bytes.slice(0, -cut)), String(cut)).to.equal(undefined)
    const great = bytes.slice()
    great.set([0xff, 0xff, 0xff, 0xff], 36)
    expect(decodeChains(great)).to.equal(undefined)
  })

  it('have skipped keys whole, in rising order, and no more than there is room for', () => {
    const { skipped } = chain(0, 3, 7)
    const rows = skipped.rows.expose()
    const half = rows.length / 2
    expect(skippedFrom(rows)).to.deep.include({ count: 2 })
    expect(skippedFrom(new Uint8Array(0))).to.deep.include({ count: 0 })
    expect(skippedFrom(rows.slice(1))).to.equal(undefined)
    expect(skippedFrom(concat(rows.slice(half), rows.slice(0, half))), 'falling').to.equal(undefined)
    expect(skippedFrom(concat(rows.slice(half), rows.slice(half))), 'twice').to.equal(undefined)
    const full = Array.from({ length: limits.skippedGenerations }, (_, i) => i)
    const most = chain(0, ...full).skipped.rows.expose()
    expect(skippedFrom(most)).to.deep.include({ count: limits.skippedGenerations })
    const more = rows.slice(0, half)
    new DataView(more.buffer).setUint32(0, limits.skippedGenerations)
    expect(skippedFrom(concat(most, more))).to.equal(undefined)
  })
})
