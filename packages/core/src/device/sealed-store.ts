import type { CryptoProvider, Secret } from '../crypto/index.ts'
import type { Random, Store } from '../ports/index.ts'
import type { SealedStore } from './sealed-store-types.ts'
import { SealedRows } from './sealed-store-state.ts'
import { openState } from './sealed-store-open.ts'
import { Vault } from './sealed-store-vault.ts'

export type { Doubt } from './sealed-store-codec.ts'
export type {
  CommitOptions,
  Damage,
  DamageReason,
  Row,
  SealedStore,
  Table,
  Write,
} from './sealed-store-types.ts'

/** What `openSealedStore` needs. `key` is the 32-byte database key; it is not kept. */
export interface SealedStoreOptions {
  readonly crypto: CryptoProvider
  readonly store: Store
  readonly random: Random
  readonly key: Secret
  readonly nowMs: number
  /** Commits between two checkpoints; fewer make opening faster and committing dearer. */
  readonly checkpointEvery?: number
}

/**
 * Opens or creates the sealed store in `store` (docs/protocol/storage.md). PortErrors: `E_STORE_NEWER` when
 * a later version of Sotto wrote it, `E_STORE_KEY` when the key is another's, `E_STORE_CORRUPT` when neither
 * its head nor its journal can be read, and whatever the store below reports.
 */
export async function openSealedStore(options: SealedStoreOptions): Promise<SealedStore> {
  const { crypto, store, random, key, nowMs, checkpointEvery = 512 } = options
  const vault = new Vault(crypto, random, key)
  const found = await openState(store, vault)
  const rows = new SealedRows({ store, vault, found, checkpointEvery })
  await rows.start(nowMs)
  return rows
}
