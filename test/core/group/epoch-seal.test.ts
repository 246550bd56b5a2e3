/** What a device seals and opens under an epoch, at its bounds, and the keys an epoch gives. */
import { expect } from 'chai'
import { verdictOf } from '../../support/epoch-insider.ts'
import { contentFrame, GroupWorld, judgeWith, type SimDevice } from '../../support/group-world.ts'
import { nodeProvider as crypto } from '../../support/session-world.ts'
import { pad } from '../../../packages/core/src/crypto/index.ts'
import {
  chooseBase,
  epochQueue,
  forgetHeld,
  noEpochs,
  open,
  preferredEpoch,
  seal,
  sealControl,
  sealRandomBytes,
  type ConversationEpochs,
  type SealDraft,
  type SealResult,
} from '../../../packages/core/src/group/index.ts'
import {
  decodeEnvelope,
  decodeSealed,
  encodeSealed,
  openEnvelope,
  sealEnvelope,
} from '../../../packages/core/src/group/envelope.ts'
import { packMessage } from '../../../packages/core/src/group/packed.ts'
import { skippedKey } from '../../../packages/core/src/group/skipped-generations.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { equalBytes, toHex } from '../../../packages/core/src/wire/index.ts'

interface Three {
  readonly world: GroupWorld
  readonly a: SimDevice
  readonly b: SimDevice
  readonly c: SimDevice
}

/** Three devices of three people; the first has begun an epoch and spoken. */
function talking(seed: string): Three {
  const world = new GroupWorld(crypto, seed)
  const a = world.add('a.0')
  const b = world.add('b.0', a)
  const c = world.add('c.0', a)
  world.drain()
  world.send(a, 'hello')
  world.drain()
  return { world, a, b, c }
}

const content = contentFrame.encode({
  bytes: new Uint8Array(64),
  signature: new Uint8Array(64) as never,
  salt: new Uint8Array(32),
  body: new Uint8Array(8),
})

const sealAs = (
  world: GroupWorld,
  device: SimDevice,
  draft: Partial<SealDraft>,
  random = world.bytes(sealRandomBytes),
): SealResult =>
  seal(
    crypto,
    device.state,
    device.keys,
    world.viewOf(device),
    { aseq: device.nextAseq, base: device.nextAseq, content, announceBase: false, ...draft },
    random,
    world.nowMs,
  )

/** The epoch a device would seal under. */
const inUse = (world: GroupWorld, device: SimDevice) =>
  preferredEpoch(device.state, world.viewOf(device), world.nowMs)!

const errorOf = (work: () => unknown): { code: string; detail: unknown } => {
  try {
    work()
  } catch (error) {
    return { code: (error as { code: string }).code, detail: (error as { detail: unknown }).detail }
  }
  throw new Error('nothing was thrown')
}

