import type { Machine } from '../actors/machine.ts'
import { Person, type Spoil } from '../actors/person.ts'
import { Relay } from '../actors/relay.ts'
import type { Stream } from '../world/stream.ts'
import type { World } from '../world/world.ts'
import { shareDevices, type Plan } from './plan.ts'

/** The people and relays of a run, and how far it has come. */
export class Stage {
  readonly world: World
  readonly plan: Plan
  /** How long workload and faults go on. */
  readonly lastsMs: number
  readonly people: readonly Person[]
  /** How many devices each of them begins with. */
  readonly devicesEach: readonly number[]
  readonly relays: readonly Relay[]
  /** Settles when the stage closes. */
  readonly closed: Promise<void>
  /** Machines in nobody's hands that run a copy of somebody's home. */
  readonly clones: Machine[] = []
  /** Records that liars made up. */
  forgedRecords = 0
  /** When it closed. */
  closedMs = Infinity
  #open = true
  readonly #closers: (() => void)[] = []

  constructor(world: World, plan: Plan, lastsMs: number, spoil: Spoil = {}) {
    this.lastsMs = lastsMs
    this.world = world
    this.plan = plan
    const draw = world.stream('plan', 'people')
    const dialable = (): boolean => draw.chance(plan.dialableShare)
    this.relays = Array.from({ length: plan.relays }, (_, i) => new Relay(world, `relay${i}`))
    this.people = Array.from({ length: plan.users }, (_, i) => new Person(world, `user${i}`, dialable, spoil))
    this.devicesEach = shareDevices(world.stream('plan', 'devices'), plan)
    this.closed = new Promise((resolve) => this.#closers.push(resolve))
  }

  person = (name: string): Person | undefined => this.people.find((one) => one.name === name)

  /** Devices that are on their accounts. */
  machines = (): readonly Machine[] => this.people.flatMap(({ devices }) => devices)

  /** Every machine there is, removed ones and new ones too. */
  everything = (): readonly Machine[] => this.people.flatMap(({ machines }) => machines)

  /** Whether faults and workload still go on. */
  get open(): boolean {
    return this.#open
  }

  /** Ends faults and workload; what was cut or broken is mended. */
  close(): void {
    this.#open = false
    this.closedMs = this.world.timeline.nowMs
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

  /** Hosts of the world: devices, relays, and the DHT they stand in. */
  hosts(): readonly string[] {
    return [...this.everything(), ...this.relays].map(({ name }) => name)
  }

  /** Cuts directions for a time, and at the latest until the stage closes. */
  cut(directions: readonly (readonly [string, string])[], forMs: number): void {
    const heal = this.world.air.cut(directions)
    this.onClose(heal)
    this.world.timeline.after(forMs, heal)
  }

  /** Links stay open and pass nothing for a time, and at the latest until the stage closes. */
  stall(directions: readonly (readonly [string, string])[], forMs: number): void {
    const release = this.world.air.links.stall(directions)
    this.onClose(release)
    this.world.timeline.after(forMs, release)
  }
}
