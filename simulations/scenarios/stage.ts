import { Relay } from '../actors/relay.ts'
import { User, type UserOptions } from '../actors/user.ts'
import type { Stream } from '../world/stream.ts'
import type { World } from '../world/world.ts'
import type { Plan } from './plan.ts'

/** How a test spoils every person's device. */
export type Spoil = Omit<UserOptions, 'dialable'>

/** The people and relays of a run, and how far it has come. */
export class Stage {
  readonly world: World
  readonly plan: Plan
  readonly users: readonly User[]
  readonly relays: readonly Relay[]
  #open = true
  readonly #closers: (() => void)[] = []

  constructor(world: World, plan: Plan, spoil: Spoil = {}) {
    this.world = world
    this.plan = plan
    const draw = world.stream('plan', 'people')
    this.relays = Array.from({ length: plan.relays }, (_, i) => new Relay(world, `relay${i}`))
    this.users = Array.from(
      { length: plan.users },
      (_, i) => new User(world, `user${i}`, { dialable: draw.chance(plan.dialableShare), ...spoil }),
    )
  }

  /** Whether faults and workload still go on. */
  get open(): boolean {
    return this.#open
  }

  /** Ends faults and workload; what was cut or broken is mended. */
  close(): void {
    this.#open = false
    for (const closer of this.#closers.splice(0)) closer()
  }

  /** Calls back when the stage closes, at the latest. */
  onClose(closer: () => void): void {
    this.#closers.push(closer)
  }

  /** Something that strikes again and again, with this mean pause, while the stage is open. */
  repeat(draw: Stream, meanMs: number | null, strike: () => void): void {
    if (meanMs === null) return
    this.world.timeline.after(draw.exponential(meanMs), () => {
      if (!this.#open) return
      strike()
      this.repeat(draw, meanMs, strike)
    })
  }

  /** Something while the stage is open, later. */
  later(delayMs: number, work: () => void): void {
    this.world.timeline.after(delayMs, () => {
      if (this.#open) work()
    })
  }

  /** Hosts of the world: people, relays, and the DHT they stand in. */
  hosts(): readonly string[] {
    return [...this.users, ...this.relays].map(({ name }) => name)
  }

  /** Cuts directions for a time, and at the latest until the stage closes. */
  cut(directions: readonly (readonly [string, string])[], forMs: number): void {
    const heal = this.world.air.cut(directions)
    this.onClose(heal)
    this.world.timeline.after(forMs, heal)
  }
}
