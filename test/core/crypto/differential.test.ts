import { expect } from 'chai'
import fc from 'fast-check'
import type {
  CryptoProvider,
  DhPublicKey,
  KemCiphertext,
  KemPublicKey,
  SignPublicKey,
  Signature,
} from '../../../packages/core/src/crypto/index.ts'
import { providers } from '../../support/providers.ts'
import { hex } from '../../support/vectors.ts'

/** Ten thousand inputs in all; SOTTO_DIFFERENTIAL=20 runs twenty times as many. */
const scale = Number(process.env['SOTTO_DIFFERENTIAL'] ?? '1')

const exactly = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const upTo = (length: number) => fc.uint8Array({ maxLength: length })
const check = <T extends unknown[]>(numRuns: number, property: fc.IProperty<T>): void => {
  fc.assert(property, { numRuns: numRuns * scale })
}

type Answer = Uint8Array | boolean | undefined
const shown = (answer: Answer): string => (answer instanceof Uint8Array ? hex(answer) : String(answer))

/** Asks every provider and expects one answer. */
function agreed<T extends Answer>(ask: (crypto: CryptoProvider) => T): T {
  const answers = providers.map(ask)
  for (const [i, answer] of answers.entries())
    expect(shown(answer), providers[i]!.name).to.equal(shown(answers[0]))
  return answers[0] as T
}

/** The array with one bit turned, or as it is for undefined. */
const bent = <T extends Uint8Array>(bytes: T, at: number | undefined): T => {
  const copy = bytes.slice() as T
  if (at !== undefined) copy[(at >> 3) % copy.length]! ^= 1 << (at & 7)
  return copy
}
/** Mostly short, and on both sides of the length from which the Node provider changes its cipher. */
const texts = fc.oneof(
  { weight: 9, arbitrary: upTo(600) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 4070, maxLength: 9000 }) },
)
const anyBend = fc.option(fc.nat(1 << 20), { nil: undefined, freq: 1 })

describe('crypto providers, differential', function () {
  this.timeout(60_000 * Math.max(1, scale))

  it('SHA-256: 2,000 inputs', () => {
    check(
      1_950,
      fc.property(upTo(700), (data) => void agreed((crypto) => crypto.sha256(data))),
    )
    check(
      50,
      fc.property(exactly(70_000), (data) => void agreed((crypto) => crypto.sha256(data))),
    )
  })

  it('HMAC-SHA-256: 2,000 inputs, keys of any length', () => {
    const key = fc.oneof(exactly(32), upTo(200))
    check(
      2_000,
      fc.property(key, upTo(300), (k, data) => void agreed((crypto) => crypto.hmacSha256(k, data))),
    )
  })

  it('HMAC-SHA-256 of several inputs under one key: 500 lists, each as if alone', () => {
    check(
      500,
      fc.property(exactly(32), fc.array(upTo(300), { maxLength: 5 }), (k, inputs) => {
        const alone = inputs.map((data) => hex(providers[0]!.hmacSha256(k, data)))
        for (const crypto of providers) expect(crypto.hmacSha256Each(k, inputs).map(hex)).to.deep.equal(alone)
      }),
    )
  })

  it('XChaCha20-Poly1305: 2,000 inputs sealed, opened and opened with a bit turned', () => {
    check(
      2_000,
      fc.property(exactly(32), exactly(24), texts, upTo(100), fc.nat(1 << 20), (key, nonce, text, ad, at) => {
        const sealed = agreed((crypto) => crypto.seal(key, nonce, text, ad))
        expect(hex(agreed((crypto) => crypto.open(key, nonce, sealed, ad))!)).to.equal(hex(text))
        expect(agreed((crypto) => crypto.open(key, nonce, bent(sealed, at), ad))).to.equal(undefined)
        expect(agreed((crypto) => crypto.open(key, nonce, sealed, Uint8Array.of(...ad, 0)))).to.equal(
          undefined,
        )
      }),
    )
  })

  it('X25519: 1,000 inputs, remote keys real and random', () => {
    check(
      1_000,
      fc.property(exactly(32), exactly(32), fc.boolean(), (seed, other, real) => {
        agreed((crypto) => crypto.dhKeyPair(seed).publicKey)
        const remote = real ? providers[1]!.dhKeyPair(other).publicKey : (other as DhPublicKey)
        agreed((crypto) => crypto.dh(crypto.dhKeyPair(seed), remote))
      }),
    )
  })

  it('Ed25519: 1,500 signatures made, verified and bent', () => {
    check(
      1_500,
      fc.property(exactly(32), upTo(200), anyBend, anyBend, (seed, message, keyAt, signatureAt) => {
        const publicKey = agreed((crypto) => crypto.signKeyPair(seed).publicKey)
        const signature = agreed((crypto) => crypto.sign(crypto.signKeyPair(seed), message))
        const valid = agreed((crypto) =>
          crypto.verify(bent(publicKey, keyAt), message, bent(signature, signatureAt)),
        )
        expect(valid).to.equal(keyAt === undefined && signatureAt === undefined)
      }),
    )
  })

  it('Ed25519: 500 random keys and signatures', () => {
    const reduced = exactly(64).map((bytes) => bytes.with(63, bytes[63]! & 0x0f))
    check(
      500,
      fc.property(exactly(32), upTo(40), reduced, (key, message, signature) => {
        agreed((crypto) => crypto.verify(key as SignPublicKey, message, signature as Signature))
      }),
    )
  })

  it('ML-KEM-768: 1,000 keys, encapsulations and decapsulations', () => {
    check(
      1_000,
      fc.property(exactly(64), exactly(32), anyBend, anyBend, (seed, coins, keyAt, ciphertextAt) => {
        const publicKey = agreed((crypto) => crypto.kemKeyPair(seed).publicKey)
        const remote: KemPublicKey = bent(publicKey, keyAt)
        const ciphertext = agreed((crypto) => crypto.kemEncapsulate(remote, coins)?.ciphertext)
        const shared = agreed((crypto) => crypto.kemEncapsulate(remote, coins)?.sharedSecret)
        if (ciphertext === undefined) return
        const received: KemCiphertext = bent(ciphertext, ciphertextAt)
        const opened = agreed((crypto) => crypto.kemDecapsulate(crypto.kemKeyPair(seed), received))
        const untouched = keyAt === undefined && ciphertextAt === undefined
        expect(shown(opened) === shown(shared)).to.equal(untouched)
      }),
    )
  })

  it('Argon2id: 20 passwords and costs', () => {
    const cost = fc.record({
      memoryKiB: fc.integer({ min: 8, max: 96 }),
      passes: fc.integer({ min: 1, max: 4 }),
    })
    check(
      20,
      fc.property(upTo(80), exactly(16), cost, (password, salt, c) => {
        agreed((crypto) => crypto.argon2id(password, salt, c))
      }),
    )
  })
})
