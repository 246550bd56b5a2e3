import type { Planned } from './planned.ts'

/** How a run is asked for; enough to ask for it again. */
export interface Recipe {
  /** Name of one of the scenarios, or `none` when only what was planned befalls the run. */
  readonly scenario: string
  /** A scenario of somebody's own on top of it. */
  readonly own?: Own | undefined
  readonly hours: number
  /** What was set by hand, `name=value`. */
  readonly set: readonly string[]
  /** A bug planted in the product. */
  readonly plantBug: string | null
}

/** What makes a scenario somebody's own. */
export interface Own {
  /** The file it was read from. */
  readonly file: string
  readonly name: string
  readonly claim: string
  readonly planned: readonly Planned[]
}