describe('conversation epochs: sealing', () => {
  it('takes two nonces, and seals no number twice', () => {
    const { world, a } = talking('spent')
    const short = () => sealAs(world, a, {}, world.bytes(sealRandomBytes - 1))
    expect(errorOf(short)).to.deep.equal({ code: 'E_LENGTH', detail: { actual: sealRandomBytes - 1 } })
    const twice = () => sealAs(world, a, { aseq: 0 })
    expect(errorOf(twice)).to.deep.equal({ code: 'E_GENERATION_SPENT', detail: { generation: 0, next: 1 } })
  })

  it('says that there is no epoch where none is keyed, or where receivers would not reach', () => {
    const { world, a, b } = talking('ahead')
    const fresh: ConversationEpochs = noEpochs(world.conversation, a.address)
    const draft = { aseq: 0, base: 0, content, announceBase: false }
    const none = seal(
      crypto,
      fresh,
      a.keys,
      world.viewOf(a),
      draft,
      world.bytes(sealRandomBytes),
      world.nowMs,
    )
    expect(none).to.deep.equal({ ok: false, reason: 'no-epoch' })
    const last = a.nextAseq + limits.generationsAhead
    const beyond = sealAs(world, a, { aseq: last + 1 })
    expect(beyond).to.deep.equal({ ok: false, reason: 'no-epoch' })
    const reached = sealAs(world, a, { aseq: last })
    expect(reached.ok).to.equal(true)
    if (reached.ok) expect(verdictOf(world, b.state, reached.envelope).verdict).to.equal('not-a-record')
  })

  it('spends the keys it went past, which no state after it holds', () => {
    const { world, a } = talking('past')
    const { key, self } = inUse(world, a)
    const before = a.state.keys.get(key)!.chains[self]!
    const sealed = sealAs(world, a, { aseq: a.nextAseq + 3 })
    if (!sealed.ok) throw new Error('no epoch')
    expect(sealed.spent).to.have.length(4)
    expect(sealed.spent).to.include(before.key)
    const after = sealed.state.keys.get(key)!.chains[self]!
    expect(after.count).to.equal(a.nextAseq + 4)
    for (const secret of sealed.spent) expect(equalBytes(secret.expose(), after.key.expose())).to.equal(false)
  })

  it('tells its base while that is asked for, made once; the author’s own stands in the record', () => {
    const { world, a, b, c } = talking('base')
    const first = sealAs(world, b, { announceBase: true })
    if (!first.ok) throw new Error('no epoch')
    const slot = first.state.keys.get(inUse(world, b).key)!.ownSlot
    expect(slot).to.not.equal(undefined)
    b.state = first.state
    const second = sealAs(world, b, { aseq: b.nextAseq + 1, announceBase: true })
    expect(second.ok && second.state.keys.get(inUse(world, b).key)!.ownSlot).to.equal(slot)
    const quiet = sealAs(world, b, { aseq: b.nextAseq + 1 })
    expect(quiet.ok && quiet.state.keys.get(inUse(world, b).key)!.ownSlot, 'kept').to.equal(slot)
    expect(quiet.ok && second.ok && second.envelope.length).to.be.at.least(
      quiet.ok ? quiet.envelope.length : 0,
    )
    const own = sealAs(world, a, { announceBase: true })
    expect(own.ok && own.state.keys.get(inUse(world, a).key)!.ownSlot).to.equal(undefined)
    const aseqs: (number | undefined)[] = []
    const judge = (candidates: readonly { readonly aseq: number | undefined }[]) => {
      aseqs.push(...candidates.map(({ aseq }) => aseq))
      return candidates.map(() => false)
    }
    const route = first.route
    open(crypto, c.state, [{ envelope: first.envelope, route }], judge, world.nowMs)
    expect(aseqs).to.deep.equal([b.nextAseq])
  })

  it('closes what came before with the first record under an epoch, and only that', () => {
    const { world, a, b } = talking('first')
    const old = inUse(world, b)
    world.begin(b, 'doubt')
    const fresh = inUse(world, b)
    expect(fresh.key).to.not.equal(old.key)
    expect(b.state.nodes.get(old.key)!.closed).to.equal(false)
    const sealed = sealAs(world, b, {})
    if (!sealed.ok) throw new Error('no epoch')
    expect(sealed.state.nodes.get(old.key)!.closed).to.equal(true)
    expect(sealed.state.nodes.get(fresh.key)!.heard[fresh.self]).to.equal(true)
    expect(sealed.state.nodes.get(fresh.key)!.closed).to.equal(false)
    expect(sealed.state.lastSpeaker).to.equal(b.state.self)
    b.state = sealed.state
    const again = sealAs(world, b, { aseq: b.nextAseq + 1 })
    expect(again.ok && again.state.nodes).to.equal(sealed.state.nodes)
    expect(a.state.nodes.has(fresh.key), 'not heard of yet').to.equal(false)
  })

  it('seals what is signed in itself for a topic whose key is here, and for no other', () => {
    const { world, a, b } = talking('control')
    const { record, key } = inUse(world, a)
    const nonce = world.bytes(24)
    const control = { kind: 'epoch', record: record.bytes } as const
    const sealed = sealControl(crypto, a.state, record.id, control, nonce)!
    expect(sealed.route).to.deep.equal(record.id)
    const { verdicts } = open(crypto, b.state, [sealed], judgeWith(crypto, world.conversation), world.nowMs)
    expect(verdicts).to.deep.equal([
      { verdict: 'accepted', value: { kind: 'control', control, route: record.id } },
    ])
    expect(sealControl(crypto, a.state, world.bytes(32), control, nonce), 'no such epoch').to.equal(undefined)
    const keyless = { ...a.state, keys: new Map([...a.state.keys].filter(([name]) => name !== key)) }
    expect(sealControl(crypto, keyless, record.id, control, nonce), 'no key').to.equal(undefined)
    const held = a.state.keys.get(key)!
    const routeless = { ...a.state, keys: new Map([...a.state.keys, [key, { ...held, route: undefined }]]) }
    expect(sealControl(crypto, routeless, record.id, control, nonce), 'no topic').to.equal(undefined)
    const nodeless = { ...a.state, nodes: new Map() }
    expect(sealControl(crypto, nodeless, record.id, control, nonce), 'no record').to.equal(undefined)
  })

  it('begins where every later number is within reach', () => {
    expect(chooseBase([], 7)).to.equal(7)
    expect(chooseBase([3, 5], 7)).to.equal(3)
    expect(chooseBase([7 - limits.generationsAhead], 7)).to.equal(7 - limits.generationsAhead)
    expect(chooseBase([0, 500, 600], 601), 'each gap counts').to.equal(500)
  })
})

