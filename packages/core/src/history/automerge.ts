import type * as Automerge from '@automerge/automerge/slim'
import { UsageError } from '../errors.ts'
import { compareBytes, fromHex, toHex } from '../wire/index.ts'

/**
 * The only file that knows Automerge. It is given changes this replica computed and files this replica saved,
 * never a byte a peer chose; its sync, merge and incremental loading are not even named here.
 */

/** Makes documents; one for a process. */
export interface Crdt {
  readonly empty: () => CrdtDocument
  /** Loads what `save` gave; undefined when the bytes are damaged. */
  readonly load: (saved: Uint8Array) => CrdtDocument | undefined
}

/** A document in the library's memory, until `free`. */
export interface CrdtDocument {
  /** Applies computed changes, each after those it depends on. */
  readonly apply: (changes: readonly Uint8Array[]) => void
  /** Every change, each after those it depends on. */
  readonly changes: () => readonly Uint8Array[]
  /** Hashes of the changes none other depends on, sorted. */
  readonly heads: () => readonly Uint8Array[]
  readonly save: () => Uint8Array
  /**
   * The change that `edit` makes by `actor` (16 bytes) to the document as it was at `heads`. The document itself
   * stays as it is: the change is a function of those heads, the actor and the edit. An edit that does nothing,
   * or throws, gives a change without effect.
   */
  readonly changeAt: (
    heads: readonly Uint8Array[],
    actor: Uint8Array,
    edit: (draft: CrdtDraft) => void,
  ) => Uint8Array
  readonly read: CrdtReader
  readonly free: () => void
}

/** What a path holds; maps and lists by their own functions. */
export type CrdtScalar = string | Uint8Array | number

/** Reading by paths such as `/pins`. Where writers disagreed, `all` gives every value that stands. */
export interface CrdtReader {
  readonly text: (path: string) => string
  readonly keys: (path: string) => readonly string[]
  readonly all: (path: string, key: string) => readonly CrdtScalar[]
}

/** Edits within one change. */
export interface CrdtDraft extends CrdtReader {
  readonly makeMap: (key: string) => void
  readonly makeText: (key: string) => void
  readonly put: (path: string, key: string, value: CrdtScalar) => void
  readonly remove: (path: string, key: string) => void
  /** At a UTF-16 index of the text. */
  readonly splice: (path: string, at: number, remove: number, insert: string) => void
}

type Library = typeof Automerge
type Handle = ReturnType<Library['getBackend']>

/**
 * Loads the library and starts it with its `automerge.wasm` (3.6 MB). Nothing else of it is loaded before, so
 * that a process which shows its last page first does not pay for it.
 *
 * @throws UsageError `E_CRDT_WASM` when the bytes are not that file
 */
export async function initCrdt(wasm: Uint8Array): Promise<Crdt> {
  const library: Library = await import('@automerge/automerge/slim')
  try {
    if (!library.isWasmInitialized()) await library.initializeWasm(wasm)
  } catch (cause) {
    throw new UsageError('E_CRDT_WASM', 'These bytes are not the WebAssembly file of the document library.', {
      cause,
    })
  }
  return {
    empty: () => documentOf(library.getBackend(library.init())),
    load: (saved) => {
      try {
        return documentOf(library.getBackend(library.load(saved)))
      } catch {
        return undefined
      }
    },
  }
}

const documentOf = (handle: Handle): CrdtDocument => ({
  apply: (changes) => handle.applyChanges([...changes]),
  changes: () => handle.getChanges([]),
  heads: () => handle.getHeads().map(fromHex).sort(compareBytes),
  save: () => handle.save(),
  changeAt: (heads, actor, edit) => {
    const fork = handle.fork(toHex(actor), heads.map(toHex))
    try {
      return changeOf(fork, edit)
    } finally {
      fork.free()
    }
  },
  read: readerOf(handle),
  free: () => handle.free(),
})

function changeOf(fork: Handle, edit: (draft: CrdtDraft) => void): Uint8Array {
  try {
    edit(draftOf(fork))
  } catch {
    fork.rollback()
  }
  if (fork.pendingOps() > 0) fork.commit(null, 0)
  else fork.emptyChange(null, 0)
  return fork.getLastLocalChange() ?? new Uint8Array(0)
}

const readerOf = (handle: Handle): CrdtReader => ({
  text: (path) => handle.text(path),
  keys: (path) => handle.keys(path),
  all: (path, key) => handle.getAll(path, key).flatMap(([, value]) => scalarOf(value)),
})

/** The library gives whole numbers as `bigint`. */
function scalarOf(value: unknown): readonly CrdtScalar[] {
  if (typeof value === 'bigint') return [Number(value)]
  return typeof value === 'string' || typeof value === 'number' || value instanceof Uint8Array ? [value] : []
}

const draftOf = (fork: Handle): CrdtDraft => ({
  ...readerOf(fork),
  makeMap: (key) => void fork.putObject('_root', key, {}),
  makeText: (key) => void fork.putObject('_root', key, ''),
  put: (path, key, value) => fork.put(path, key, value, typeof value === 'number' ? 'uint' : undefined),
  remove: (path, key) => fork.delete(path, key),
  splice: (path, at, remove, insert) => fork.splice(path, at, remove, insert),
})
