import { createCipheriv, createDecipheriv } from 'node:crypto'
import { sizes, type CryptoPrimitives } from '../../src/crypto/index.ts'

const cipher = 'chacha20-poly1305'
const options = { authTagLength: sizes.aeadTag } as const

/** The 12-byte nonce of the inner cipher: four zeros, then the end of the long nonce. */
function shortNonce(nonce: Uint8Array): Uint8Array {
  const short = new Uint8Array(12)
  short.set(nonce.subarray(16), 4)
  return short
}

/**
 * XChaCha20-Poly1305 for long texts: OpenSSL has ChaCha20-Poly1305 only, and the extended nonce is that
 * under a subkey (draft-irtf-cfrg-xchacha-03 §2.3), so one small step in wasm buys a native cipher.
 */
export const bulkCiphers = (
  subkey: (key: Uint8Array, nonce: Uint8Array) => Uint8Array,
): Pick<CryptoPrimitives, 'seal' | 'open'> => ({
  seal(key, nonce, plaintext, associated) {
    const native = createCipheriv(cipher, subkey(key, nonce.subarray(0, 16)), shortNonce(nonce), options)
    native.setAAD(associated, { plaintextLength: plaintext.length })
    const sealed = new Uint8Array(plaintext.length + sizes.aeadTag)
    sealed.set(native.update(plaintext))
    native.final()
    sealed.set(native.getAuthTag(), plaintext.length)
    return sealed
  },
  open(key, nonce, sealed, associated) {
    const length = sealed.length - sizes.aeadTag
    const native = createDecipheriv(cipher, subkey(key, nonce.subarray(0, 16)), shortNonce(nonce), options)
    native.setAAD(associated, { plaintextLength: length })
    native.setAuthTag(sealed.subarray(length))
    const plaintext = native.update(sealed.subarray(0, length))
    try {
      native.final()
    } catch {
      return undefined
    }
    return plaintext.buffer.byteLength === length
      ? new Uint8Array(plaintext.buffer)
      : Uint8Array.from(plaintext)
  },
})
