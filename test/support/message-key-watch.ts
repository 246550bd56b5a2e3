import type { CryptoProvider } from '../../packages/core/src/crypto/index.ts'
import { toHex } from '../../packages/core/src/wire/index.ts'
import { recordingProvider } from './recording-provider.ts'

/** A provider that knows message keys by their use: those seal with associated data, the keys of topics without. */
export interface MessageKeyWatch {
  readonly crypto: CryptoProvider
  readonly pairsReused: () => number
  /** Seals under a message key that had sealed before. */
  readonly keysReused: () => number
  readonly messageKeys: () => number
}

/** Watches every seal of an epoch world: pairs by the recorder. */
export function messageKeyWatch(inner: CryptoProvider): MessageKeyWatch {
  const recorder = recordingProvider(inner)
  const used = new Set<string>()
  let reused = 0
  const crypto: CryptoProvider = {
    ...recorder.crypto,
    seal: (key, nonce, plaintext, associated) => {
      if (associated.length > 0) {
        const name = toHex(key)
        if (used.has(name)) reused += 1
        used.add(name)
      }
      return recorder.crypto.seal(key, nonce, plaintext, associated)
    },
  }
  return {
    crypto,
    pairsReused: recorder.reused,
    keysReused: () => reused,
    messageKeys: () => used.size,
  }
}
