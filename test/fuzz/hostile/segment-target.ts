/** A segment of honest records with a liar among its writers, and a replica that is told lies about it. */
import {
  growSegment,
  openSegment,
  sealSegment,
  segmentId,
  SegmentDocument,
  type Arrival,
  type RecordHeader,
  type SegmentSet,
} from '../../../packages/core/src/history/index.ts'
import { equalBytes, idKey, toHex } from '../../../packages/core/src/wire/index.ts'
import {
  arrivalOf,
  countedIds,
  crypto,
  deliver,
  emptyFor,
  membersOnly,
  randomSegment,
  shuffled,
  writers,
  type Writer,
  type Written,
} from '../../core/history/segment-world.ts'
import { crdt } from '../../support/crdt.ts'
import { drawFrom, type Draw } from '../mutator.ts'
import { answerOf, byTurns, Tally, type HostileCampaign, type HostileReport, type Lie } from './lie.ts'

/** What a liar works with: a segment of honest records, the liar's own among them. */
export interface SegmentScene {
  readonly place: {
    readonly conversation: Uint8Array
    readonly segment: Uint8Array
    /** What its records cite; nothing where nobody asks. */
    readonly groupHeads?: readonly Uint8Array[]
  }
  readonly liar: Writer
  readonly victim: Writer
  readonly honest: readonly Written[]
  /** Records of another segment of the conversation. */
  readonly elsewhere: readonly Written[]
  /** The liar's chain as honest replicas hold it. */
  readonly own: readonly RecordHeader[]
  /** Records of the liar's that were refused, and those that count. */
  readonly refused: RecordHeader[]
  readonly counting: RecordHeader[]
  /** Parents that are kept back, with their children. */
  readonly keptBack: { readonly parent: Written; readonly child: Written }[]
}

/** What a liar sees: the segment, and what those who are lied to hold of it. */
export interface LiarsView {
  readonly scene: SegmentScene
  readonly set: SegmentSet
}

const honestRecords = 48
export const authorOf = membersOnly()

function stage(draw: Draw): SegmentScene {
  const conversation = crypto.sha256(Uint8Array.from({ length: 8 }, () => draw(256)))
  const [liar, victim] = [writers[3]!, writers[0]!]
  for (;;) {
    const honest = randomSegment(draw, { count: honestRecords, forkOneIn: 0, conversation })
    const own = honest
      .map(({ header }) => header)
      .filter((one) => equalBytes(one.content.device, liar.device))
    if (own.length < 3) continue
    const elsewhere = randomSegment(draw, { count: 6, forkOneIn: 0, conversation, number: 1 })
    const place = { conversation, segment: segmentId(crypto, conversation, 0) }
    return { place, liar, victim, honest, elsewhere, own, refused: [], counting: [], keptBack: [] }
  }
}

/** Everything a replica makes of a segment, equal only where all of it is; opens what it seals. */
function likeness(set: SegmentSet, document: SegmentDocument): string {
  const file = sealSegment(crdt, crypto, set, [...set.counted.values()])
  if (file === undefined) throw new Error('the segment cannot be sealed')
  const opened = openSegment(crdt, crypto, set, file, authorOf)
  if (opened === undefined) throw new Error('the sealed file does not open')
  const ids = opened.map(({ header }) => toHex(header.id)).sort()
  if (ids.join() !== countedIds(set).join()) throw new Error('the sealed file gives other records back')
  return [...document.heads().map(toHex), toHex(crypto.sha256(file)), ...ids].join()
}

/** A replica that is told lies one by one, so that each has an answer of its own. */
export class SegmentTarget implements LiarsView {
  readonly scene: SegmentScene
  readonly #document: SegmentDocument
  /** What the set was given, to be given to another one too. */
  readonly #heard: Arrival[] = []
  set: SegmentSet

  constructor(scene: SegmentScene, draw: Draw) {
    this.scene = scene
    this.set = deliver(draw, emptyFor(scene.honest[0]!), scene.honest.map(arrivalOf))
    this.#document = new SegmentDocument(crdt, crypto, scene.place.segment)
    this.#document.fold(scene.honest.map(({ header }) => header))
  }

