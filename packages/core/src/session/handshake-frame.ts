import { sizes, type DhPublicKey, type KemCiphertext, type Signature } from '../crypto/index.ts'
import { accountIdShape, certificateBytes, logOpIdShape } from '../identity/index.ts'
import { limits } from '../limits.ts'
import {
  bytes,
  bytesBetween,
  concat,
  fields,
  frame,
  list,
  literal,
  nullable,
  uint,
  type Infer,
} from '../wire/index.ts'
import { handshakeKind } from './ratchet-frame.ts'

/** Bits of a handshake's mode. */
export const modes = { oneTimePrekey: 1, invite: 2, stranger: 4 } as const

/** First bytes of SHA-256 of the bundle a handshake answers. */
export const bundleTagBytes = 8

const clearShape = fields({
  version: literal(1),
  suite: uint(255),
  mode: uint(7),
  bundleTag: bytes(bundleTagBytes),
  oneTimeId: nullable(uint(0xffff_ffff)),
  ephemeral: bytes<DhPublicKey>(sizes.dhPublic),
  kemCiphertext: bytes<KemCiphertext>(sizes.kemCiphertext),
})
/** What a first flight says in clear. */
export type HandshakeClear = Infer<typeof clearShape>
/** The clear part as it is hashed: `M0.clear`. */
export const clearFrame = frame('handshake-clear', clearShape, 1_200)

const introductionShape = fields({
  genesis: bytesBetween(1, 512),
  log: bytesBetween(0, limits.strangerLogBytes),
})
const innerShape = fields({
  account: accountIdShape,
  certificate: bytesBetween(1, certificateBytes),
  logHeads: list(logOpIdShape, limits.deviceLogHeads),
  introduction: nullable(introductionShape),
  signature: bytes<Signature>(sizes.signature),
})
/** What a first flight hides from everyone but the responder: who the initiator is. */
export type HandshakeInner = Infer<typeof innerShape>
/** The sealed part before sealing: `inner1`. */
export const innerFrame = frame('handshake-inner', innerShape, limits.strangerLogBytes + 4_096)

const handshakeShape = fields({
  version: literal(1),
  kind: literal(handshakeKind),
  clear: bytesBetween(1, clearFrame.maxBytes),
  nonce: bytes(sizes.aeadNonce),
  inner: bytesBetween(sizes.aeadTag, innerFrame.maxBytes + sizes.aeadTag),
  first: bytesBetween(1, limits.frameBytes),
})
/** A first flight `M0`: the handshake, and the ratchet frame it rides on. */
const handshakeFrame = frame('handshake', handshakeShape)

/** A handshake without the frame it rides on: the same bytes on every message until the first reply. */
export interface Preamble {
  readonly clear: Uint8Array
  readonly nonce: Uint8Array
  readonly inner: Uint8Array
}

/** A first flight, read but not judged. */
export interface FirstFlight extends Preamble {
  readonly fields: HandshakeClear
  /** `E‖bundleTag`, 40 bytes: what the caller remembers against replay once the flight has authenticated. */
  readonly replayKey: Uint8Array
  /** The ratchet frame that rode on it. */
  readonly first: Uint8Array
}

/** Bytes of a replay key. */
export const replayKeyBytes = sizes.dhPublic + bundleTagBytes

/** Puts the preamble before a ratchet frame. */
export const encodeFirstFlight = (preamble: Preamble, first: Uint8Array): Uint8Array =>
  handshakeFrame.encode({ version: 1, kind: handshakeKind, ...preamble, first })

/** Reads a first flight; undefined unless it is one in its one encoding, whose mode fits its fields. */
export function decodeFirstFlight(input: Uint8Array): FirstFlight | undefined {
  const outer = handshakeFrame.decode(input)
  if (!outer.ok) return undefined
  const { clear, nonce, inner, first } = outer.value
  const decoded = clearFrame.decode(clear)
  if (!decoded.ok) return undefined
  const fieldsOf = decoded.value
  if (((fieldsOf.mode & modes.oneTimePrekey) !== 0) !== (fieldsOf.oneTimeId !== null)) return undefined
  const replayKey = concat(fieldsOf.ephemeral, fieldsOf.bundleTag)
  return { clear, nonce, inner, first, fields: fieldsOf, replayKey }
}
