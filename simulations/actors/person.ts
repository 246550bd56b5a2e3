import type { World } from '../world/world.ts'
import { Machine, type MachineOptions } from './machine.ts'

/** How a test spoils every machine. */
export type Spoil = Pick<MachineOptions, 'spoil' | 'spoilNetwork'>

/** Somebody with an account and one to three devices, none of which comes first. */
export class Person {
  readonly name: string
  /** What others see; never to be seen outside. */
  readonly fullName: string
  /** Every device there ever was, removed ones too. */
  readonly machines: Machine[] = []
  /** Conversations with one other, by the other's name. */
  readonly direct = new Map<string, string>()
  /** A new machine is being linked. */
  linking = false
  /** Machines ever made: no two have one name, for keys and choices are drawn by it. */
  #made = 0
  readonly #world: World
  readonly #dialable: () => boolean
  readonly #spoil: Spoil

  constructor(world: World, name: string, dialable: () => boolean, spoil: Spoil) {
    this.#world = world
    this.#dialable = dialable
    this.#spoil = spoil
    this.name = name
    this.fullName = `${name} ${world.textPrefix.split('').reverse().join('')}`
    this.newMachine()
  }

  /** Devices in the person's hands that are on the account, as far as the person knows. */
  get devices(): readonly Machine[] {
    return this.machines.filter(
      ({ deviceId, out, stolen, wrecked }) => deviceId !== '' && !out && !stolen && !wrecked,
    )
  }

  get accountId(): string {
    return this.machines[0]?.accountId ?? ''
  }

  /** The first machine opens the account; every other has none until it is linked. */
  newMachine(): Machine {
    this.#made += 1
    const machine = new Machine(this.#world, `${this.name}-${this.#made}`, {
      person: this.name,
      fullName: this.fullName,
      first: this.machines.length === 0,
      dialable: this.#dialable(),
      ...this.#spoil,
    })
    this.machines.push(machine)
    return machine
  }
}
