import { numberOf, textOf, type Line } from './trace-line.ts'

/** An epoch of a group, and what is left of it in every home. */
export interface EpochSeen {
  readonly epoch: string
  readonly room: string
  /** By its author's clock, virtual milliseconds. */
  readonly begunMs: number
  readonly depth: number
  /** Rides on the topic of another. */
  readonly turn: boolean
  readonly author: string
  readonly listed: ReadonlySet<string>
  /** By machine: its keys are there, were there, or never came; a machine that knows nothing of it is absent. */
  readonly keys: ReadonlyMap<string, string>
}

/** A message and for whom its author's device held it to be. */
export interface Written {
  readonly room: string
  readonly group: boolean
  readonly message: string
  readonly from: string
  readonly atMs: number
  readonly readers: ReadonlySet<string>
  /** Machines that were out, as its author's device knew, and did not come back. */
  readonly out: ReadonlySet<string>
}

/** How many bytes one machine's home has. */
export interface HomeSize {
  readonly host: string
  readonly atMs: number
  readonly bytes: number
}

/** What homes held, as a trace tells it. */
export interface Inside {
  readonly epochs: readonly EpochSeen[]
  readonly written: readonly Written[]
  /** Messages each machine shows in the end. */
  readonly shown: ReadonlyMap<string, ReadonlySet<string>>
  readonly parts: readonly { readonly host: string; readonly part: string; readonly bytes: number }[]
  readonly sizes: readonly HomeSize[]
}

const setOf = (line: Line, field: string): ReadonlySet<string> =>
  new Set(textOf(line, field).split(',').filter(Boolean))

/** Takes the lines that are about homes. */
export class InsideTeller {
  readonly #epochs: Omit<EpochSeen, 'keys'>[] = []
  readonly #keys = new Map<string, Map<string, string>>()
  readonly #written: Written[] = []
  readonly #shown = new Map<string, Set<string>>()
  readonly #parts: { readonly host: string; readonly part: string; readonly bytes: number }[] = []
  readonly #sizes: HomeSize[] = []

  take(line: Line): void {
    const host = textOf(line, 'host')
    switch (line.kind) {
      case 'home':
        this.#sizes.push({ host, atMs: line.t, bytes: numberOf(line, 'bytes') })
        break
      case 'home-part':
        this.#parts.push({ host, part: textOf(line, 'part'), bytes: numberOf(line, 'bytes') })
        break
      case 'shows':
        this.#shown.set(host, new Set([...(this.#shown.get(host) ?? []), ...setOf(line, 'messages')]))
        break
      case 'written':
        this.#written.push(writtenOf(line))
        break
      case 'epoch':
        this.#epochs.push(epochOf(line))
        break
      case 'epoch-at': {
        const epoch = textOf(line, 'epoch')
        this.#keys.set(
          epoch,
          (this.#keys.get(epoch) ?? new Map<string, string>()).set(host, textOf(line, 'keys')),
        )
        break
      }
    }
  }

  inside(): Inside {
    return {
      epochs: this.#epochs.map((one) => ({
        ...one,
        keys: this.#keys.get(one.epoch) ?? new Map<string, string>(),
      })),
      written: this.#written.toSorted((a, b) => a.atMs - b.atMs),
      shown: this.#shown,
      parts: this.#parts,
      sizes: this.#sizes,
    }
  }
}

const epochOf = (line: Line): Omit<EpochSeen, 'keys'> => ({
  epoch: textOf(line, 'epoch'),
  room: textOf(line, 'room'),
  begunMs: numberOf(line, 'begun'),
  depth: numberOf(line, 'depth'),
  turn: line['turn'] === true,
  author: textOf(line, 'author'),
  listed: setOf(line, 'listed'),
})

const writtenOf = (line: Line): Written => ({
  room: textOf(line, 'room'),
  group: line['group'] === true,
  message: textOf(line, 'message'),
  from: textOf(line, 'host'),
  atMs: numberOf(line, 'at'),
  readers: setOf(line, 'readers'),
  out: setOf(line, 'out'),
})
