/** What runs in the page: the Store suite over IndexedDB, one property at a time, and key wrapping. */
import {
  deleteIdbStore,
  idbStoreLeft,
  openIdbStore,
  unwrapKey,
  wrapKey,
} from '../../../packages/core/bindings/idb/index.ts'
import { createWasmProvider } from '../../../packages/core/bindings/crypto-wasm/index.ts'
import { Secret } from '../../../packages/core/src/crypto/index.ts'
import { openSealedStore, type SealedStore } from '../../../packages/core/src/device/sealed-store.ts'
import { utf8 } from '../../../packages/core/src/wire/index.ts'
import { storeChecks } from '../../support/store-compliance.ts'

const table = { name: 'planted-table', kind: 'mutable' } as const
const random = { bytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)) }

async function openSealed(name: string): Promise<SealedStore> {
  return openSealedStore({
    crypto: await createWasmProvider(),
    store: await openIdbStore(name),
    random,
    key: new Secret(new Uint8Array(32).fill(3)),
    nowMs: 1,
  })
}

/** Runs one property of the suite over a fresh database; undefined or what went wrong. */
async function check(index: number): Promise<string | undefined> {
  const name = `store-${index}`
  const store = await openIdbStore(name)
  try {
    await storeChecks[index]?.run({ store, reopen: () => openIdbStore(name), dispose: async () => undefined })
    return undefined
  } catch (error) {
    return error instanceof Error ? `${error.message}\n${error.stack ?? ''}` : String(error)
  } finally {
    await store.close()
    await deleteIdbStore(name)
  }
}

/** Commits durably until the tab dies; `progress` is told of each commit that returned. */
async function writeForever(name: string, progress: (done: number) => void): Promise<void> {
  const store = await openSealed(name)
  for (let i = 1; ; i++) {
    const writes = Array.from({ length: 5 }, (_, n) => ({
      table,
      key: utf8(`k${n}`),
      value: utf8(`planted ${i}`),
    }))
    await store.commit(writes, { durable: true })
    progress(i)
  }
}

/** What a store shows: its doubt and the distinct values of its rows. */
async function show(name: string): Promise<{ doubt: string | null; boot: number; values: string[] }> {
  const store = await openSealed(name)
  const rows = await store.list(table)
  const values = [...new Set(rows.map(({ value }) => new TextDecoder().decode(value)))]
  const { doubt, boot } = store
  await store.close()
  return { doubt, boot, values }
}

async function wrapping(): Promise<Record<string, unknown>> {
  const key = new Secret(new Uint8Array(32).fill(9))
  const wrapped = await wrapKey('home', key)
  const opened = await unwrapKey('home', wrapped)
  const flipped = wrapped.slice()
  flipped[20] = (flipped[20] ?? 0) ^ 1
  return {
    same: opened?.expose().join() === key.expose().join(),
    otherHome: await unwrapKey('other', wrapped),
    flipped: await unwrapKey('home', flipped),
    fresh: (await wrapKey('home', key)).join() !== wrapped.join(),
    plain: wrapped.join().includes(key.expose().join()),
  }
}

Object.assign(globalThis, {
  sotto: { check, writeForever, show, wrapping, idbStoreLeft, titles: storeChecks.map(({ title }) => title) },
})