  /** Gives the set what the liar brought, and says what became of it. */
  grow(arrivals: readonly Arrival[]): string {
    this.#heard.push(...arrivals)
    const { set, counted, refused } = growSegment(crypto, this.set, 'liar', arrivals, authorOf)
    const grew = set.waiting.size > this.set.waiting.size
    this.set = set
    this.#document.fold(counted)
    return refused[0] ?? (counted.length > 0 ? 'counts' : grew ? 'waits' : 'nothing')
  }

  likeness(): string {
    return likeness(this.set, this.#document)
  }

  /** Another replica hears the same in another order and other batches, and has to end with the same. */
  compare(tally: Tally, draw: Draw): void {
    const { honest, counting } = this.scene
    const arrivals = shuffled(draw, [...honest.map(arrivalOf), ...this.#heard])
    const other = deliver(draw, emptyFor(honest[0]!), arrivals)
    const folded = new SegmentDocument(crdt, crypto, this.scene.place.segment)
    folded.fold([...other.counted.values()].map(({ header }) => header))
    const may = new Set([...honest.map(({ header }) => header), ...counting].map(({ id }) => toHex(id)))
    if (countedIds(this.set).join() !== [...may].sort().join())
      tally.wrong('other records count than those that may')
    if (this.likeness() !== likeness(other, folded)) tally.wrong('two replicas differ')
    folded.free()
    this.#document.free()
  }

  /** Whether anything counts that is neither honest nor an equivocation. */
  countsTooMuch(): boolean {
    const { honest, counting } = this.scene
    const may = new Set([...honest.map(({ header }) => header), ...counting].map(({ id }) => idKey(id)))
    return [...this.set.counted.keys()].some((id) => !may.has(id))
  }
}

/** Lies told in one segment: half of them alone, the others while its liar equivocates. */
const liesAScene = 160

/** What a room is attacked with, and how an input reaches it. */
export interface SegmentAttack<Input> {
  readonly room: string
  /** Nothing may come of these. */
  readonly lies: readonly Lie<LiarsView, Input>[]
  /** What a member may do to everybody, and everybody has to take alike. */
  readonly equivocations: readonly Lie<LiarsView, Input>[]
  readonly hear: (target: SegmentTarget, input: Input) => string
}

/** A campaign of lies about segments. */
export const segmentCampaign = <Input>(attack: SegmentAttack<Input>): HostileCampaign => ({
  room: attack.room,
  run: (inputs, seed) => new Play(attack, inputs, seed).run(),
})

class Play<Input> {
  readonly #attack: SegmentAttack<Input>
  readonly #inputs: number
  readonly #draw: Draw
  readonly #tally: Tally
  readonly #lies: Iterator<Lie<LiarsView, Input>, never>
  readonly #equivocations: Iterator<Lie<LiarsView, Input>, never>

  constructor(attack: SegmentAttack<Input>, inputs: number, seed: number) {
    this.#attack = attack
    this.#inputs = inputs
    this.#draw = drawFrom(seed)
    this.#tally = new Tally(attack.room, [...attack.lies, ...attack.equivocations])
    this.#lies = byTurns(attack.lies, this.#draw)
    this.#equivocations = byTurns(attack.equivocations, this.#draw)
  }

  run(): HostileReport {
    while (this.#tally.inputs < this.#inputs) this.#scene()
    return this.#tally.finish()
  }

  /** One segment: lies alone leave no trace; with equivocation among them two replicas still end alike. */
  #scene(): void {
    const [draw, tally] = [this.#draw, this.#tally]
    const target = new SegmentTarget(stage(draw), draw)
    const before = target.likeness()
    for (let told = 0; told < liesAScene / 2; told++) this.#tell(target, this.#lies.next().value)
    if (target.likeness() !== before) tally.wrong('lies left a trace')
    for (let told = 0; told < liesAScene / 2; told++)
      this.#tell(target, (draw(2) === 0 ? this.#lies : this.#equivocations).next().value)
    target.compare(tally, draw)
  }

  #tell(target: SegmentTarget, lie: Lie<LiarsView, Input>): void {
    const input = lie.tell(target, this.#draw)
    if (input === undefined) return
    this.#tally.note(
      lie,
      answerOf(() => this.#attack.hear(target, input)),
    )
    if (target.countsTooMuch()) this.#tally.wrong(`${lie.name}: something counted by it`)
  }
}
