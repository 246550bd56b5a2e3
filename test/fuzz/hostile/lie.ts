import type { Draw } from '../mutator.ts'

/** One way a malicious member lies with keys of their own, and what has to become of it. */
export interface Lie<World, Input> {
  readonly name: string
  /** What may be answered. The first is the check the lie aims at, which it must reach. */
  readonly answers: readonly [string, ...string[]]
  /** Writes and signs the next one; undefined where the world has nothing yet to lie about. */
  readonly tell: (world: World, draw: Draw) => Input | undefined
}

/** What a campaign against one room saw; `wrong` must be empty. */
export interface HostileReport {
  readonly room: string
  readonly inputs: number
  /** How often each lie was told, with what it was answered. */
  readonly told: ReadonlyMap<string, ReadonlyMap<string, number>>
  readonly wrong: readonly string[]
}

/** A room under fire from inside. */
export interface HostileCampaign {
  readonly room: string
  readonly run: (inputs: number, seed: number) => HostileReport | Promise<HostileReport>
}

/** Lines of `wrong` kept; there may be as many as inputs. */
const wrongKept = 20

/** Counts what was told and answered, and keeps what should not have been. */
export class Tally {
  readonly #room: string
  readonly #lies: readonly Pick<Lie<never, never>, 'name' | 'answers'>[]
  readonly #told = new Map<string, Map<string, number>>()
  readonly #wrong: string[] = []
  #inputs = 0

  constructor(room: string, lies: readonly Pick<Lie<never, never>, 'name' | 'answers'>[]) {
    this.#room = room
    this.#lies = lies
    for (const { name } of lies) this.#told.set(name, new Map())
  }

  get inputs(): number {
    return this.#inputs
  }

  note({ name, answers }: Pick<Lie<never, never>, 'name' | 'answers'>, answer: string): void {
    this.#inputs += 1
    const told = this.#told.get(name)
    told?.set(answer, (told.get(answer) ?? 0) + 1)
    if (!answers.includes(answer)) this.wrong(`${name}: answered "${answer}"`)
  }

  wrong(line: string): void {
    if (this.#wrong.length < wrongKept && !this.#wrong.includes(line)) this.#wrong.push(line)
  }

  /** The report; a lie that never reached the check it aims at is wrong too. */
  finish(): HostileReport {
    for (const { name, answers } of this.#lies)
      if (this.#told.get(name)?.has(answers[0]) !== true) this.wrong(`${name}: never reached "${answers[0]}"`)
    return { room: this.#room, inputs: this.#inputs, told: this.#told, wrong: this.#wrong }
  }
}

/** The answer, or what was thrown: what a peer says must never cause that, so no lie has it among its answers. */
export function answerOf(hear: () => string): string {
  try {
    return hear()
  } catch (error) {
    return `threw ${String(error)}`
  }
}

/** Lies by turns in a drawn order, so that in any number of them none is left out for long. */
export function* byTurns<World, Input>(
  lies: readonly Lie<World, Input>[],
  draw: Draw,
): Generator<Lie<World, Input>, never, undefined> {
  for (;;) {
    const round = [...lies]
    while (round.length > 0) yield* round.splice(draw(round.length), 1)
  }
}
