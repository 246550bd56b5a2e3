/** Epochs, seeds and envelopes by a member who derives every chain and has every topic's key, and says what no device would. */
import { createEpoch, preferredEpoch, type Seed } from '../../../packages/core/src/group/index.ts'
import { issueSlotBase, type SlotBase } from '../../../packages/core/src/group/epoch-items.ts'
import { issueEpoch, readEpoch, type EpochTerms } from '../../../packages/core/src/group/epoch-record.ts'
import {
  envelopeFrame,
  sealEnvelope,
  type EnvelopeContent,
  type EnvelopeMessage,
} from '../../../packages/core/src/group/envelope.ts'
import { issueRecord, recordKinds, segmentId } from '../../../packages/core/src/history/index.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { forge } from '../../support/epoch-insider.ts'
import { contentFrame, GroupWorld, type SimDevice } from '../../support/group-world.ts'
import { nodeProvider as crypto } from '../../support/session-world.ts'
import type { Draw } from '../mutator.ts'
import type { Lie } from './lie.ts'

/** What a device is told: on a topic, as the record of an epoch, or inside a session. */
export type ToldEpoch =
  | { readonly kind: 'envelope'; readonly envelope: Uint8Array; readonly route?: Uint8Array }
  | { readonly kind: 'record'; readonly record: Uint8Array }
  | { readonly kind: 'seed'; readonly seed: Seed; readonly from: SimDevice }

/** A group that talks: Ada and Dora are honest, Dora never spoke in the epoch in use; Mallory lies to Bob. */
export class EpochScene {
  readonly world: GroupWorld
  readonly ada: SimDevice
  readonly bob: SimDevice
  readonly dora: SimDevice
  readonly mallory: SimDevice
  /** An epoch of Ada's whose record Bob has and whose seed he has not. */
  readonly unseeded: { readonly epoch: Uint8Array; readonly seed: Seed }
  /** A talk elsewhere, in which Mallory is too. */
  readonly elsewhere: Uint8Array
  /** What Ada said before. */
  readonly old: Uint8Array

  constructor(seed: string) {
    const world = new GroupWorld(crypto, seed)
    this.world = world
    this.ada = world.add('ada.0')
    this.bob = world.add('bob.0', this.ada)
    this.mallory = world.add('mallory.0', this.ada)
    this.dora = world.add('dora.0', this.ada)
    world.drain()
    world.send(this.ada, 'hello from ada')
    this.old = this.ada.outbox.at(-1)!.content
    world.drain()
    for (const device of [this.bob, this.mallory, this.ada]) {
      world.send(device, `hello from ${device.name}`)
      world.drain()
    }
    const made = this.draft(this.ada)
    this.unseeded = { epoch: made.epoch, seed: { ...made.seed, secret: made.seed.secret.slice() } }
    world.deliver(this.bob, { from: this.ada, item: { kind: 'record', record: made.record } })
    const other = new GroupWorld(crypto, `${seed}, elsewhere`)
    other.send(other.add('ada.0'), 'elsewhere')
    this.elsewhere = other.sealed.at(-1)!.envelope
  }

  /** An epoch a device would begin now; nobody hears of it. */
  draft(by: SimDevice) {
    const { world } = this
    const draft = { reason: 'doubt', base: by.nextAseq } as const
    return createEpoch(crypto, by.state, by.keys, world.viewOf(by), draft, world.bytes(32), world.nowMs)
  }

  /** The epoch in use, as Mallory has it. */
  get node() {
    return preferredEpoch(this.mallory.state, this.world.viewOf(this.mallory), this.world.nowMs)!
  }

  /** Key of the topic everybody listens to. */
  get topic(): Uint8Array {
    return this.mallory.state.keys.get(this.node.key)!.route!.envelope.expose()
  }

  /** Place of a device in the epoch. */
  indexOf(device: SimDevice): number {
    return this.node.recipients.findIndex(({ device: id }) =>
      id.every((byte, i) => byte === device.address.device[i]),
    )
  }
}

type EpochLie = Lie<EpochScene, ToldEpoch>
const pick = <T>(list: readonly T[], draw: Draw): T => list[draw(list.length)]!

const lie = (
  name: string,
  answer: string,
  tell: (scene: EpochScene, draw: Draw) => ToldEpoch | Uint8Array,
): EpochLie => ({
  name,
  answers: [answer],
  tell: (scene, draw) => {
    const told = tell(scene, draw)
    return told instanceof Uint8Array ? { kind: 'envelope', envelope: told } : told
  },
})

