/** Runs in a module worker of the page: the browser provider against noble, and the edge cases. */
import { createWasmProvider } from '../../../../packages/core/bindings/crypto-wasm/index.ts'
import {
  nobleProvider,
  type CryptoProvider,
  type SignPublicKey,
  type Signature,
} from '../../../../packages/core/src/crypto/index.ts'
import { concat } from '../../../../packages/core/src/wire/index.ts'

export interface EdgeCase {
  readonly id: number
  readonly publicKey: string
  readonly message: string
  readonly signature: string
  readonly valid: boolean
}

/** What the page hands back: how many questions were asked, and which were answered wrongly. */
export interface Report {
  readonly asked: number
  readonly wrong: readonly string[]
}

const bytes = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16))
const text = (value: Uint8Array | boolean | undefined): string =>
  value instanceof Uint8Array ? value.join() : String(value)
const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length))

function edges(provider: CryptoProvider, cases: readonly EdgeCase[]): Report {
  const wrong = cases.filter(
    ({ publicKey, message, signature, valid }) =>
      provider.verify(bytes(publicKey) as SignPublicKey, bytes(message), bytes(signature) as Signature) !==
      valid,
  )
  return { asked: cases.length, wrong: wrong.map(({ id }) => `edge ${id}`) }
}

type Question = [name: string, ask: (provider: CryptoProvider) => Uint8Array | boolean | undefined]

function questions(round: number): Question[] {
  const [seed, other, nonce, kemSeed, data] = [
    random(32),
    random(32),
    random(24),
    random(64),
    random(round * 7),
  ]
  const oracle = nobleProvider()
  const remote = oracle.dhKeyPair(other).publicKey
  const signature = oracle.sign(oracle.signKeyPair(seed), data)
  const sealed = oracle.seal(seed, nonce, data, other)
  const kemPublic = oracle.kemKeyPair(kemSeed).publicKey
  const ciphertext = oracle.kemEncapsulate(kemPublic, seed)?.ciphertext
  return [
    ['sha256', (p) => p.sha256(data)],
    ['hmac', (p) => p.hmacSha256(seed, data)],
    ['hmac, other key', (p) => p.hmacSha256(data, seed)],
    ['hmac, each', (p) => concat(...p.hmacSha256Each(seed, [data, other, nonce]))],
    ['seal', (p) => p.seal(seed, nonce, data, other)],
    ['open', (p) => p.open(seed, nonce, sealed, other)],
    ['open, other ad', (p) => p.open(seed, nonce, sealed, nonce)],
    ['x25519 public', (p) => p.dhKeyPair(seed).publicKey],
    ['x25519', (p) => p.dh(p.dhKeyPair(seed), remote)],
    ['ed25519 public', (p) => p.signKeyPair(seed).publicKey],
    ['ed25519 sign', (p) => p.sign(p.signKeyPair(seed), data)],
    ['ed25519 verify', (p) => p.verify(p.signKeyPair(seed).publicKey, data, signature)],
    ['ed25519 refuse', (p) => p.verify(p.signKeyPair(other).publicKey, data, signature)],
    ['ml-kem public', (p) => p.kemKeyPair(kemSeed).publicKey],
    ['ml-kem ciphertext', (p) => p.kemEncapsulate(kemPublic, seed)?.ciphertext],
    ['ml-kem secret', (p) => p.kemEncapsulate(kemPublic, seed)?.sharedSecret],
    ['ml-kem open', (p) => ciphertext && p.kemDecapsulate(p.kemKeyPair(kemSeed), ciphertext)],
  ]
}

function differential(provider: CryptoProvider, rounds: number): Report {
  const oracle = nobleProvider()
  const all = Array.from({ length: rounds }, (_, round) => questions(round)).flat()
  all.push(['argon2id', (p) => p.argon2id(random(0), new Uint8Array(16), { memoryKiB: 64, passes: 1 })])
  const wrong = all.filter(([, ask]) => text(ask(provider)) !== text(ask(oracle)))
  return { asked: all.length, wrong: wrong.map(([name]) => name) }
}

self.onmessage = async ({ data }: MessageEvent<{ cases: readonly EdgeCase[]; rounds: number }>) => {
  const provider = await createWasmProvider()
  self.postMessage([edges(provider, data.cases), differential(provider, data.rounds)])
}
