import { equalBytes, type Decoded, type Frame } from '../../packages/core/src/wire/index.ts'
import type { FuzzTarget } from './driver.ts'

/** Throws when what a decoder took is not what the encoder writes for it: one value, one encoding. */
export function sameBytes(again: Uint8Array, input: Uint8Array): true {
  if (!equalBytes(again, input)) throw new Error('accepted bytes that its own writer would not write')
  return true
}

/** A target for a declared frame: total, and canonical in what it takes. */
export const frameTarget = <T>(name: string, frame: Frame<T>, seeds: readonly Uint8Array[]): FuzzTarget => ({
  name,
  seeds,
  run: (input) => decodedTarget(frame.decode(input), frame.encode, input),
})

/** The same for a decoder with a writer of its own. */
export const decodedTarget = <T>(
  decoded: Decoded<T>,
  encode: (value: T) => Uint8Array,
  input: Uint8Array,
): boolean => decoded.ok && sameBytes(encode(decoded.value), input)

/** Bytes of a text, and back without refusing anything. */
export const bytesOfText = (text: string): Uint8Array => new TextEncoder().encode(text)
export const textOfBytes = (input: Uint8Array): string =>
  new TextDecoder('utf-8', { ignoreBOM: true }).decode(input)