describe('conversation epochs: opening', () => {
  const key = new Uint8Array(32).fill(7)
  const nonce = new Uint8Array(24).fill(9)
  const sealedAs = (plain: Uint8Array) => ({
    nonce,
    sealed: crypto.seal(key, nonce, plain, new Uint8Array(0)),
  })

  it('tells a layer under another key from rubbish under this one', () => {
    const other = new Uint8Array(32).fill(8)
    expect(openEnvelope(crypto, other, sealedAs(pad(Uint8Array.of(1))))).to.equal('outer')
    expect(openEnvelope(crypto, key, sealedAs(new Uint8Array(10))), 'no padding').to.equal('malformed')
    expect(openEnvelope(crypto, key, sealedAs(pad(Uint8Array.of(0xff)))), 'no content').to.equal('malformed')
    const message = { tag: new Uint8Array(8), index: 1, generation: 2, inner: new Uint8Array(50) }
    const cut = packMessage(message).subarray(0, -1)
    expect(openEnvelope(crypto, key, sealedAs(pad(cut))), 'half a message').to.equal('malformed')
    expect(openEnvelope(crypto, key, sealedAs(pad(packMessage(message))))).to.deep.equal({
      kind: 'message',
      ...message,
    })
  })

  it('reads back what it sealed, message or control, with a base or without', () => {
    const control = { kind: 'control', control: { kind: 'epoch', record: Uint8Array.of(1, 2) } } as const
    const envelope = sealEnvelope(crypto, key, control, nonce)
    expect(openEnvelope(crypto, key, decodeEnvelope(envelope)!)).to.deep.equal(control)
    expect(decodeSealed(encodeSealed(Uint8Array.of(5), null))).to.deep.equal({
      content: Uint8Array.of(5),
      slot: null,
    })
    const slot = { epoch: new Uint8Array(32), base: 4, signature: new Uint8Array(64) as never }
    expect(decodeSealed(encodeSealed(Uint8Array.of(5), slot))).to.deep.equal({
      content: Uint8Array.of(5),
      slot,
    })
    expect(decodeSealed(Uint8Array.of(0x83))).to.equal(undefined)
  })

  it('refuses its own, what is no envelope, what came by another topic, and what came before', () => {
    const { world, a, b } = talking('refuse')
    const sealed = sealAs(world, a, {})
    if (!sealed.ok) throw new Error('no epoch')
    expect(verdictOf(world, sealed.state, sealed.envelope).verdict).to.equal('own')
    expect(verdictOf(world, b.state, Uint8Array.of(1, 2, 3)).verdict).to.equal('malformed')
    const judge = judgeWith(crypto, world.conversation)
    const other = new GroupWorld(crypto, 'other')
    const [x] = [other.add('x.0'), other.add('y.0')]
    other.send(x, 'hello')
    const foreign = sealAs(other, x, {})
    if (!foreign.ok) throw new Error('no epoch')
    const verdictBy = (envelope: Uint8Array, route?: Uint8Array): unknown =>
      open(crypto, b.state, [{ envelope, route }], judge, world.nowMs).verdicts[0]
    expect(verdictBy(foreign.envelope, sealed.route)).to.deep.equal({ verdict: 'rejected', reason: 'outer' })
    expect(verdictBy(foreign.envelope), 'of what topic?').to.deep.equal({
      verdict: 'held',
      awaiting: 'route',
    })
    expect(verdictBy(sealed.envelope, world.bytes(32)), 'not keyed').to.deep.equal({
      verdict: 'held',
      awaiting: 'route',
    })
  })

  it('takes an envelope once in a batch, and hands its judge nothing when there is nothing to judge', () => {
    const { world, a, b } = talking('batch')
    world.send(a, 'twice')
    const envelopes = b.inbox.flatMap(({ item }) => (item.kind === 'envelope' ? [item] : []))
    const judge = judgeWith(crypto, world.conversation)
    const doubled = [...envelopes, ...envelopes]
    const { verdicts, state } = open(crypto, b.state, doubled, judge, world.nowMs)
    const reasons = verdicts.map((verdict) => ('reason' in verdict ? verdict.reason : verdict.verdict))
    expect(reasons).to.deep.equal([...envelopes.map(() => 'accepted'), ...envelopes.map(() => 'replayed')])
    expect(state.lastSpeaker?.device).to.deep.equal(a.address.device)
    const never = (): never => {
      throw new Error('asked')
    }
    const before = b.state
    const nothing = open(crypto, before, [{ envelope: Uint8Array.of(1) }], never, world.nowMs)
    expect(nothing.state).to.equal(before)
    expect(nothing.spent).to.deep.equal([])
  })
})

