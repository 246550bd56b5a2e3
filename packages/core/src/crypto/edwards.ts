/** Edwards25519 arithmetic on noble, for what libraries do not offer ready-made. */
import { ed25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'

export const { Point } = ed25519

/** A little-endian number. */
function numberOf(bytes: Uint8Array): bigint {
  let value = 0n
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0)
  return value
}

/** A little-endian number, reduced modulo the group order L. */
export const scalarOf = (bytes: Uint8Array): bigint => numberOf(bytes) % Point.Fn.ORDER

/** The product of two scalars plus a third, modulo L. */
export const multiplyAdd = (a: bigint, b: bigint, c: bigint): bigint => (a * b + c) % Point.Fn.ORDER

/** 32 little-endian bytes of a scalar. */
export function scalarBytes(scalar: bigint): Uint8Array {
  const out = new Uint8Array(32)
  for (let i = 0, rest = scalar; i < 32; i++, rest >>= 8n) out[i] = Number(rest & 0xffn)
  return out
}

/** SHA-512 of the parts in order. */
export function sha512Of(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = sha512.create()
  for (const part of parts) hash.update(part)
  return hash.digest()
}
