import { deleteIdbStore } from '@sotto/core/idb'
import { storeName } from './control.ts'

/** Deletes every database of the origin's device: rows, mark, wrapped key, wrapping key. */
export async function forgetDevice(): Promise<void> {
  await deleteIdbStore(storeName)
  await Promise.all([`${storeName}.key`, `${storeName}.home`].map(deleteDatabase))
}

function deleteDatabase(name: string): Promise<void> {
  return new Promise((resolve) => {
    const request = indexedDB.deleteDatabase(name)
    request.onsuccess = () => resolve()
    request.onerror = () => resolve()
  })
}
