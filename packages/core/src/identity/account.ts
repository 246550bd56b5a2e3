import type { Secret } from '../crypto/index.ts'
import {
  idOf,
  kdf,
  noSalt,
  sizes,
  type CryptoProvider,
  type DhKeyPair,
  type KemKeyPair,
  type SignKeyPair,
  type SignPublicKey,
} from '../crypto/index.ts'
import { UsageError } from '../errors.ts'
import { bytes, fields, frame, literal, uint, type Infer } from '../wire/index.ts'
import type { AccountId } from './ids.ts'

/** The suite of this version: Ed25519, X25519 + ML-KEM-768, XChaCha20-Poly1305, SHA-256. */
export const suite = 1

const genesisShape = fields({
  version: literal(1),
  suite: uint(255),
  recoveryPublic: bytes<SignPublicKey>(sizes.signPublic),
  nonce: bytes(sizes.seed),
})

/** What an account begins with: `[1, suite, recovery public key, nonce32]` (docs/protocol/identity.md §2). */
export type Genesis = Infer<typeof genesisShape>

/** The genesis on the wire. */
export const genesisFrame = frame('genesis', genesisShape, 128)

/** An account: its id and the genesis that the id is the hash of, with the exact bytes. */
export interface Account {
  readonly id: AccountId
  readonly genesis: Genesis
  readonly bytes: Uint8Array
}

/** Reads a genesis; undefined when the bytes are none. Whoever knows the account id compares it with `id`. */
export function readGenesis(crypto: CryptoProvider, input: Uint8Array): Account | undefined {
  const decoded = genesisFrame.decode(input)
  if (!decoded.ok) return undefined
  return { id: idOf(crypto, 'account', input) as AccountId, genesis: decoded.value, bytes: input }
}

/** Begins an account under a recovery key. `nonce` is 32 fresh random bytes. */
export function createAccount(
  crypto: CryptoProvider,
  recoveryPublic: SignPublicKey,
  nonce: Uint8Array,
): Account {
  if (nonce.length !== sizes.seed) throw new UsageError('E_LENGTH', 'an account nonce has 32 bytes')
  const genesis: Genesis = { version: 1, suite, recoveryPublic, nonce }
  const encoded = genesisFrame.encode(genesis)
  return { id: idOf(crypto, 'account', encoded) as AccountId, genesis, bytes: encoded }
}

/**
 * What the recovery key (32 random bytes, shown as 24 words) yields: the key that signs recovery operations
 * and the two halves a backup is sealed to. Each comes from the KDF under a purpose of its own.
 */
export interface RecoveryKeys {
  readonly sign: SignKeyPair
  readonly backupDh: DhKeyPair
  readonly backupKem: KemKeyPair
}

/** Derives the recovery keys; the caller wipes `secret` and the results once the words are confirmed. */
export function recoveryKeys(crypto: CryptoProvider, secret: Secret): RecoveryKeys {
  if (secret.length !== sizes.seed) throw new UsageError('E_LENGTH', 'a recovery key has 32 bytes')
  const derive = (purpose: string, length: number): Uint8Array =>
    kdf(crypto, noSalt, secret.expose(), purpose, [], length)
  return {
    sign: crypto.signKeyPair(derive('recovery-sign', sizes.seed)),
    backupDh: crypto.dhKeyPair(derive('recovery-backup-dh', sizes.seed)),
    backupKem: crypto.kemKeyPair(derive('recovery-backup-kem', sizes.kemSeed)),
  }
}
