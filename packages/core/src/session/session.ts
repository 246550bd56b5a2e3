import { sizes, type CryptoProvider, type Secret } from '../crypto/index.ts'
import { UsageError } from '../errors.ts'
import { limits } from '../limits.ts'
import { Truncated, type ByteReader, type ByteWriter } from './byte-cursor.ts'
import { encodeFirstFlight, replayKeyBytes, type Preamble } from './handshake-frame.ts'
import { sealedHeaderBytes } from './header.ts'
import { ratchetLength, readRatchet, writeRatchet } from './ratchet-codec.ts'
import type { RatchetFrame } from './ratchet-frame.ts'
import { openMessage, type OpenRefused } from './ratchet-open.ts'
import { sealMessage } from './ratchet-seal.ts'
import type { Ratchet } from './ratchet-state.ts'

/** One session with one remote device, from its handshake on. */
export interface Session {
  /** Hash of the handshake, 32 bytes; the same on both ends. */
  readonly id: Uint8Array
  readonly role: 'initiator' | 'responder'
  /** `E‖bundleTag` of the handshake. */
  readonly replayKey: Uint8Array
  readonly createdAtMs: number
  /** The own handshake, riding on every message until the peer's first one opens here. */
  readonly preamble: Preamble | undefined
  /** The session that was begun from the other end at the same time, if there is one. */
  readonly rival: Uint8Array | undefined
  /** Whether it only opens: a later copy of this state may have sealed with its keys. */
  readonly retired: boolean
  readonly ratchet: Ratchet
}

/** A sealed message of a session. */
export interface SessionSealed {
  readonly session: Session
  readonly frame: Uint8Array
  readonly spent: readonly Secret[]
}

/** An opened message of a session. */
export interface SessionOpened {
  readonly ok: true
  readonly session: Session
  readonly plaintext: Uint8Array
  readonly spent: readonly Secret[]
}

/** Seals one message, behind the handshake while that is unanswered. */
export function sealIn(
  crypto: CryptoProvider,
  session: Session,
  plaintext: Uint8Array,
  entropy: Uint8Array,
  nowMs: number,
): SessionSealed {
  checkLength(session, plaintext)
  const { ratchet, frame, spent } = sealMessage(crypto, session.ratchet, plaintext, entropy, nowMs)
  const whole = session.preamble === undefined ? frame : encodeFirstFlight(session.preamble, frame)
  return { session: { ...session, ratchet }, frame: whole, spent }
}

/** Heads, nonce, tags and the longest header of one frame. */
const frameOverhead = sizes.aeadNonce + sealedHeaderBytes.max + sizes.aeadTag + 16

/** Throws `E_MESSAGE_TOO_LONG` when the frame, with the handshake it may carry, would pass `limits.frameBytes`. */
function checkLength({ preamble }: Session, plaintext: Uint8Array): void {
  const before =
    preamble === undefined ? 0 : preamble.clear.length + preamble.nonce.length + preamble.inner.length + 16
  const room = limits.frameBytes - frameOverhead - before
  if (plaintext.length <= room) return
  throw new UsageError('E_MESSAGE_TOO_LONG', 'the message does not fit one frame', {
    detail: { length: plaintext.length, room },
  })
}

/** Opens one ratchet frame; the first one that opens answers the own handshake. */
export function openIn(
  crypto: CryptoProvider,
  session: Session,
  frame: RatchetFrame,
  nowMs: number,
): SessionOpened | OpenRefused {
  const opened = openMessage(crypto, session.ratchet, frame, nowMs)
  if (!opened.ok) return opened
  const { ratchet, plaintext, spent } = opened
  return { ok: true, session: { ...session, preamble: undefined, ratchet }, plaintext, spent }
}

/** Whether the session may still send: a retired one never, an unanswered one only for `limits.unansweredSessionMs`. */
export const maySend = ({ retired, preamble, createdAtMs }: Session, nowMs: number): boolean =>
  !retired && (preamble === undefined || nowMs - createdAtMs <= limits.unansweredSessionMs)

const bits = { responder: 1, preamble: 2, rival: 4, retired: 8 } as const

/** Length of a session's flat form in bytes. */
export function sessionLength({ preamble, rival, ratchet }: Session): number {
  const flight =
    preamble === undefined ? 0 : 8 + preamble.clear.length + sizes.aeadNonce + preamble.inner.length
  return (
    1 +
    sizes.hash +
    replayKeyBytes +
    8 +
    flight +
    (rival === undefined ? 0 : sizes.hash) +
    ratchetLength(ratchet)
  )
}

/** Writes a session in its flat form. */
export function writeSession(out: ByteWriter, session: Session): void {
  const { preamble, rival, retired } = session
  out
    .u8(
      (session.role === 'responder' ? bits.responder : 0) |
        (preamble === undefined ? 0 : bits.preamble) |
        (rival === undefined ? 0 : bits.rival) |
        (retired ? bits.retired : 0),
    )
    .fixed(session.id)
    .fixed(session.replayKey)
    .u64(session.createdAtMs)
  if (preamble !== undefined) out.sized(preamble.clear).fixed(preamble.nonce).sized(preamble.inner)
  if (rival !== undefined) out.fixed(rival)
  writeRatchet(out, session.ratchet)
}

/** Reads a session; throws `Truncated` when it is not one. */
export function readSession(input: ByteReader): Session {
  const flags = input.u8()
  if (flags > (bits.responder | bits.preamble | bits.rival | bits.retired))
    throw new Truncated('session flags')
  return {
    role: (flags & bits.responder) === 0 ? 'initiator' : 'responder',
    id: input.fixed(sizes.hash),
    replayKey: input.fixed(replayKeyBytes),
    createdAtMs: input.u64(),
    preamble: (flags & bits.preamble) === 0 ? undefined : readPreamble(input),
    rival: (flags & bits.rival) === 0 ? undefined : input.fixed(sizes.hash),
    retired: (flags & bits.retired) !== 0,
    ratchet: readRatchet(input),
  }
}

const readPreamble = (input: ByteReader): Preamble => ({
  clear: input.sized(),
  nonce: input.fixed(sizes.aeadNonce),
  inner: input.sized(),
})
