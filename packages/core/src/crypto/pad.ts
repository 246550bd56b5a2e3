/**
 * Payload padding: a text hides among others of its size class. One marker byte 0x80, then zeros (ISO/IEC
 * 7816-4), up to the next Padmé size (Nikitin et al., PETS 2019), which costs at most 12 % and leaves
 * O(log log n) bits of the length; short payloads all become `limits.paddedMinBytes` long.
 */
import { UsageError } from '../errors.ts'
import { limits } from '../limits.ts'

const marker = 0x80

/** The size class of a payload of `length` bytes, marker included. */
export function paddedLength(length: number): number {
  const needed = length + 1
  if (needed <= limits.paddedMinBytes) return limits.paddedMinBytes
  const exponent = Math.floor(Math.log2(needed))
  const step = 2 ** (exponent - Math.floor(Math.log2(exponent)) - 1)
  return Math.min(Math.ceil(needed / step) * step, limits.paddedMaxBytes)
}

/** Pads to the size class. UsageError `E_TOO_LARGE` when the payload leaves no room for the marker. */
export function pad(plaintext: Uint8Array): Uint8Array {
  if (plaintext.length >= limits.paddedMaxBytes)
    throw new UsageError('E_TOO_LARGE', 'the payload is too large to send in one frame', {
      detail: { bytes: plaintext.length, limit: limits.paddedMaxBytes - 1 },
    })
  const padded = new Uint8Array(paddedLength(plaintext.length))
  padded.set(plaintext)
  padded[plaintext.length] = marker
  return padded
}

/** What `pad` was given; undefined unless the filler is one marker and zeros up to the size class. */
export function unpad(padded: Uint8Array): Uint8Array | undefined {
  let end = padded.length - 1
  while (end >= 0 && padded[end] === 0) end--
  if (padded[end] !== marker || padded.length !== paddedLength(end)) return undefined
  return padded.slice(0, end)
}
