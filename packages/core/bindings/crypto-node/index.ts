import { createProvider, type CryptoProvider } from '../../src/crypto/index.ts'
import { wasmPrimitives } from '../crypto-wasm/primitives.ts'
import { loadSodium } from '../crypto-wasm/sodium.ts'
import { addonCurves } from './addon.ts'
import { bulkCiphers } from './bulk.ts'
import { nativePrimitives } from './native.ts'

/** Up to this many bytes the wasm hash wins: a native call costs more than it saves. Measured by `bench:crypto`. */
const wasmHashBytes = 256

/** From this many bytes on the native cipher wins over wasm, extended nonce included. */
const bulkBytes = 4096

/** Whether the optional add-on does the curves where it is installed; true unless said. */
export interface NodeProviderOptions {
  readonly addon?: boolean
}

/**
 * The provider of desktop, server and tests: node:crypto for X25519, Ed25519, long SHA-256 and long texts,
 * libsodium's wasm for the rest. Where sodium-native is installed, the curves are its.
 */
export async function createNodeProvider({
  addon = true,
}: NodeProviderOptions = {}): Promise<CryptoProvider> {
  const wasm = wasmPrimitives(await loadSodium())
  const native = nativePrimitives()
  const curves = addon ? await addonCurves() : undefined
  const bulk = bulkCiphers((key, nonce) => wasm.subkey(key, nonce))
  return createProvider({
    ...wasm,
    ...native,
    ...curves,
    name: curves === undefined ? 'node' : 'node-sodium',
    sha256: (data) => (data.length <= wasmHashBytes ? wasm : native).sha256(data),
    seal: (key, nonce, plaintext, associated) =>
      (plaintext.length < bulkBytes ? wasm : bulk).seal(key, nonce, plaintext, associated),
    open: (key, nonce, sealed, associated) =>
      (sealed.length < bulkBytes ? wasm : bulk).open(key, nonce, sealed, associated),
  })
}
