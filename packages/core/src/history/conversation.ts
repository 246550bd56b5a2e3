import { idOf } from '../crypto/index.ts'
import type { CryptoProvider } from '../crypto/index.ts'
import { compareBytes, encodeCbor } from '../wire/index.ts'

/** Id of the direct conversation of two accounts: the same for both, without anybody's first word. */
export function directConversationId(crypto: CryptoProvider, a: Uint8Array, b: Uint8Array): Uint8Array {
  const [lower, higher] = compareBytes(a, b) <= 0 ? [a, b] : [b, a]
  return idOf(crypto, 'direct', encodeCbor([lower, higher]))
}

/** Id of the n-th segment of a conversation, n from 0. */
export const segmentId = (crypto: CryptoProvider, conversation: Uint8Array, n: number): Uint8Array =>
  idOf(crypto, 'seg', encodeCbor([conversation, n]))
