/** The answer of a request, or its error thrown. `T` is what the caller knows to have put there. */
export const answered = <T>(request: IDBRequest): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result as T)
    request.onerror = () => reject(request.error ?? new Error('IndexedDB request failed'))
  })

/** Resolves when a transaction is complete, on the disk if its durability is strict. */
export const completed = (transaction: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error ?? new Error('IndexedDB transaction aborted'))
  })

/** Opens a database with one object store, creating both. Another tab that deletes it closes this handle. */
export function openDatabase(name: string, objectStore: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1)
  request.onupgradeneeded = () => {
    request.result.createObjectStore(objectStore)
  }
  return answered<IDBDatabase>(request).then((db) => {
    db.onversionchange = () => db.close()
    return db
  })
}

/** A value whose buffer holds nothing else: a structured clone would copy all of it. */
export const compact = (value: Uint8Array): Uint8Array<ArrayBuffer> =>
  value.byteLength === value.buffer.byteLength && value.buffer instanceof ArrayBuffer
    ? (value as Uint8Array<ArrayBuffer>)
    : value.slice()
