import { Secret } from '../../src/crypto/index.ts'
import { compact, completed, answered, openDatabase } from './idb-request.ts'

const keys = 'keys'
const nonceBytes = 12
const keyDatabase = (name: string): string => `${name}.key`

/**
 * Wraps a key under a WebCrypto AES-256-GCM key that cannot be exported and lies in the IndexedDB database
 * `<name>.key`, made on first use: `nonce ‖ ciphertext ‖ tag`. It keeps whoever copies the profile's files
 * from reading them; it does not keep a script of this origin from using the key.
 */
export async function wrapKey(name: string, key: Secret): Promise<Uint8Array> {
  const nonce = crypto.getRandomValues(new Uint8Array(nonceBytes))
  const wrapping = (await readWrappingKey(name)) ?? (await makeWrappingKey(name))
  const sealed = await crypto.subtle.encrypt(parameters(name, nonce), wrapping, compact(key.expose()))
  const out = new Uint8Array(nonceBytes + sealed.byteLength)
  out.set(nonce)
  out.set(new Uint8Array(sealed), nonceBytes)
  return out
}

/** Opens what `wrapKey` made; undefined when the wrapping key is gone or the bytes are not its work. */
export async function unwrapKey(name: string, wrapped: Uint8Array): Promise<Secret | undefined> {
  const wrapping = await readWrappingKey(name)
  if (wrapping === undefined || wrapped.length < nonceBytes) return undefined
  const nonce = compact(wrapped.slice(0, nonceBytes))
  try {
    const opened = await crypto.subtle.decrypt(parameters(name, nonce), wrapping, wrapped.slice(nonceBytes))
    return new Secret(new Uint8Array(opened))
  } catch {
    return undefined
  }
}

const parameters = (name: string, iv: Uint8Array<ArrayBuffer>): AesGcmParams => ({
  name: 'AES-GCM',
  iv,
  additionalData: new TextEncoder().encode(`sotto key ${name}`),
})

async function readWrappingKey(name: string): Promise<CryptoKey | undefined> {
  const db = await openDatabase(keyDatabase(name), keys)
  try {
    return await answered<CryptoKey | undefined>(db.transaction(keys).objectStore(keys).get('wrapping'))
  } finally {
    db.close()
  }
}

async function makeWrappingKey(name: string): Promise<CryptoKey> {
  const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
  const db = await openDatabase(keyDatabase(name), keys)
  try {
    const transaction = db.transaction(keys, 'readwrite', { durability: 'strict' })
    transaction.objectStore(keys).put(key, 'wrapping')
    transaction.commit()
    await completed(transaction)
    return key
  } finally {
    db.close()
  }
}
