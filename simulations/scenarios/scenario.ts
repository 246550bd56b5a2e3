import type { Stream } from '../world/stream.ts'
import type { Stage } from './stage.ts'

/** A world to run: what it claims, and what befalls it. */
export interface Scenario {
  readonly name: string
  /** What a run that holds shows, in one sentence. */
  readonly claim: string
  /** Kinds of faults that must each have struck over a sweep of seeds. */
  readonly expects: readonly string[]
  /** Starts whatever makes this scenario what it is; all of it stops when the stage says so. */
  readonly begin: (stage: Stage, draw: Stream) => void
}
