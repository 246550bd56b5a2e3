import { UsageError } from '../errors.ts'
import { sizes } from './keys.ts'
import type { CryptoProvider } from './provider.ts'

/** What HKDF can give at most: 255 blocks (RFC 5869 §2.3). */
const maxBytes = 255 * sizes.hash

/** The last block's input: the block before it, the info and a counter from 1. */
function blockInput(previous: Uint8Array, info: Uint8Array, counter: number): Uint8Array {
  const input = new Uint8Array(previous.length + info.length + 1)
  input.set(previous)
  input.set(info, previous.length)
  input[input.length - 1] = counter
  return input
}

/** HKDF-SHA-256 (RFC 5869), extract then expand. UsageError `E_LENGTH` for more than 8160 bytes. */
export function hkdf(
  crypto: CryptoProvider,
  salt: Uint8Array,
  ikm: Uint8Array,
  info: Uint8Array,
  length: number,
): Uint8Array {
  if (length < 1 || length > maxBytes)
    throw new UsageError('E_LENGTH', 'HKDF cannot give that many bytes', { detail: { length } })
  const prk = crypto.hmacSha256(salt, ikm)
  let block = crypto.hmacSha256(prk, blockInput(new Uint8Array(0), info, 1))
  if (length === block.length) return block
  const out = new Uint8Array(length)
  for (let at = 0, counter = 1; ;) {
    out.set(at + block.length <= length ? block : block.subarray(0, length - at), at)
    at += block.length
    if (at >= length) return out
    block = crypto.hmacSha256(prk, blockInput(block, info, ++counter))
  }
}
