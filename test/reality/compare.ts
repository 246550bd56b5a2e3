import { isDeepStrictEqual } from 'node:util'
import { libp2pPlace, type Transport } from './libp2p-place.ts'
import { modelPlace } from './model-place.ts'
import { namespacePlace } from './namespace-place.ts'
import type { Place } from './place.ts'
import { play, type Outcome } from './play.ts'
import { drawScript, type Script } from './script.ts'
import { Tally } from './tally.ts'

/** Where a script is played besides the model. */
export type RealPlace = Transport | 'namespaces'

/** One script in one place. */
export interface Played {
  readonly name: string
  /** Or why it came to no end. */
  readonly outcome: Outcome | string
  readonly tally: Readonly<Record<string, number>>
  /** Real milliseconds, for the record only. */
  readonly realMs: number
}

/** A seed in the model and in the real places, and where they ended differently. */
export interface Compared {
  readonly places: readonly Played[]
  readonly differences: readonly string[]
}

/** Plays a seed's script in the model and in each of the real places, and compares how they end. */
export async function compareSeed(seed: bigint, real: readonly RealPlace[]): Promise<Compared> {
  const script = drawScript(seed)
  const model = await playIn('model', script, (tally) => modelPlace(seed, tally))
  const places = [model]
  for (const name of real)
    places.push(
      await playIn(name, script, (tally) =>
        name === 'namespaces' ? namespacePlace(tally) : libp2pPlace(name, tally),
      ),
    )
  const odd = places.filter(({ outcome }) => !isDeepStrictEqual(outcome, model.outcome))
  return { places, differences: odd.map(({ name, outcome }) => differenceOf(name, outcome, model.outcome)) }
}

async function playIn(
  name: string,
  script: Script,
  enter: (tally: Tally) => Promise<Place>,
): Promise<Played> {
  const began = performance.now()
  const tally = new Tally()
  const place = await enter(tally)
  const outcome = await play(script, place).catch((error: unknown) => String(error))
  const realMs = performance.now() - began
  await place.end()
  return { name, outcome, tally: { ...tally.counts }, realMs }
}

const differenceOf = (name: string, real: Outcome | string, model: Outcome | string): string =>
  `${name} ends with ${JSON.stringify(real)}, the model with ${JSON.stringify(model)}`
