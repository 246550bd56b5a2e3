/** The three CryptoProviders, made once: every one must give the same answer to every input. */
import { createNodeProvider } from '../../packages/core/bindings/crypto-node/index.ts'
import { createWasmProvider } from '../../packages/core/bindings/crypto-wasm/index.ts'
import { nobleProvider, type CryptoProvider } from '../../packages/core/src/crypto/index.ts'

export const providers: readonly CryptoProvider[] = [
  nobleProvider(),
  await createNodeProvider(),
  await createWasmProvider(),
]
