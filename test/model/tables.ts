/** States, parcels and steps under small numbers: what is the same is held, and computed, once. */
import { epochRows } from '../../packages/core/src/group/index.ts'
import { toHex } from '../../packages/core/src/wire/index.ts'
import { brokenIn, idleReason, nameOf, type Item, type Local, type Step } from './device.ts'
import type { Universe } from './universe.ts'

/** One state of the model. */
export interface State {
  /** Number of each device's local state. */
  readonly locals: readonly number[]
  /** Numbers of the parcels on their way, rising. A session frame's parcel says how far its session had healed. */
  readonly parcels: readonly number[]
  readonly lost: number
  readonly free: number
  /** The copied device and its local state at that moment. */
  readonly stolen: { readonly device: number; readonly local: number } | undefined
  /** How far the session of the copied device with each other has healed; see `thief.ts`. */
  readonly healing: readonly number[]
}

/** A device's step with its state's number. */
export type NumberedStep = Omit<Step, 'local'> & { readonly local: number }

/** Something that may happen next, and the properties it breaks. */
export interface Move {
  readonly label: string
  readonly next: State
  readonly broken: readonly string[]
}

/** Something on its way. `stamp` is 0 but for a copied device's frames: 1 + the stage at which they left. */
export interface Parcel {
  readonly to: number
  readonly item: Item
  readonly stamp: number
}

export type Sent = Step['sent']

/** Things worth counting, so that nobody takes an idle exploration for a passed one. */
export const sights = [
  'epochs begun',
  'envelopes read',
  'seals knowing of a removal',
  'epochs read by a thief after the copy',
  'epochs closed to a thief by healing',
  'copies taken',
  'quiet states judged',
  'quiet states after a lost seed',
  'two-faced seeds',
] as const
export type Sight = (typeof sights)[number]

export class Tables {
  readonly universe: Universe
  readonly locals: Local[] = []
  /** Properties that a local state breaks by itself. */
  readonly localBroken: (readonly string[])[] = []
  readonly parcels: Parcel[] = []
  readonly seen = new Map<Sight, number>(sights.map((name) => [name, 0]))
  readonly #localIds = new Map<string, number>()
  readonly #parcelIds = new Map<string, number>()
  readonly #steps = new Map<string, NumberedStep | null>()
  readonly #idle = new Map<number, ReturnType<typeof idleReason>>()

  constructor(universe: Universe) {
    this.universe = universe
  }

  see(sight: Sight): void {
    this.seen.set(sight, (this.seen.get(sight) ?? 0) + 1)
  }

  at(state: State, device: number): Local {
    return this.locals[state.locals[device] ?? -1]!
  }

  localsOf({ locals }: State): readonly Local[] {
    return locals.map((id) => this.locals[id]!)
  }

  /** Epochs begun by all devices together. */
  epochsSoFar(state: State): number {
    return this.localsOf(state).reduce((sum, { draws }) => sum + draws, 0)
  }

  /** The number of a local state; the same for the same state. */
  idOf(local: Local): number {
    const rows = epochRows(local.epochs)
    const parts = rows.map(({ key, value }) => `${key}=${value === undefined ? '' : toHex(value)}`).sort()
    const rest = [local.index, local.ops, local.next, local.draws, ...local.read, '|', ...local.sealed]
    const ends = JSON.stringify(local.ends)
    const key = toHex(
      this.universe.crypto.sha256(new TextEncoder().encode([...parts, ...rest, ends].join(';'))),
    )
    const known = this.#localIds.get(key)
    if (known !== undefined) return known
    this.locals.push(local)
    this.localBroken.push(brokenIn(this.universe, local))
    this.#localIds.set(key, this.locals.length - 1)
    return this.locals.length - 1
  }

  parcelOf(parcel: Parcel): number {
    const { item, to, stamp } = parcel
    const body =
      item.kind === 'burst'
        ? item.envelopes.map(({ name }) => nameOf(name)).join('+')
        : item.kind === 'ops'
          ? String(item.ops)
          : item.kind === 'record'
            ? item.epoch
            : `${item.epoch}.${String(item.from)}.${String(item.place.chain)}.${String(item.place.number)}.${String(item.twin)}`
    const key = `${String(to)}/${item.kind}/${body}/${String(stamp)}`
    const known = this.#parcelIds.get(key)
    if (known !== undefined) return known
    this.parcels.push(parcel)
    this.#parcelIds.set(key, this.parcels.length - 1)
    return this.parcels.length - 1
  }

  /** A device's step, computed once for each of its states. */
  step(local: number, name: string, take: (local: Local) => Step | undefined): NumberedStep | undefined {
    const key = `${String(local)}/${name}`
    const known = this.#steps.get(key)
    if (known !== undefined) return known ?? undefined
    const step = take(this.locals[local]!)
    const kept = step === undefined ? null : { ...step, local: this.idOf(step.local) }
    this.#steps.set(key, kept)
    return kept ?? undefined
  }

  idleReason(local: number): ReturnType<typeof idleReason> {
    if (!this.#idle.has(local)) this.#idle.set(local, idleReason(this.universe, this.locals[local]!))
    return this.#idle.get(local)
  }
}
