import { createProvider, type CryptoProvider } from '../../src/crypto/index.ts'
import { wasmPrimitives } from './primitives.ts'
import { loadSodium } from './sodium.ts'

/** The provider of a browser tab: libsodium's wasm for everything, synchronous once this resolves. */
export const createWasmProvider = async (): Promise<CryptoProvider> =>
  createProvider(wasmPrimitives(await loadSodium()))
