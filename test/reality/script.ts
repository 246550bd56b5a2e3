import { streamsOf, type Stream } from '../../simulations/world/stream.ts'

/** One thing that happens; devices are named as `user0-1`. Everything that counts goes on in one group of all. */
export type Step =
  | { readonly kind: 'say'; readonly by: string; readonly text: string }
  | { readonly kind: 'edit'; readonly by: string; readonly of: string; readonly text: string }
  | { readonly kind: 'take-back'; readonly by: string; readonly of: string }
  | { readonly kind: 'react'; readonly by: string; readonly of: string; readonly emoji: string }
  | { readonly kind: 'rename'; readonly by: string; readonly title: string }
  | { readonly kind: 'put-out'; readonly by: string; readonly person: string }
  | { readonly kind: 'close' | 'open'; readonly device: string }
  | { readonly kind: 'split'; readonly side: readonly string[] }
  | { readonly kind: 'heal' }
  | { readonly kind: 'settle' }

/** What a seed lets people do and suffer; any world can play it. */
export interface Script {
  readonly seed: bigint
  /** How many devices each person has. */
  readonly devices: Readonly<Record<string, number>>
  readonly steps: readonly Step[]
}

export const devicesOf = ({ devices }: Script): readonly string[] =>
  Object.entries(devices).flatMap(([person, count]) =>
    Array.from({ length: count }, (_, i) => `${person}-${i + 1}`),
  )

export const relayName = 'relay0'

interface Text {
  readonly by: string
  readonly text: string
}

/**
 * Draws a script: talk, a split with talk on both sides, a device that is away while the others talk, and somebody who
 * is put out. What would come out otherwise in another order is done only when all have settled, so that every world
 * must end alike.
 */
export function drawScript(seed: bigint): Script {
  const draw = streamsOf(seed)('workload', 'reality')
  const script = { seed, devices: { user0: 2, user1: 2, user2: 1 }, steps: [] as Step[] }
  const all = devicesOf(script)
  const writer = new Writer(draw, script.steps)
  writer.talk(all, 3)
  writer.settle()
  const side = draw.pick([['user2-1'], ['user1-1', 'user1-2'], ['user0-2', 'user2-1'], ['user1-2']])
  script.steps.push({ kind: 'split', side: draw.chance(0.5) ? side : [...side, relayName] })
  writer.talk(side, 2)
  writer.talk(
    all.filter((one) => !side.includes(one)),
    2,
  )
  script.steps.push({ kind: 'heal' })
  writer.settle()
  const away = draw.pick(all.slice(1))
  script.steps.push({ kind: 'close', device: away })
  const there = all.filter((one) => one !== away)
  writer.talk(there, 3)
  writer.change(there)
  script.steps.push({ kind: 'open', device: away })
  writer.settle()
  script.steps.push({ kind: 'put-out', by: 'user0-1', person: 'user2' })
  writer.settle()
  writer.talk(
    all.filter((one) => !one.startsWith('user2')),
    2,
  )
  writer.settle()
  return script
}

/** Writes steps whose end does not depend on their order. */
class Writer {
  readonly #draw: Stream
  readonly #steps: Step[]
  readonly #said: Text[] = []
  #settled: readonly Text[] = []
  #numbers = 0

  constructor(draw: Stream, steps: Step[]) {
    this.#draw = draw
    this.#steps = steps
  }

  talk(devices: readonly string[], times: number): void {
    for (let n = 0; n < times; n++) {
      const by = this.#draw.pick(devices)
      const text = `text ${this.#numbers++} ${'lorem '.repeat(this.#draw.below(30))}`.trim()
      this.#steps.push({ kind: 'say', by, text })
      this.#said.push({ by, text })
    }
  }

  /** Something about what all have: one edit, one deletion, one reaction and one title, of one message each. */
  change(there: readonly string[]): void {
    const [first, second, third] = this.#settled.filter(({ by }) => there.includes(by))
    const title = `title ${this.#numbers++}`
    if (first !== undefined)
      this.#steps.push({ kind: 'edit', by: first.by, of: first.text, text: `${first.text}, better` })
    if (second !== undefined) this.#steps.push({ kind: 'take-back', by: second.by, of: second.text })
    if (third !== undefined) this.#steps.push({ kind: 'react', by: 'user0-1', of: third.text, emoji: '🎉' })
    this.#steps.push({ kind: 'rename', by: 'user0-1', title })
  }

  settle(): void {
    this.#steps.push({ kind: 'settle' })
    this.#settled = [...this.#said]
  }
}
