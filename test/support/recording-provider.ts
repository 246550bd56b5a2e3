import type { CryptoProvider } from '../../packages/core/src/crypto/index.ts'
import { toHex } from '../../packages/core/src/wire/index.ts'

/** A provider that writes down every (key, nonce) it seals under, and counts the pairs used twice. */
export interface RecordingProvider {
  readonly crypto: CryptoProvider
  readonly reused: () => number
  readonly sealed: () => number
  /** Calls of `open` and of HMAC since the last `resetWork`. */
  readonly work: () => number
  readonly resetWork: () => void
}

/** Wraps a provider with a recorder that looks before anything is sealed. */
export function recordingProvider(inner: CryptoProvider): RecordingProvider {
  const seen = new Set<string>()
  let reused = 0
  let work = 0
  const crypto: CryptoProvider = {
    ...inner,
    seal: (key, nonce, plaintext, associated) => {
      const pair = `${toHex(key)}/${toHex(nonce)}`
      if (seen.has(pair)) reused += 1
      seen.add(pair)
      return inner.seal(key, nonce, plaintext, associated)
    },
    open: (key, nonce, sealed, associated) => {
      work += 1
      return inner.open(key, nonce, sealed, associated)
    },
    hmacSha256: (key, data) => {
      work += 1
      return inner.hmacSha256(key, data)
    },
    hmacSha256Each: (key, inputs) => {
      work += inputs.length
      return inner.hmacSha256Each(key, inputs)
    },
  }
  return {
    crypto,
    reused: () => reused,
    sealed: () => seen.size,
    work: () => work,
    resetWork: () => {
      work = 0
    },
  }
}
