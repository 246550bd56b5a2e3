/** The whole model: every device's state, what is on its way, and a thief. States are tuples of small numbers. */
import type { CryptoProvider } from '../../packages/core/src/crypto/index.ts'
import { preferredEpoch } from '../../packages/core/src/group/index.ts'
import { begin, flush, receive, write } from './device.ts'
import { Tables, type Move, type NumberedStep, type Sent, type State } from './tables.ts'
import { Thief } from './thief.ts'
import { bitsOf, Universe, type Scene } from './universe.ts'

export class World {
  readonly universe: Universe
  readonly tables: Tables
  readonly #thief: Thief

  constructor(crypto: CryptoProvider, scene: Scene) {
    this.universe = new Universe(crypto, scene)
    this.tables = new Tables(this.universe)
    this.#thief = new Thief(this.tables)
  }

  /** The state everything starts from. */
  initial(): State {
    const { scene } = this.universe
    let state: State = {
      locals: Array.from({ length: scene.devices }, (_, i) => this.tables.idOf(this.universe.firstLocal(i))),
      parcels: [],
      lost: 0,
      free: 0,
      stolen: undefined,
      healing: [],
    }
    if (!scene.begun) return state
    const first = begin(this.universe, this.tables.at(state, 0), 'first')
    state = this.#after(state, 0, { ...first, local: this.tables.idOf(first.local) }, state.parcels).next
    for (;;) {
      const delivery = this.moves(state).find(({ label }) => label.startsWith('deliver'))
      if (delivery === undefined) return state
      state = delivery.next
    }
  }

  /** A name that two states share only if they are the same. */
  keyOf({ locals, parcels, lost, free, stolen, healing }: State): string {
    const theft =
      stolen === undefined ? '' : `${String(stolen.device)}.${String(stolen.local)}.${healing.join('')}`
    return `${locals.join()};${parcels.join()};${String(lost)}${String(free)};${theft}`
  }

  /** Everything that may happen in a state. */
  moves(state: State): readonly Move[] {
    return [
      ...this.#deliveries(state),
      ...this.#timers(state),
      ...this.#choices(state),
      ...this.#thefts(state),
    ]
  }

  #deliveries(state: State): readonly Move[] {
    const moves: Move[] = []
    state.parcels.forEach((id, at) => {
      const { to, item } = this.tables.parcels[id]!
      const step = this.tables.step(state.locals[to]!, `take ${String(id)}`, (local) =>
        receive(this.universe, local, item),
      )
      const rest = state.parcels.toSpliced(at, 1)
      if (step !== undefined) {
        if (item.kind === 'burst') this.tables.see('envelopes read')
        moves.push(this.#after(state, to, step, rest, `deliver ${item.kind} to ${String(to)}`, id))
      }
      if (item.kind === 'seed' && state.lost < this.universe.scene.losses)
        moves.push({
          label: `lose the seed for ${String(to)}`,
          next: { ...state, parcels: rest, lost: state.lost + 1 },
          broken: [],
        })
    })
    return moves
  }

  #timers(state: State): readonly Move[] {
    const repeats = this.universe.scene.repeats === true ? this.#repeats(state) : []
    if (this.tables.epochsSoFar(state) >= this.universe.scene.epochs) return repeats
    const begins = state.locals.flatMap((id, device) => {
      const reason = this.tables.idleReason(id)
      if (reason === undefined) return []
      const step = this.tables.step(id, 'idle', (local) => begin(this.universe, local, reason))!
      return [this.#after(state, device, step, state.parcels, `timer of ${String(device)} begins an epoch`)]
    })
    return [...repeats, ...begins]
  }

  /** Records sealed again under an epoch that has not carried them. */
  #repeats(state: State): readonly Move[] {
    return state.locals.flatMap((id, device) => {
      const local = this.tables.locals[id]!
      const view = this.universe.viewOf(local.ops)
      if (preferredEpoch(local.epochs, view, this.universe.nowMs) === undefined) return []
      const step = this.tables.step(id, 'repeat', (before) => flush(this.universe, before))!
      return step.local === id
        ? []
        : [this.#after(state, device, step, state.parcels, `timer of ${String(device)} repeats`)]
    })
  }

