/** One write of a batch. */
export type StoreOp =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array }

export interface StoreEntry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** Keys from `gte` to below `lt` in byte order. */
export interface StoreRange {
  readonly gte: Uint8Array
  readonly lt: Uint8Array
  readonly limit?: number
}

/**
 * An ordered byte store. What it holds is sealed by its caller. Failures are `PortError`s:
 * `E_STORE_FULL`, `E_STORE_IO`, `E_STORE_CORRUPT`, `E_STORE_LOCKED`, `E_STORE_CLOSED`.
 */
export interface Store {
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]>
  range(range: StoreRange): Promise<readonly StoreEntry[]>
  /** All or nothing, in the order of the calls. With `durable`, resolves only once a power cut cannot undo it. */
  batch(ops: readonly StoreOp[], options: { readonly durable: boolean }): Promise<void>
  /**
   * A small value kept outside the database (a file beside it, another database of the origin): the copy of
   * the write counter that names a truncated or rolled-back database. Not atomic with `batch`.
   */
  readMark(): Promise<Uint8Array | undefined>
  writeMark(value: Uint8Array): Promise<void>
  close(): Promise<void>
}
