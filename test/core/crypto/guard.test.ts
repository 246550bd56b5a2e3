import { expect } from 'chai'
import {
  Secret,
  type CryptoProvider,
  type DhKeyPair,
  type KemCiphertext,
  type KemKeyPair,
  type KemPublicKey,
  type SignKeyPair,
} from '../../../packages/core/src/crypto/index.ts'
import { UsageError } from '../../../packages/core/src/errors.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { providers } from '../../support/providers.ts'
import { hex } from '../../support/vectors.ts'

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i)

function expectUsage(code: string, act: () => unknown): void {
  try {
    act()
  } catch (error) {
    expect(error).to.be.instanceOf(UsageError)
    expect((error as UsageError).code).to.equal(code)
    return
  }
  expect.fail(`no ${code}`)
}

function describeProvider(crypto: CryptoProvider): void {
  it('throws UsageError for own arguments of a wrong length', () => {
    const [key, nonce, empty] = [bytes(32), bytes(24), bytes(0)]
    const wrong: (() => unknown)[] = [
      () => crypto.seal(bytes(31), nonce, empty, empty),
      () => crypto.seal(key, bytes(12), empty, empty),
      () => crypto.open(bytes(33), nonce, bytes(16), empty),
      () => crypto.dhKeyPair(bytes(31)),
      () => crypto.signKeyPair(bytes(64)),
      () => crypto.kemKeyPair(bytes(32)),
      () => crypto.kemEncapsulate(crypto.kemKeyPair(bytes(64)).publicKey, bytes(31)),
      () => crypto.argon2id(empty, bytes(15), { memoryKiB: 8, passes: 1 }),
      () => crypto.sign({ ...crypto.signKeyPair(key), secret: new Secret(bytes(64)) }, empty),
      () => crypto.hmacSha256Each(bytes(33), [empty]),
    ]
    for (const act of wrong) expectUsage('E_LENGTH', act)
  })

  it('holds the Argon2id cost to its bounds', () => {
    const ask = (memoryKiB: number, passes: number) => () =>
      crypto.argon2id(bytes(0), bytes(16), { memoryKiB, passes })
    expect(ask(8, 1)().length).to.equal(32)
    for (const [memoryKiB, passes] of [
      [7, 1],
      [8, 0],
      [8.5, 1],
      [Number.NaN, 1],
      [limits.passwordMaxKiB + 1, 1],
      [8, limits.passwordMaxPasses + 1],
    ] as const)
      expectUsage('E_PASSWORD_COST', ask(memoryKiB, passes))
    expect(ask(8, limits.passwordMaxPasses)().length).to.equal(32)
  })

  it('4: refuses a cut tag, another nonce length and other associated data', () => {
    const [key, nonce, ad] = [bytes(32), bytes(24), bytes(5)]
    for (const size of [0, 1, 100, 5000]) {
      const sealed = crypto.seal(key, nonce, bytes(size), ad)
      expect(sealed.length).to.equal(size + 16)
      for (let cut = 1; cut <= 16; cut++)
        expect(crypto.open(key, nonce, sealed.subarray(0, sealed.length - cut), ad)).to.equal(undefined)
      expect(crypto.open(key, nonce.subarray(1), sealed, ad)).to.equal(undefined)
      expect(crypto.open(key, nonce, sealed, ad.subarray(1))).to.equal(undefined)
      expect(crypto.open(bytes(32).reverse(), nonce, sealed, ad)).to.equal(undefined)
      expect(hex(crypto.open(key, nonce, sealed, ad)!)).to.equal(hex(bytes(size)))
    }
  })

  it('5: refuses a KEM key that is not reduced and lengths one off; answers any ciphertext', () => {
    const own = crypto.kemKeyPair(bytes(64))
    const overflow = own.publicKey.slice() as KemPublicKey
    overflow.set([0x01, 0x0d], 0)
    expect(crypto.kemEncapsulate(overflow, bytes(32))).to.equal(undefined)
    for (const length of [1183, 1185])
      expect(crypto.kemEncapsulate(bytes(length) as KemPublicKey, bytes(32))).to.equal(undefined)
    for (const length of [0, 1087, 1089])
      expect(crypto.kemDecapsulate(own, bytes(length) as KemCiphertext)).to.equal(undefined)
    const { ciphertext, sharedSecret } = crypto.kemEncapsulate(own.publicKey, bytes(32))!
    expect(hex(crypto.kemDecapsulate(own, ciphertext)!)).to.equal(hex(sharedSecret))
    const implicit = crypto.kemDecapsulate(own, bytes(1088) as KemCiphertext)!
    expect(implicit.length).to.equal(32)
    expect(hex(implicit)).to.not.equal(hex(sharedSecret))
  })

  it('gives fresh arrays that own their buffer, plain ones', () => {
    const own = crypto.signKeyPair(bytes(32))
    const dh = crypto.dhKeyPair(bytes(32))
    const kem = crypto.kemKeyPair(bytes(64))
    const results = [
      crypto.sha256(bytes(10)),
      crypto.sha256(bytes(5000)),
      crypto.hmacSha256(bytes(7), bytes(10)),
      ...crypto.hmacSha256Each(bytes(32), [bytes(10), bytes(0)]),
      crypto.seal(bytes(32), bytes(24), bytes(10), bytes(0)),
      crypto.seal(bytes(32), bytes(24), bytes(5000), bytes(0)),
      crypto.open(bytes(32), bytes(24), crypto.seal(bytes(32), bytes(24), bytes(5000), bytes(0)), bytes(0))!,
      own.publicKey,
      crypto.sign(own, bytes(10)),
      dh.publicKey,
      crypto.dh(dh, dh.publicKey)!,
      kem.publicKey,
      crypto.kemEncapsulate(kem.publicKey, bytes(32))!.ciphertext,
      crypto.argon2id(bytes(3), bytes(16), { memoryKiB: 8, passes: 1 }),
    ]
    for (const result of results) {
      expect(Object.getPrototypeOf(result)).to.equal(Uint8Array.prototype)
      expect(result.buffer.byteLength).to.equal(result.length)
    }
  })

  it('reads arguments that stand inside a larger buffer, and leaves them alone', () => {
    const home = bytes(400)
    const inside = home.subarray(3, 35)
    expect(hex(crypto.sha256(home.subarray(1, 301)))).to.equal(hex(crypto.sha256(home.slice(1, 301))))
    expect(hex(crypto.signKeyPair(inside).publicKey)).to.equal(
      hex(crypto.signKeyPair(inside.slice()).publicKey),
    )
    crypto.seal(inside, home.subarray(40, 64), home.subarray(50, 390), home.subarray(0, 9))
    expect(hex(home)).to.equal(hex(bytes(400)))
  })

  it('is not misled by an array that is used again for another key', () => {
    const [first, second] = [crypto.signKeyPair(bytes(32)), crypto.signKeyPair(bytes(32).reverse())]
    const shared = first.publicKey.slice() as typeof first.publicKey
    const signature = crypto.sign(first, bytes(5))
    expect(crypto.verify(shared, bytes(5), signature)).to.equal(true)
    shared.set(second.publicKey)
    expect(crypto.verify(shared, bytes(5), signature)).to.equal(false)
    expect(crypto.verify(shared, bytes(5), crypto.sign(second, bytes(5)))).to.equal(true)
  })

  it('signs with the key of the seed, whatever public key stands beside it', () => {
    const [own, other] = [crypto.signKeyPair(bytes(32)), crypto.signKeyPair(bytes(32).reverse())]
    const mixed: SignKeyPair = { secret: own.secret, publicKey: other.publicKey }
    expect(hex(crypto.sign(mixed, bytes(5)))).to.equal(hex(crypto.sign(own, bytes(5))))
  })

  it('copies the seed it is given, and refuses a key that was wiped', () => {
    const seed = bytes(64)
    const kem: KemKeyPair = crypto.kemKeyPair(seed)
    const sign: SignKeyPair = crypto.signKeyPair(seed.subarray(0, 32))
    const dh: DhKeyPair = crypto.dhKeyPair(seed.subarray(0, 32))
    seed.fill(0)
    expect(hex(kem.secret.expose())).to.equal(hex(bytes(64)))
    for (const { secret } of [kem, sign, dh]) secret.wipe()
    const ciphertext = bytes(1088) as KemCiphertext
    expectUsage('E_SECRET_WIPED', () => crypto.kemDecapsulate(kem, ciphertext))
    expectUsage('E_SECRET_WIPED', () => crypto.sign(sign, bytes(1)))
    expectUsage('E_SECRET_WIPED', () => crypto.dh(dh, dh.publicKey))
  })
}

for (const crypto of providers) describe(`guard before ${crypto.name}`, () => describeProvider(crypto))