/** A record with its own words, signed by Mallory, in whosever name and number. */
function content(
  scene: EpochScene,
  as: SimDevice,
  aseq: number,
  text: string,
  wrongBody = false,
): Uint8Array {
  const { world, mallory } = scene
  const { carried } = issueRecord(
    crypto,
    mallory.keys,
    {
      ...{ conversation: world.conversation, segment: segmentId(crypto, world.conversation, 0) },
      ...{
        kind: recordKinds.msg,
        ...as.address,
        aseq,
        sseq: aseq + 1,
        selfPrev: aseq === 0 ? null : world.bytes(32),
      },
      ...{ refs: [], xrefs: [], groupHeads: [], lamport: aseq + 1, timestampMs: world.nowMs },
      ...{ ttlMs: null, target: null, history: 0 },
    },
    new TextEncoder().encode(text),
    world.bytes(32),
  )
  return contentFrame.encode(wrongBody ? { ...carried, salt: world.bytes(32) } : carried)
}

/** Seals at a generation of a device's chain, as every member can. */
const sealedAt = (
  { world, mallory }: EpochScene,
  victim: SimDevice,
  ahead: number,
  what: Uint8Array,
  slot: SlotBase | null = null,
): Uint8Array => forge(world, mallory.state, victim, ahead, what, slot).envelope

/** A message of any values at all under the key of the topic. */
function message(scene: EpochScene, part: Partial<EnvelopeMessage>): Uint8Array {
  const { world, node, topic } = scene
  const whole: EnvelopeContent = {
    kind: 'message',
    ...{ tag: node.record.id.slice(0, 8), index: scene.indexOf(scene.ada), generation: 0 },
    ...{ inner: world.bytes(80), ...part },
  }
  return sealEnvelope(crypto, topic, whole, world.bytes(24))
}

const words = (draw: Draw): string => `lie ${draw(2 ** 30)}`

/** What travels on topics. */
const envelopes: readonly EpochLie[] = [
  lie('noise on the topic', 'malformed', ({ world }, draw) => world.bytes(draw(40))),
  lie('rubbish under the key of the topic', 'malformed', ({ world, topic }, draw) => {
    const nonce = world.bytes(24)
    const sealed = crypto.seal(topic, nonce, world.bytes(1 + draw(600)), new Uint8Array(0))
    return envelopeFrame.encode({ version: 1, nonce, sealed })
  }),
  lie('a device there is none of', 'malformed', (scene, draw) =>
    message(scene, { index: scene.node.recipients.length + draw(200) }),
  ),
  lie('the reader’s own words', 'own', (scene, draw) =>
    sealedAt(scene, scene.bob, draw(9), content(scene, scene.bob, 1 + draw(9), words(draw))),
  ),
  lie('an epoch nobody began', 'held epoch', (scene) => message(scene, { tag: scene.world.bytes(8) })),
  lie('a topic nobody has', 'held route', ({ world, elsewhere }, draw) => {
    const other = elsewhere.slice()
    other[other.length - 1 - draw(16)]! ^= 1 + draw(255)
    return draw(2) === 0
      ? elsewhere
      : envelopeFrame.encode({ version: 1, nonce: world.bytes(24), sealed: other })
  }),
  lie('what the topic’s key does not open', 'outer', (scene, draw) => ({
    ...{ kind: 'envelope', route: scene.node.record.id },
    envelope: pick(
      [
        scene.elsewhere,
        envelopeFrame.encode({ version: 1, nonce: scene.world.bytes(24), sealed: scene.world.bytes(512) }),
      ],
      draw,
    ),
  })),
  lie('rubbish at a generation', 'inner', (scene, draw) =>
    message(scene, { generation: scene.ada.nextAseq + draw(50), inner: scene.world.bytes(40 + draw(400)) }),
  ),
  lie('a generation out of reach', 'too-far', (scene, draw) =>
    message(scene, { generation: limits.generationsAhead + 50 + draw(2 ** 31) }),
  ),
  lie('a generation that is spent', 'replayed', (scene) => message(scene, { generation: 0 })),
  lie('an envelope that was opened', 'replayed', ({ world, ada }) => {
    const sent = world.sealed.filter(({ by }) => by === ada).at(-1)!
    return { kind: 'envelope', envelope: sent.envelope, route: sent.route }
  }),
  lie('no record at another’s generation', 'not-a-record', (scene, draw) =>
    sealedAt(scene, scene.ada, draw(limits.generationsAhead), scene.world.bytes(1 + draw(300))),
  ),
  lie('the liar’s record at another’s generation', 'not-a-record', (scene, draw) => {
    const ahead = draw(40)
    return sealedAt(
      scene,
      scene.ada,
      ahead,
      content(scene, scene.mallory, scene.mallory.nextAseq, words(draw)),
    )
  }),
  lie('in another’s name, signed by the liar', 'not-a-record', (scene, draw) => {
    const ahead = draw(40)
    return sealedAt(
      scene,
      scene.ada,
      ahead,
      content(scene, scene.ada, scene.ada.nextAseq + ahead, words(draw)),
    )
  }),
  lie('an old record of another, sealed again', 'not-a-record', (scene, draw) =>
    sealedAt(scene, scene.ada, draw(40), scene.old),
  ),
  lie('its own record at a generation not its', 'not-a-record', (scene, draw) => {
    const ahead = 1 + draw(40)
    return sealedAt(
      scene,
      scene.mallory,
      ahead,
      content(scene, scene.mallory, scene.mallory.nextAseq, words(draw)),
    )
  }),
  lie('its own record with another body', 'not-a-record', (scene, draw) =>
    sealedAt(
      scene,
      scene.mallory,
      0,
      content(scene, scene.mallory, scene.mallory.nextAseq, words(draw), true),
    ),
  ),
  lie('a base for who has not spoken', 'bad-base', (scene, draw) => {
    const { world, mallory, dora, node } = scene
    const slot = issueSlotBase(
      crypto,
      mallory.keys,
      world.conversation,
      node.record.id,
      dora.address,
      draw(9),
    )
    return sealedAt(scene, dora, draw(9), content(scene, dora, draw(9), words(draw)), slot)
  }),
  lie('a base for another epoch', 'bad-base', (scene, draw) => {
    const { world, dora } = scene
    const slot = issueSlotBase(crypto, dora.keys, world.conversation, world.bytes(32), dora.address, draw(9))
    return sealedAt(scene, dora, draw(9), content(scene, dora, draw(9), words(draw)), slot)
  }),
]

