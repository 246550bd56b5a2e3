import { ed25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { expect } from 'chai'
import type { DhPublicKey, SignPublicKey, Signature } from '../../../packages/core/src/crypto/index.ts'
import { passesSignatureGate } from '../../../packages/core/src/crypto/gate.ts'
import { concat } from '../../../packages/core/src/wire/index.ts'
import { providers } from '../../support/providers.ts'
import { fromHex, hex, readVectors } from '../../support/vectors.ts'

interface EdgeCase {
  readonly id: number
  readonly class: string
  readonly publicKey: string
  readonly message: string
  readonly signature: string
  readonly valid: boolean
}

const p = 2n ** 255n - 19n
const littleEndian = (value: bigint): Uint8Array =>
  Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn))
const numberOf = (bytes: Uint8Array): bigint => BigInt('0x' + hex(bytes.toReversed()))

const seed = new Uint8Array(32).fill(7)
const message = new Uint8Array(20).fill(1)
const everybody = (verdict: boolean, key: Uint8Array, text: Uint8Array, signature: Uint8Array): void => {
  for (const crypto of providers)
    expect(crypto.verify(key as SignPublicKey, text, signature as Signature), crypto.name).to.equal(verdict)
}

describe('Ed25519 gate', () => {
  const own = providers[0]!.signKeyPair(seed)
  const signature = providers[0]!.sign(own, message)
  const [R, S] = [signature.slice(0, 32), signature.slice(32)]

  it('3: gives 1,166 crafted signatures their verdict on every provider', function () {
    const { cases } = readVectors<{ cases: EdgeCase[] }>(this, 'ed25519-edges.json')
    expect(cases.length).to.equal(1166)
    for (const test of cases)
      for (const crypto of providers) {
        const verdict = crypto.verify(
          fromHex(test.publicKey) as SignPublicKey,
          fromHex(test.message),
          fromHex(test.signature) as Signature,
        )
        expect(verdict, `${crypto.name} ${test.id} ${test.class}`).to.equal(test.valid)
      }
  })

  it('3: refuses S + L, though the equation holds', () => {
    everybody(true, own.publicKey, message, signature)
    everybody(false, own.publicKey, message, concat(R, littleEndian(numberOf(S) + ed25519.Point.Fn.ORDER)))
  })

  it('3: refuses every wrong length, the empty one included, without a throw', () => {
    for (const length of [0, 1, 31, 33, 63, 65, 128])
      everybody(false, own.publicKey, message, concat(signature, new Uint8Array(64)).slice(0, length))
    for (const length of [0, 31, 33])
      everybody(false, concat(own.publicKey, R).slice(0, length), message, signature)
    everybody(false, undefined as unknown as Uint8Array, message, signature)
    everybody(false, own.publicKey, undefined as unknown as Uint8Array, signature)
  })

  it('3: decides all 8 × 8 torsion components in A and R by the equation without the cofactor', () => {
    const { Point, utils } = ed25519
    const { scalar, point } = utils.getExtendedPublicKey(seed)
    const order8 = Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05')
    const torsion = Array.from({ length: 8 }, (_, i) => order8.multiplyUnsafe(BigInt(i)))
    const nonce = 123456789n
    let accepted = 0
    for (const inKey of torsion)
      for (const inCommitment of torsion) {
        const key = point.add(inKey).toBytes()
        const commitment = Point.BASE.multiply(nonce).add(inCommitment).toBytes()
        const k = numberOf(sha512(concat(commitment, key, message))) % Point.Fn.ORDER
        const response = littleEndian((nonce + k * scalar) % Point.Fn.ORDER)
        // 8·(S·B − k·A) = 8·R holds for all 64; without the 8 the torsion must cancel.
        const cancels = inCommitment.add(inKey.multiplyUnsafe(k % 8n)).is0()
        everybody(cancels, key, message, concat(commitment, response))
        if (cancels) accepted++
      }
    expect(accepted).to.be.within(8, 20)
  })

  it('3: refuses an R of small order, though the equation holds', () => {
    const { scalar } = ed25519.utils.getExtendedPublicKey(seed)
    const identity = new Uint8Array(32).with(0, 1)
    const k = numberOf(sha512(concat(identity, own.publicKey, message))) % ed25519.Point.Fn.ORDER
    const response = littleEndian((k * scalar) % ed25519.Point.Fn.ORDER)
    everybody(false, own.publicKey, message, concat(identity, response))
  })

  it('draws its borders exactly: S at L, A at p', () => {
    const order = ed25519.Point.Fn.ORDER
    const bordered = (response: bigint): boolean =>
      passesSignatureGate(own.publicKey, concat(R, littleEndian(response)))
    expect([bordered(0n), bordered(order - 1n)]).to.deep.equal([true, true])
    expect([bordered(order), bordered(order + 1n), bordered(2n ** 256n - 1n)]).to.deep.equal([
      false,
      false,
      false,
    ])
    for (const sign of [0n, 2n ** 255n]) {
      expect(passesSignatureGate(littleEndian(p - 2n + sign), signature)).to.equal(true)
      for (let y = p; y < 2n ** 255n; y++)
        expect(passesSignatureGate(littleEndian(y + sign), signature), String(y - p)).to.equal(false)
    }
  })

  it('3: refuses all small-order and all non-canonical keys and commitments', () => {
    const { Point } = ed25519
    const order8 = Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05')
    const small = Array.from({ length: 8 }, (_, i) => order8.multiplyUnsafe(BigInt(i)).toBytes())
    const beyond = Array.from({ length: 19 }, (_, i) => littleEndian(p + BigInt(i)))
    for (const bytes of [...small, ...beyond])
      for (const sign of [0, 0x80]) {
        const bad = bytes.with(31, (bytes[31]! & 0x7f) | sign)
        everybody(false, bad, message, signature)
        everybody(false, bad, message, concat(bad, new Uint8Array(32)))
        everybody(false, own.publicKey, message, concat(bad, S))
      }
  })
})

describe('X25519 gate', () => {
  const own = providers[0]!.dhKeyPair(seed)
  const refusedByAll = (remote: Uint8Array): void => {
    for (const crypto of providers)
      expect(crypto.dh(own, remote as DhPublicKey), crypto.name).to.equal(undefined)
  }

  it('1: refuses the points that make every secret zero', () => {
    const order8 = [
      'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
      '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
    ].map(fromHex)
    for (const u of [littleEndian(0n), littleEndian(1n), littleEndian(p - 1n), ...order8]) refusedByAll(u)
  })

  it('2: refuses bit 255 and everything from p on, and takes p - 2', () => {
    for (let i = 0n; i < 19n; i++) refusedByAll(littleEndian(p + i))
    refusedByAll(own.publicKey.with(31, own.publicKey[31]! | 0x80))
    const answers = providers.map((crypto) => hex(crypto.dh(own, littleEndian(p - 2n) as DhPublicKey)!))
    expect(new Set(answers).size).to.equal(1)
  })

  it('2: refuses wrong lengths', () => {
    for (const length of [0, 31, 33, 64]) refusedByAll(new Uint8Array(length).fill(9))
  })
})
