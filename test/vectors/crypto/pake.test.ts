/** draft-irtf-cfrg-cpace, appendix B.3: CPACE-RISTR255-SHA512. */
import { expect } from 'chai'
import fc from 'fast-check'
import { Secret } from '../../../packages/core/src/crypto/index.ts'
import {
  pakeGenerator,
  pakeKey,
  pakeSeedBytes,
  pakeShare,
  type PakeTerms,
} from '../../../packages/core/src/crypto/pake.ts'
import { UsageError } from '../../../packages/core/src/errors.ts'
import { fromHex, hex } from '../../support/vectors.ts'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

const terms: PakeTerms = {
  password: utf8('Password'),
  channel: fromHex('6f630b425f726573706f6e6465720b415f696e69746961746f72'),
  session: fromHex('7e4b4791d6a8ef019b936c79fb7f2c57'),
}
/** A scalar below the order, as the 64 bytes that are taken modulo it. */
const seedOf = (scalar: string): Secret => new Secret(fromHex(scalar.padEnd(2 * pakeSeedBytes, '0')))
const ya = seedOf('da3d23700a9e5699258aef94dc060dfda5ebb61f02a5ea77fad53f4ff0976d08')
const yb = seedOf('d2316b454718c35362d83d69df6320f38578ed5984651435e2949762d900b80d')
const shares = {
  initiator: fromHex('d40fb265a7abeaee7939d91a585fe59f7053f982c296ec413c624c669308f87a'),
  responder: fromHex('08bcf6e9777a9c313a3db6daa510f2d398403319c2341bd506a92e672eb7e307'),
}
const associated = { initiator: utf8('ADa'), responder: utf8('ADb') }
const sharedKey =
  '4c5469a16b2364c4b944ebc1a79e51d1674ad47db26e8718154f59faebfaa52d' +
  '8346f30aa58377117eb20d527f2cbc5c76381f7fd372e89df8239f87f2e02ed1'

describe('CPace, the example of the draft', () => {
  it('derives the generator of the password', () => {
    expect(hex(pakeGenerator(terms))).to.equal(
      'a6fc82c3b8968fbb2e06fee81ca858586dea50d248f0c7ca6a18b0902a30b36b',
    )
  })

  it('gives both shares and the key of both ends', () => {
    expect(hex(pakeShare(terms, ya))).to.equal(hex(shares.initiator))
    expect(hex(pakeShare(terms, yb))).to.equal(hex(shares.responder))
    const ofInitiator = pakeKey(terms, ya, shares, 'responder', associated)
    const ofResponder = pakeKey(terms, yb, shares, 'initiator', associated)
    expect(hex(ofInitiator!.expose())).to.equal(sharedKey)
    expect(hex(ofResponder!.expose())).to.equal(sharedKey)
  })

  it('refuses the invalid points of the draft, and bytes of any other length', () => {
    const invalid = ['2b3c6b8c4f3800e7aef6864025b4ed79bd599117e427c41bd47d93d654b4a51c', '00'.repeat(32), '', '00']
    for (const responder of invalid.map(fromHex))
      expect(pakeKey(terms, ya, { ...shares, responder }, 'responder')).to.equal(undefined)
  })
})

describe('CPace', () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
  const word = fc.uint8Array({ maxLength: 200 })

  /** Both keys of an exchange in which each end may put in something of its own. */
  function exchange(a: PakeTerms, b: PakeTerms, seedA: Secret, seedB: Secret): readonly string[] {
    const both = { initiator: pakeShare(a, seedA), responder: pakeShare(b, seedB) }
    const keys = [pakeKey(a, seedA, both, 'responder'), pakeKey(b, seedB, both, 'initiator')]
    return keys.map((key) => hex(key!.expose()))
  }

  it('gives two ends one key if and only if they put the same in', () => {
    fc.assert(
      fc.property(word, word, bytes(16), bytes(64), bytes(64), fc.nat(2), (password, channel, session, a, b, n) => {
        const one: PakeTerms = { password, channel, session }
        const name = (['password', 'channel', 'session'] as const)[n]!
        const other = { ...one, [name]: Uint8Array.of(...one[name], 1) }
        const [seedA, seedB] = [new Secret(a), new Secret(b)]
        const [keyA, keyB] = exchange(one, one, seedA, seedB)
        expect(keyA).to.equal(keyB)
        const [unlikeA, unlikeB] = exchange(one, other, seedA, seedB)
        expect(unlikeA).to.not.equal(unlikeB)
      }),
      { numRuns: 30 },
    )
  })

  it('refuses seeds that are too short, zero or wiped', () => {
    const wiped = new Secret(new Uint8Array(64).fill(7))
    wiped.wipe()
    for (const seed of [new Secret(new Uint8Array(32).fill(1)), new Secret(new Uint8Array(64)), wiped])
      expect(() => pakeShare(terms, seed)).to.throw(UsageError)
  })
})
