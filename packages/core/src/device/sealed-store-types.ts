import { PortError } from '../errors.ts'
import type { Doubt } from './sealed-store-codec.ts'

/**
 * A table of the device. Rows of an 'append' table are written once and never changed, though they may be
 * deleted; writing one a second time makes its count wrong, which `list` then reports. Every version of a
 * 'mutable' row is told from every other, so an older one is never believed.
 */
export interface Table {
  /** A literal; it appears in errors and logs, never on the disk. */
  readonly name: string
  readonly kind: 'mutable' | 'append'
}

/** A row as its owner knows it. */
export interface Row {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** One change of a commit; `value: null` deletes. Of two writes to one key the later counts. */
export interface Write {
  readonly table: Table
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}

/**
 * Why a row cannot be had: it does not authenticate ('corrupt'), the manifest names it but it is gone
 * ('missing'), it is an older version ('stale'), it lies there though it was deleted or never written by
 * this history ('unlisted'), or the page of the manifest that would tell is unreadable ('unvouched').
 */
export type DamageReason = 'corrupt' | 'missing' | 'stale' | 'unlisted' | 'unvouched'

/** Rows found damaged since opening; `table` may also be 'journal'. Safe to log. */
export interface Damage {
  readonly table: string
  readonly reason: DamageReason
  readonly rows: number
}

/** How a commit is to be written. */
export interface CommitOptions {
  /** Resolve only once a power cut cannot undo it. */
  readonly durable: boolean
  /** This commit deals with what `doubt` said; the next opening no longer repeats it. */
  readonly settlesDoubt?: boolean
}

/** The device's view of its store: logical tables, every value sealed, every loss or step back noticed. */
export interface SealedStore {
  /** Throws PortError `E_STORE_CORRUPT` when the row is damaged, missing though written, or an older version. */
  get(table: Table, key: Uint8Array): Promise<Uint8Array | undefined>
  /** As `get`, but a damaged row is named in its place and noted in `damaged`. */
  getMany(table: Table, keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined | 'damaged')[]>
  /**
   * Every row of a table, in no meaningful but a stable order. Throws PortError `E_STORE_CORRUPT` when a
   * row is damaged or missing; with `skipDamaged` the rest is returned and the damage noted in `damaged`.
   */
  list(table: Table, options?: { readonly skipDamaged?: boolean }): Promise<readonly Row[]>
  /** How many rows an append table has according to the journal, without reading them. */
  count(table: Table): number
  /**
   * Writes everything or nothing, as one batch. After `E_STORE_FULL` nothing has changed and the caller may
   * try again; after any other failure every further commit is refused until the store is opened anew.
   */
  commit(writes: readonly Write[], options: CommitOptions): Promise<void>
  /** Grows with every commit and never repeats, not even after a rollback that the mark reveals. */
  readonly generation: number
  /** One more than at the last opening; on the disk before `openSealedStore` returns. */
  readonly boot: number
  /** Wall time of the previous opening, undefined for a new store. */
  readonly previousOpenMs: number | undefined
  /** What opening found; stays until a commit settles it, over any number of openings. */
  readonly doubt: Doubt
  readonly damaged: readonly Damage[]
  /** Leaves the mark of an orderly close and closes the store below. */
  close(): Promise<void>
}

/** The error for rows that cannot be had. */
export const corrupt = (table: string, reason: DamageReason, rows = 1): PortError =>
  new PortError('E_STORE_CORRUPT', `The store lost or damaged rows of the table ${table}.`, {
    hint: 'Restore a backup, or link this device again.',
    detail: { table, reason, rows },
  })
