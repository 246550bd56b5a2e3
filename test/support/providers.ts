/**
 * The CryptoProviders, made once: every one must give the same answer to every input. Where the add-on is installed,
 * the Node provider is there with it and without.
 */
import { createNodeProvider } from '../../packages/core/bindings/crypto-node/index.ts'
import { createWasmProvider } from '../../packages/core/bindings/crypto-wasm/index.ts'
import { nobleProvider, type CryptoProvider } from '../../packages/core/src/crypto/index.ts'

const plain = await createNodeProvider({ addon: false })
const usual = await createNodeProvider()

export const providers: readonly CryptoProvider[] = [
  nobleProvider(),
  plain,
  await createWasmProvider(),
  ...(usual.name === plain.name ? [] : [usual]),
]