  #choices(state: State): readonly Move[] {
    const { universe } = this
    const { scene } = universe
    const locals = this.tables.localsOf(state)
    const ops = locals.reduce((all, local) => all | local.ops, 0)
    const written = locals.reduce((sum, { next }) => sum + next, 0)
    const mayBegin = this.tables.epochsSoFar(state) < scene.epochs
    const moves: Move[] = []
    for (const [device, local] of locals.entries()) {
      const members = universe.membersBy(local.ops)
      if ((members & (1 << device)) === 0) continue
      const id = state.locals[device]!
      if (written < scene.records) {
        const step = this.tables.step(id, 'write', (before) => write(universe, before))!
        if (step.begun === undefined || mayBegin)
          moves.push(this.#after(state, device, step, state.parcels, `${String(device)} writes`))
      }
      if (state.free < scene.free && mayBegin && local.epochs.nodes.size > 0) {
        for (const twoFaced of scene.insider === device ? [false, true] : [false]) {
          const step = this.tables.step(id, `begin ${String(twoFaced)}`, (before) =>
            begin(universe, before, 'turn', twoFaced),
          )!
          const how = twoFaced ? ' two-faced' : ''
          const move = this.#after(
            state,
            device,
            step,
            state.parcels,
            `${String(device)} begins an epoch${how}`,
          )
          moves.push({ ...move, next: { ...move.next, free: state.free + 1 } })
        }
      }
      if (bitsOf(universe.removedBy(ops)).length < scene.removals)
        for (const target of bitsOf(members))
          if (target !== device)
            moves.push(this.#says(state, device, universe.removeOf(target), `removes ${String(target)}`))
      for (let added = scene.members; added < scene.devices; added++)
        if ((ops & universe.addOf(added)) === 0)
          moves.push(this.#says(state, device, universe.addOf(added), `adds ${String(added)}`, added))
    }
    return moves
  }

  /** A device changes the membership; whoever it adds knows what it knows. */
  #says(state: State, device: number, op: number, label: string, added?: number): Move {
    const ops = this.tables.at(state, device).ops | op
    const item = { kind: 'ops', ops } as const
    const told = bitsOf(this.universe.addedBy(ops)).filter((i) => i !== device && i !== added)
    let locals = state.locals
    for (const knows of [device, ...(added === undefined ? [] : [added])])
      locals = locals.with(knows, this.tables.idOf({ ...this.tables.locals[locals[knows]!]!, ops }))
    const sent: Sent = told.map((to) => ({ to, item }))
    return {
      label: `${String(device)} ${label}`,
      next: { ...state, locals, parcels: this.#thief.posted(state, device, sent, state.parcels).parcels },
      broken: [],
    }
  }

  #thefts(state: State): readonly Move[] {
    if (state.stolen !== undefined || this.universe.scene.thefts === 0) return []
    return state.locals.map((local, device) => {
      this.tables.see('copies taken')
      const healing = this.#thief.firstStages(state, device)
      return {
        label: `a copy of ${String(device)} is stolen`,
        next: { ...state, stolen: { device, local }, healing },
        broken: this.#thief.erasedYetOpen(this.tables.locals[local]!),
      }
    })
  }

  /** The state after a device's step: what it sent is on its way, sessions have healed so far, properties are judged. */
  #after(
    state: State,
    device: number,
    step: NumberedStep,
    parcels: readonly number[],
    label = '',
    taken?: number,
  ): Move {
    const healed = taken === undefined ? state.healing : this.#thief.heard(state, taken)
    const broken = [...step.broken, ...this.tables.localBroken[step.local]!]
    const { stolen } = state
    if (step.begun !== undefined) {
      this.tables.see('epochs begun')
      if (this.universe.epochs.get(step.begun)!.twoFaced) this.tables.see('two-faced seeds')
      if (stolen !== undefined) broken.push(...this.#thief.judgeHealing(stolen, healed, step.begun))
    }
    if (label.endsWith('writes') && this.universe.removedBy(this.tables.at(state, device).ops) !== 0)
      this.tables.see('seals knowing of a removal')
    const posted = this.#thief.posted({ ...state, healing: healed }, device, step.sent, parcels)
    let next: State = {
      ...state,
      locals: state.locals.with(device, step.local),
      parcels: posted.parcels,
      healing: posted.healing,
    }
    if (stolen !== undefined) next = { ...next, healing: this.#thief.arrived(next, stolen.device) }
    return { label, next, broken }
  }
}
