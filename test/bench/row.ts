/** What a benchmark row is. Rows live in `rows/`, one subject a file, and are found by name. */

/** Does the operation `times` times. */
export type Run = (times: number) => void | Promise<void>

/** One way of doing the row's operation. */
export interface Contender {
  readonly name: string
  /** Sets up what the operation needs; only in the process that measures this contender. */
  readonly prepare: () => Run | Promise<Run>
  /** Operations in one timed sample; enough that the clock does not matter. Default 1. */
  readonly batch?: number
}

/** An operation and those who do it; the first contender is ours. */
export interface TimedRow {
  readonly kind: 'time'
  readonly title: string
  readonly contenders: readonly Contender[]
  /** Our speed over the contender's at least this, by contender name. */
  readonly targets?: Readonly<Record<string, number>>
}

export interface Size {
  readonly name: string
  readonly bytes: number
}

/** Sizes, one value a contender; the first is ours. */
export interface SizeRow {
  readonly kind: 'bytes'
  readonly title: string
  readonly sizes: () => readonly Size[] | Promise<readonly Size[]>
  /** Ours at most this. */
  readonly target?: number
}

export type Row = TimedRow | SizeRow

/** What a file in `rows/` exports as `rows`. */
export type MakeRows = () => Promise<readonly Row[]>
