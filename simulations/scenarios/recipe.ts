/** How a run is asked for; enough to ask for it again. */
export interface Recipe {
  readonly scenario: string
  readonly hours: number
  /** What was set by hand, `name=value`. */
  readonly set: readonly string[]
  /** A bug planted in the product. */
  readonly plantBug: string | null
}
