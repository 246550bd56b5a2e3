import { createProvider, type CryptoProvider } from '../../src/crypto/index.ts'
import { wasmPrimitives } from '../crypto-wasm/primitives.ts'
import { loadSodium } from '../crypto-wasm/sodium.ts'
import { nativePrimitives } from './native.ts'

/** Up to this many bytes the wasm hash wins: a native call costs more than it saves. Measured by `bench:crypto`. */
const wasmHashBytes = 256

/**
 * The provider of desktop, server and tests: node:crypto for X25519, Ed25519 and long SHA-256, libsodium's
 * wasm for the rest. No native add-on.
 */
export async function createNodeProvider(): Promise<CryptoProvider> {
  const wasm = wasmPrimitives(await loadSodium())
  const native = nativePrimitives()
  return createProvider({
    ...wasm,
    ...native,
    name: 'node',
    sha256: (data) => (data.length <= wasmHashBytes ? wasm.sha256(data) : native.sha256(data)),
  })
}
