import { createNodeProvider } from '../../../packages/core/bindings/crypto-node/index.ts'
import {
  decodeWords,
  encodeWords,
  nobleProvider,
  pad,
  signAs,
  unpad,
  verifyAs,
  blindPublic,
  type SignPublicKey,
  type Signature,
} from '../../../packages/core/src/crypto/index.ts'
import { concat } from '../../../packages/core/src/wire/index.ts'
import { bytesOfText, sameBytes, textOfBytes } from '../checks.ts'
import type { FuzzTarget } from '../driver.ts'

const node = await createNodeProvider()
const noble = nobleProvider()
const own = node.signKeyPair(new Uint8Array(32).fill(1))
const context = new Uint8Array(32)
const message = bytesOfText('message')
const signature = signAs(node, own, 'fuzz', context, message)
const key = new Uint8Array(32).fill(2)
const nonce = new Uint8Array(24).fill(3)
const kem = node.kemKeyPair(new Uint8Array(64).fill(4))

/** Two providers must answer alike, or two devices would see two histories. */
function agree<T>(a: T, b: T): T {
  if (JSON.stringify(a) !== JSON.stringify(b))
    throw new Error(`node says ${String(a)}, noble says ${String(b)}`)
  return a
}

export const targets: readonly FuzzTarget[] = [
  {
    name: 'crypto/verify, two providers',
    seeds: [concat(own.publicKey, signature)],
    weight: 100,
    run: (input) => {
      const publicKey = input.slice(0, 32) as SignPublicKey
      const signed = input.slice(32) as Signature
      const says = (provider: typeof node): boolean =>
        verifyAs(provider, publicKey, 'fuzz', context, message, signed)
      return agree(says(node), says(noble))
    },
  },
  {
    name: 'crypto/open, two providers',
    seeds: [node.seal(key, nonce, message, context), node.seal(key, nonce, new Uint8Array(0), context)],
    weight: 5,
    run: (input) => {
      const opened = (provider: typeof node): Uint8Array | undefined =>
        provider.open(key, nonce, input, context)
      return agree(opened(node), opened(noble)) !== undefined
    },
  },
  {
    name: 'crypto/dh, two providers',
    seeds: [node.dhKeyPair(key).publicKey],
    weight: 100,
    run: (input) => {
      const dh = (provider: typeof node): Uint8Array | undefined =>
        provider.dh(provider.dhKeyPair(new Uint8Array(32).fill(5)), input as never)
      return agree(dh(node), dh(noble)) !== undefined
    },
  },
  {
    name: 'crypto/kem encapsulate',
    seeds: [kem.publicKey],
    weight: 100,
    run: (input) => node.kemEncapsulate(input as never, new Uint8Array(32)) !== undefined,
  },
  {
    name: 'crypto/kem decapsulate',
    seeds: [node.kemEncapsulate(kem.publicKey, new Uint8Array(32))?.ciphertext ?? new Uint8Array(1088)],
    weight: 100,
    run: (input) => node.kemDecapsulate(kem, input as never) !== undefined,
  },
  {
    name: 'crypto/blinded key',
    seeds: [own.publicKey],
    weight: 50,
    run: (input) => blindPublic(input as SignPublicKey, key, context) !== undefined,
  },
  {
    name: 'crypto/padding',
    seeds: [pad(message), pad(new Uint8Array(3_000))],
    run: (input) => {
      const plain = unpad(input)
      return plain !== undefined && sameBytes(pad(plain), input)
    },
  },
  {
    name: 'crypto/recovery words',
    seeds: [bytesOfText(encodeWords(key).join(' '))],
    weight: 5,
    run: (input) => {
      const typed = textOfBytes(input)
      const decoded = decodeWords(typed)
      if (!decoded.ok) return false
      const folded = typed.toLowerCase().trim().split(/\s+/).join(' ')
      return sameBytes(bytesOfText(encodeWords(decoded.value).join(' ')), bytesOfText(folded))
    },
  },
]