describe('conversation epochs: keys beside the chains', () => {
  it('a log queue is read with one key and written with one for each device, the same for all who hold the epoch', () => {
    const { world, a, b, c } = talking('queue')
    const { record, recipients } = inUse(world, a)
    const of = (device: SimDevice) => epochQueue(crypto, device.state, record.id)!
    const publics = (device: SimDevice): readonly string[] =>
      [of(device).read, ...of(device).writers].map(({ publicKey }) => toHex(publicKey))
    expect(publics(a)).to.deep.equal(publics(b)).and.deep.equal(publics(c))
    expect(new Set(publics(a)).size).to.equal(recipients.length + 1)
    for (const device of [a, b, c]) {
      const at = recipients.findIndex((one) => equalBytes(one.device, device.address.device))
      expect(toHex(of(device).own.publicKey), device.name).to.equal(publics(device)[at + 1])
    }
    expect(epochQueue(crypto, a.state, world.bytes(32)), 'no such epoch').to.equal(undefined)
    const keyless = { ...a.state, keys: new Map() }
    expect(epochQueue(crypto, keyless, record.id), 'no keys').to.equal(undefined)
    const nodeless = { ...a.state, nodes: new Map() }
    expect(epochQueue(crypto, nodeless, record.id), 'no record').to.equal(undefined)
    const held = a.state.keys.get(toHex(record.id))!
    const routeless = { ...a.state, keys: new Map([[toHex(record.id), { ...held, route: undefined }]]) }
    expect(epochQueue(crypto, routeless, record.id), 'no topic').to.equal(undefined)
    const node = a.state.nodes.get(toHex(record.id))!
    const outside = { ...a.state, nodes: new Map([[toHex(record.id), { ...node, self: -1 }]]) }
    expect(epochQueue(crypto, outside, record.id), 'not listed').to.equal(undefined)
  })

  it('keys of skipped records that came another way are given up, and no others', () => {
    const { world, a, b } = talking('held')
    for (const text of ['one', 'two', 'three']) world.send(a, text)
    const envelopes = b.inbox.flatMap(({ item }) => (item.kind === 'envelope' ? [item] : []))
    const last = envelopes.at(-1)!
    const judge = judgeWith(crypto, world.conversation)
    const opened = open(crypto, b.state, [last], judge, world.nowMs)
    const { key } = inUse(world, a)
    const chainOf = (state: ConversationEpochs) =>
      state.keys.get(key)!.chains[
        state.nodes.get(key)!.recipients.findIndex((one) => equalBytes(one.device, a.address.device))
      ]!
    const chain = chainOf(opened.state)
    expect(chain.skipped.count).to.equal(2)
    const base = chain.base!
    const nothing = forgetHeld(opened.state, a.address, () => false)
    expect(nothing).to.deep.equal({ state: opened.state, spent: [] })
    expect(nothing.state).to.equal(opened.state)
    expect(forgetHeld(opened.state, b.address, () => true).state, 'another’s').to.equal(opened.state)
    const asked: number[] = []
    const forgotten = forgetHeld(opened.state, a.address, (aseq) => {
      asked.push(aseq)
      return aseq === base + 1
    })
    expect(asked).to.include.members([base + 1, base + 2])
    const after = chainOf(forgotten.state)
    expect(after.skipped.count).to.equal(1)
    expect(skippedKey(after.skipped, 1)).to.equal(undefined)
    expect(skippedKey(after.skipped, 2)).to.deep.equal(skippedKey(chain.skipped, 2))
    expect(forgotten.spent).to.deep.equal([chain.skipped.rows])
    const at = forgotten.state.keys.get(key)!
    const unknown = at.chains.map((one) => ({ ...one, base: undefined }))
    const baseless = {
      ...opened.state,
      keys: new Map([[key, { ...at, chains: unknown }]]),
    } as ConversationEpochs
    expect(forgetHeld(baseless, a.address, () => true).state, 'no base').to.equal(baseless)
  })
})
