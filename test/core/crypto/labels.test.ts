import { encode } from 'cborg'
import { expect } from 'chai'
import fc from 'fast-check'
import { createHash, hkdfSync } from 'node:crypto'
import {
  blindPublic,
  commitTo,
  idOf,
  kdf,
  kdfEach,
  kdfInfo,
  noSalt,
  signAs,
  signBlindedAs,
  verifyAs,
} from '../../../packages/core/src/crypto/index.ts'
import { UsageError } from '../../../packages/core/src/errors.ts'
import { providers } from '../../support/providers.ts'
import { hex } from '../../support/vectors.ts'

const crypto = providers[1]!
const bytes = fc.uint8Array({ maxLength: 80 })
const word = fc.string({ minLength: 1, maxLength: 12 })

describe('labels', () => {
  it('kdf is HKDF-SHA-256 under the label, as node:crypto computes it', () => {
    const context = fc.array(fc.oneof(bytes, fc.nat(), word), { maxLength: 3 })
    const length = fc.integer({ min: 1, max: 200 })
    fc.assert(
      fc.property(bytes, bytes, word, context, length, (salt, ikm, purpose, parts, size) => {
        const info = encode(['sotto', 1, purpose, ...parts])
        const expected = new Uint8Array(hkdfSync('sha256', ikm, salt, info, size))
        expect(hex(kdf(crypto, salt, ikm, purpose, parts, size))).to.equal(hex(expected))
      }),
      { numRuns: 300 },
    )
  })

  it('kdf gives 8,160 bytes and not one more', () => {
    expect(kdf(crypto, noSalt, noSalt, 'long', [], 8160).length).to.equal(8160)
    for (const length of [0, 8161])
      expect(() => kdf(crypto, noSalt, noSalt, 'long', [], length)).to.throw(UsageError)
  })

  it('kdfEach gives for each prepared info what kdf gives alone', () => {
    const [one, two] = kdfEach(crypto, noSalt, noSalt.with(0, 1), [kdfInfo('rk'), kdfInfo('ck', [7])])
    expect(hex(one)).to.equal(hex(kdf(crypto, noSalt, noSalt.with(0, 1), 'rk')))
    expect(hex(two)).to.equal(hex(kdf(crypto, noSalt, noSalt.with(0, 1), 'ck', [7])))
  })

  it('ids and commitments hash the label with the bytes', () => {
    const sha256 = (value: unknown): string => createHash('sha256').update(encode(value)).digest('hex')
    const content = Uint8Array.of(1, 2, 3)
    expect(hex(idOf(crypto, 'device', content))).to.equal(sha256(['sotto', 1, 'id', 'device', content]))
    expect(hex(commitTo(crypto, noSalt, content))).to.equal(sha256(['sotto', 1, 'body', noSalt, content]))
  })

  it('no two uses, purposes, contexts or types share an output', () => {
    const content = Uint8Array.of(1)
    const outputs = [
      idOf(crypto, 'a', content),
      idOf(crypto, 'b', content),
      commitTo(crypto, content, content),
      kdf(crypto, noSalt, content, 'a'),
      kdf(crypto, noSalt, content, 'b'),
      kdf(crypto, noSalt, content, 'a', ['b']),
      kdf(crypto, noSalt, content, 'ab'),
      kdf(crypto, noSalt, content, 'a', [content]),
      kdf(crypto, noSalt, content, 'a', [content, content]),
    ].map(hex)
    expect(new Set(outputs).size).to.equal(outputs.length)
  })

  it('6: a signature of one type, context or content is never one of another', () => {
    const own = crypto.signKeyPair(noSalt)
    const types = ['cert', 'bundle', 'op', 'invite', 'record', 'hs', 'device-pop']
    const contexts = [new Uint8Array(0), Uint8Array.of(1), noSalt]
    const uses = types.flatMap((type) => contexts.map((context) => ({ type, context })))
    const content = Uint8Array.of(4, 5)
    for (const made of uses) {
      const signature = signAs(crypto, own, made.type, made.context, content)
      for (const asked of uses)
        expect(
          verifyAs(crypto, own.publicKey, asked.type, asked.context, content, signature),
          `${made.type} as ${asked.type}`,
        ).to.equal(made === asked)
      expect(crypto.verify(own.publicKey, content, signature)).to.equal(false)
    }
  })
})

describe('blinded keys', () => {
  const own = crypto.signKeyPair(Uint8Array.from({ length: 32 }, (_, i) => i))
  const [blindKey, slot, content] = [noSalt.with(0, 3), Uint8Array.of(0), Uint8Array.of(9)]
  const blinded = blindPublic(own.publicKey, blindKey, slot)!
  const signature = signBlindedAs(own, blindKey, slot, 'dht', blinded, content)

  it('verify like any other, on every provider', () => {
    for (const provider of providers)
      expect(verifyAs(provider, blinded, 'dht', blinded, content, signature), provider.name).to.equal(true)
  })

  it('are neither the plain key nor one of another slot or blind key', () => {
    const others = [
      own.publicKey,
      blindPublic(own.publicKey, blindKey, Uint8Array.of(1))!,
      blindPublic(own.publicKey, noSalt, slot)!,
    ]
    for (const other of others) {
      expect(hex(other)).to.not.equal(hex(blinded))
      expect(verifyAs(crypto, other, 'dht', blinded, content, signature)).to.equal(false)
    }
    expect(verifyAs(crypto, blinded, 'other', blinded, content, signature)).to.equal(false)
  })

  it('2: are not made of what is no key', () => {
    const notKeys = [
      new Uint8Array(32),
      new Uint8Array(31),
      new Uint8Array(32).fill(0xff),
      new Uint8Array(32).fill(2),
    ]
    for (const bad of notKeys)
      expect(blindPublic(bad as typeof blinded, blindKey, slot), hex(bad)).to.equal(undefined)
  })
})
