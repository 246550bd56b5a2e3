import type { Store } from '../../src/ports/index.ts'
import { asStore } from '../level/level-errors.ts'
import { asBytes, createLevelStore, type MarkFile } from '../level/level-store.ts'
import { IdbLevel } from './idb-level.ts'
import { answered, compact, completed, openDatabase } from './idb-request.ts'

const markDatabase = (name: string): string => `${name}.mark`
const marks = 'marks'

/**
 * Opens or creates a store in the IndexedDB database `name`; its mark lies in a second database,
 * `<name>.mark`. Only one tab may do so at a time, which the caller's Web Lock ensures.
 */
export async function openIdbStore(name: string): Promise<Store> {
  return asStore(async () => {
    const db = new IdbLevel(name, asBytes)
    await db.open()
    return createLevelStore(db, { markFile: markIn(await openDatabase(markDatabase(name), marks)) })
  })
}

function markIn(db: IDBDatabase): MarkFile {
  return {
    read: () => answered<Uint8Array | undefined>(db.transaction(marks).objectStore(marks).get('mark')),
    write: (value) => {
      const transaction = db.transaction(marks, 'readwrite', { durability: 'relaxed' })
      transaction.objectStore(marks).put(compact(value), 'mark')
      transaction.commit()
      return completed(transaction)
    },
    close: async () => db.close(),
  }
}

/**
 * What of a store the origin still has. A browser may evict everything of an origin: whoever keeps a note
 * outside IndexedDB that a store was made, and finds 'none' here, has lost a device and must not make a new
 * account in silence. 'mark-only': the rows are gone, the mark is not; opening then says `wiped`.
 */
export async function idbStoreLeft(name: string): Promise<'whole' | 'mark-only' | 'none'> {
  const names = new Set((await indexedDB.databases()).map((database) => database.name))
  if (names.has(name)) return 'whole'
  return names.has(markDatabase(name)) ? 'mark-only' : 'none'
}

/** Deletes a store and its mark, for a person who removes this device. Open handles close. */
export async function deleteIdbStore(name: string): Promise<void> {
  await asStore(async () => {
    await answered(indexedDB.deleteDatabase(name))
    await answered(indexedDB.deleteDatabase(markDatabase(name)))
  })
}
