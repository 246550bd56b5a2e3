/** Taking session frames apart and putting them together wrongly, for tests. */
import { bytesBetween, fields, frame, literal } from '../../packages/core/src/wire/index.ts'

/** The ratchet frame as the wire room would declare it. */
export const ratchetShape = frame(
  'ratchet',
  fields({
    version: literal(1),
    kind: literal(1),
    head: bytesBetween(1, 3_000),
    body: bytesBetween(1, 65_536),
  }),
)

/** Head and body of a ratchet frame. */
export function splitFrame(bytes: Uint8Array): { readonly head: Uint8Array; readonly body: Uint8Array } {
  const decoded = ratchetShape.decode(bytes)
  if (!decoded.ok) throw new Error(decoded.reason)
  return decoded.value
}

/** A ratchet frame of a head and a body. */
export const joinFrame = (head: Uint8Array, body: Uint8Array): Uint8Array =>
  ratchetShape.encode({ version: 1, kind: 1, head, body })

/** A copy with one bit of one byte turned over. */
export function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const out = bytes.slice()
  out[at] = (out[at] ?? 0) ^ 1
  return out
}