/** The record of an epoch of Mallory's with other terms; whose key signs is another lie. */
function record(scene: EpochScene, change: Partial<EpochTerms>, by = scene.mallory): ToldEpoch {
  const honest = readEpoch(crypto, scene.draft(scene.mallory).record)!
  const issued = issueEpoch(crypto, by.keys, { ...honest.terms, ...change }, honest.commitment)
  return { kind: 'record', record: issued.bytes }
}

const stranger = new GroupWorld(crypto, 'strangers').add('x.0')

const records: readonly EpochLie[] = [
  lie('no record of an epoch', 'malformed', ({ world }, draw) => ({
    kind: 'record',
    record: world.bytes(draw(500)),
  })),
  lie('an epoch of another conversation', 'wrong-conversation', (scene) =>
    record(scene, { conversation: scene.world.bytes(32) }),
  ),
  lie('an epoch in another’s name', 'bad-signature', (scene) => record(scene, scene.ada.address)),
  lie('an epoch of who is no member', 'not-a-member', (scene) => record(scene, stranger.address, stranger)),
  lie('an epoch without a member', 'bad-exclusion', (scene, draw) => {
    const out = pick([scene.ada, scene.bob, stranger], draw).address
    const proof = scene.world.bytes(40)
    return record(scene, {
      excluded: [
        pick(
          [
            { kind: 'expired', ...out },
            { kind: 'forked', ...out, proof },
          ] as const,
          draw,
        ),
      ],
    })
  }),
  lie('an epoch at heads nobody knows', 'held heads', (scene) =>
    record(scene, { groupHeads: [scene.world.bytes(32)] }),
  ),
  lie('a turn on a route nobody knows', 'held route', (scene) =>
    record(scene, { route: scene.world.bytes(32) }),
  ),
  lie('an epoch of the year 2099', 'held clock', (scene, draw) =>
    record(scene, { timestampMs: Date.UTC(2099, draw(12)) }),
  ),
]

const seeds: readonly EpochLie[] = [
  lie('a seed for another’s epoch', 'not-the-author', ({ unseeded, mallory }) => ({
    ...{ kind: 'seed', seed: unseeded.seed, from: mallory },
  })),
  lie('a twin of a seed', 'bad-commitment', ({ unseeded, ada, world }) => ({
    ...{ kind: 'seed', from: ada, seed: { ...unseeded.seed, secret: world.bytes(32) } },
  })),
  lie('a seed for other terms', 'bad-context', ({ unseeded, ada, world }) => ({
    ...{ kind: 'seed', from: ada, seed: { ...unseeded.seed, context: world.bytes(32) } },
  })),
  lie('a second seed', 'already-seeded', ({ node, ada, world }) => ({
    ...{
      kind: 'seed',
      from: ada,
      seed: { epoch: node.record.id, context: world.bytes(32), secret: world.bytes(32) },
    },
  })),
  lie('a seed of an epoch nobody knows', 'held epoch-record', ({ mallory, world }) => ({
    ...{
      kind: 'seed',
      from: mallory,
      seed: { epoch: world.bytes(32), context: world.bytes(32), secret: world.bytes(32) },
    },
  })),
]

export const epochLies: readonly EpochLie[] = [...envelopes, ...records, ...seeds]
