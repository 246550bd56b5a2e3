import { sizes } from '../crypto/index.ts'
import { limits } from '../limits.ts'
import { bytes, bytesBetween, fields, frame, list, type Decoded } from '../wire/index.ts'
import { recordPlaintextBytes } from './blinded.ts'

/** Plaintext of an account's slot: its log heads and the newest log operations that fit, oldest first. */
export interface AccountHeads {
  readonly heads: readonly Uint8Array[]
  readonly ops: readonly Uint8Array[]
}

/** More than fit: an operation with its signature has well over a hundred bytes. */
const maxOps = 128

const headsFrame = frame<AccountHeads>(
  'account-heads',
  fields({
    heads: list(bytes(sizes.hash), limits.deviceLogHeads),
    ops: list(bytesBetween(1, limits.deviceLogOpBytes), maxOps),
  }),
  recordPlaintextBytes,
)

/** Bytes around the lists: three array heads of at most three bytes. */
const listBytes = 9

/** Writes the heads with the newest of `ops` (given oldest first) that fit; the rest is asked for. */
export function encodeHeads(heads: readonly Uint8Array[], ops: readonly Uint8Array[]): Uint8Array {
  let room = recordPlaintextBytes - listBytes - heads.length * (sizes.hash + 2)
  let from = ops.length
  for (; from > 0 && ops.length - from < maxOps; from--) {
    room -= (ops[from - 1]?.length ?? 0) + 3
    if (room < 0) break
  }
  return headsFrame.encode({ heads, ops: ops.slice(from) })
}

/** Reads what `encodeHeads` wrote; total on any bytes. */
export const decodeHeads = (plaintext: Uint8Array): Decoded<AccountHeads> => headsFrame.decode(plaintext)
