/**
 * What every public value must pass before a library sees it, so that all providers give one verdict.
 * Encodings are little-endian (RFC 7748 §5, RFC 8032 §5.1.2); p = 2^255 − 19.
 */

const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16))

/** The order of the prime subgroup, L = 2^252 + 27742317777372353535851937790883648493. */
const groupOrder = bytesOf('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010')

/** The y coordinates of the points whose order divides 8, with the two that have a second encoding. */
const smallOrderY = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map(bytesOf)

/** The canonical u coordinates that give an all-zero shared secret whatever the scalar. */
const lowOrderU = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map(bytesOf)

/** Whether 32 bytes from `at`, the top bit aside, equal one of `table`. */
function isListed(table: readonly Uint8Array[], bytes: Uint8Array): boolean {
  for (const entry of table) {
    let i = 0
    while (i < 31 && bytes[i] === entry[i]) i++
    if (i === 31 && ((bytes[31] ?? 0) & 0x7f) === entry[31]) return true
  }
  return false
}

/** Whether the low 255 bits are p or more. */
function exceedsField(bytes: Uint8Array): boolean {
  if (((bytes[31] ?? 0) & 0x7f) !== 0x7f || (bytes[0] ?? 0) < 0xed) return false
  for (let i = 1; i < 31; i++) if (bytes[i] !== 0xff) return false
  return true
}

/** Whether the second half of a signature is below the group order: S and S + L would both verify. */
function scalarIsReduced(signature: Uint8Array): boolean {
  for (let i = 31; i >= 0; i--) {
    const digit = signature[32 + i] ?? 0
    const bound = groupOrder[i] ?? 0
    if (digit !== bound) return digit < bound
  }
  return false
}

/**
 * The Ed25519 gate: 32 and 64 bytes, S < L, A canonical and not of small order, R not of small order. A
 * sign bit on x = 0 is refused with the small orders, the only points that have x = 0.
 */
export function passesSignatureGate(publicKey: Uint8Array, signature: Uint8Array): boolean {
  return (
    publicKey.length === 32 &&
    signature.length === 64 &&
    scalarIsReduced(signature) &&
    !exceedsField(publicKey) &&
    !isListed(smallOrderY, publicKey) &&
    !isListed(smallOrderY, signature)
  )
}

/** X25519: 32 bytes, bit 255 clear, below p, not of low order (RFC 7748 §6.1 leaves all three open). */
export const passesDhGate = (publicKey: Uint8Array): boolean =>
  publicKey.length === 32 &&
  (publicKey[31] ?? 0x80) < 0x80 &&
  !exceedsField(publicKey) &&
  !isListed(lowOrderU, publicKey)

const kemModulus = 3329
const kemPolynomialBytes = 1152

/** ML-KEM-768: 1184 bytes, every 12-bit coefficient below q (FIPS 203 §7.2, modulus check). */
export function passesKemGate(publicKey: Uint8Array): boolean {
  if (publicKey.length !== 1184) return false
  for (let i = 0; i < kemPolynomialBytes; i += 3) {
    const middle = publicKey[i + 1] ?? 0
    const low = (publicKey[i] ?? 0) | ((middle & 0x0f) << 8)
    const high = (middle >> 4) | ((publicKey[i + 2] ?? 0) << 4)
    if (low >= kemModulus || high >= kemModulus) return false
  }
  return true
}

/** Whether every byte is zero, in time that does not depend on where a non-zero one stands. */
export function isZero(bytes: Uint8Array): boolean {
  let all = 0
  for (const byte of bytes) all |= byte
  return all === 0
}
