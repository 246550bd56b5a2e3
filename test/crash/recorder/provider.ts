import { createHash, randomBytes } from 'node:crypto'
import { openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { createNodeProvider as createUnrecorded } from '../../../packages/core/bindings/crypto-node/index.ts'
import type { CryptoProvider } from '../../../packages/core/src/crypto/index.ts'
import { recordFolderVariable, sealLine } from './seal-line.ts'

/** The Node provider; each seal's line is with the operating system before the seal is made, so that a kill keeps it. */
export async function createNodeProvider(): Promise<CryptoProvider> {
  const inner = await createUnrecorded()
  const folder = process.env[recordFolderVariable]
  if (folder === undefined) throw new Error(`${recordFolderVariable} names no folder`)
  const file = openSync(
    join(folder, `${Date.now()}-${process.pid}-${randomBytes(4).toString('hex')}.seals`),
    'ax',
  )
  const name = (...parts: readonly Uint8Array[]): string => {
    const hash = createHash('sha256')
    for (const part of parts) hash.update(part)
    return hash.digest('hex').slice(0, 32)
  }
  return {
    ...inner,
    seal: (key, nonce, plaintext, associated) => {
      const line = { pair: name(key, nonce), key: name(key), nonce: name(nonce), text: name(plaintext) }
      writeSync(file, sealLine(line))
      return inner.seal(key, nonce, plaintext, associated)
    },
  }
}
