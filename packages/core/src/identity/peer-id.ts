import type { SignPublicKey } from '../crypto/index.ts'
import { concat, toBase58 } from '../wire/index.ts'

/** Multihash "identity" of 36 bytes, and the libp2p key message of an Ed25519 key: type 1, 32 bytes of data. */
const prefix = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)

/** PeerId text of a transport key, as libp2p writes it (libp2p specs, peer-ids: Ed25519 keys are inlined). */
export const peerIdOf = (transportKey: SignPublicKey): string => toBase58(concat(prefix, transportKey))
