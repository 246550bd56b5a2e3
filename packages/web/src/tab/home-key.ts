import { PortError } from '@sotto/core'
import { Secret } from '@sotto/core/crypto'
import { idbStoreLeft, unwrapKey, wrapKey } from '@sotto/core/idb'
import type { Random } from '@sotto/core/ports'

const rows = 'home'
const keyBytes = 32

/**
 * The database key of this origin's device, made on first use and kept wrapped in the IndexedDB database
 * `<name>.home`. With `marked`, somebody remembers a device here: then a missing store or key is an evicted
 * one, and a PortError `E_STORE_EVICTED` says so instead of beginning a new device in silence.
 */
export async function homeKey(name: string, marked: boolean, random: Random): Promise<Secret> {
  const left = await idbStoreLeft(name)
  const wrapped = await readWrapped(name)
  const key = wrapped === undefined ? undefined : await unwrapKey(name, wrapped)
  if (left === 'whole' && key !== undefined) return key
  if (marked || left !== 'none') throw evicted()
  return key ?? makeKey(name, random)
}

const evicted = (): PortError =>
  new PortError('E_STORE_EVICTED', 'the browser deleted this device', { retryable: false })

async function makeKey(name: string, random: Random): Promise<Secret> {
  const key = new Secret(random.bytes(keyBytes))
  await writeWrapped(name, await wrapKey(name, key))
  return key
}

async function readWrapped(name: string): Promise<Uint8Array | undefined> {
  const db = await open(name)
  try {
    return await answered<Uint8Array | undefined>(db.transaction(rows).objectStore(rows).get('wrapped'))
  } finally {
    db.close()
  }
}

async function writeWrapped(name: string, wrapped: Uint8Array): Promise<void> {
  const db = await open(name)
  try {
    const transaction = db.transaction(rows, 'readwrite', { durability: 'strict' })
    const done = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve()
      transaction.onabort = () => reject(refused(transaction.error))
    })
    transaction.objectStore(rows).put(wrapped, 'wrapped')
    transaction.commit()
    await done
  } finally {
    db.close()
  }
}

function open(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(`${name}.home`, 1)
  request.onupgradeneeded = () => request.result.createObjectStore(rows)
  return answered(request)
}

function answered<T>(request: IDBRequest): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result as T)
    request.onerror = () => reject(refused(request.error))
  })
}

const refused = (cause: unknown): PortError =>
  new PortError('E_STORE_REFUSED', 'the browser does not let this page keep anything', {
    retryable: false,
    cause,
  })
