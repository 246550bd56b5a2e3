import type { CryptoProvider, Secret } from '../crypto/index.ts'
import type { KeyBundle } from '../identity/index.ts'
import { limits } from '../limits.ts'
import { compareBytes, equalBytes } from '../wire/index.ts'
import { decodeFirstFlight } from './handshake-frame.ts'
import { initiate, type InitiateOptions, type Initiated } from './pqxdh.ts'
import { decodeRatchetFrame, type RatchetFrame } from './ratchet-frame.ts'
import type { OpenFailure, OpenRefused } from './ratchet-open.ts'
import { maySend, openIn, sealIn, type Session } from './session.ts'
import type { OwnDevice } from './types.ts'

/**
 * Everything kept for one remote device: the session to send on, first, and up to `limits.archivedSessions`
 * earlier or rival ones whose messages may still be on their way.
 *
 * ```
 *            newSession                    first opened message
 *   (none) ──────────────► unanswered ───────────────────────────► established
 *      │                      │  > 14 d: never sends                    │
 *      │        adopt         └──────────────┐                          │ newSession, adopt
 *      └────────────────────────► established                           ▼
 *                                                                   archived (≤ 4)
 * ```
 *
 * `retire` takes sessions out of sending for good; what comes on them still opens.
 */
export interface Pairwise {
  readonly sessions: readonly Session[]
  /** When this end last began a handshake; 0 for never. */
  readonly handshakeAtMs: number
}

/** No session yet. */
export const noSessions: Pairwise = { sessions: [], handshakeAtMs: 0 }

/** A sealed message, the state to commit before it leaves, and what may be wiped after that commit. */
export type Sealed =
  | {
      readonly ok: true
      readonly peer: Pairwise
      readonly frame: Uint8Array
      readonly spent: readonly Secret[]
    }
  | OpenRefused<'no-session'>

/** An opened message, the state to commit with it, and what may be wiped after that commit. */
export interface Opened {
  readonly ok: true
  readonly peer: Pairwise
  readonly plaintext: Uint8Array
  /** Id of the session it came on. */
  readonly session: Uint8Array
  readonly spent: readonly Secret[]
}

/**
 * Why a frame did not open here. `handshake`: a first flight of a session this end does not have; give it to
 * `openHandshake`. All others are as in `OpenFailure`; the state is untouched.
 */
export type OpenFromFailure = OpenFailure | 'handshake'

/** Seals for the peer on the session that should be sent on; without one, `needsHandshake` says why. */
export function sealTo(
  crypto: CryptoProvider,
  peer: Pairwise,
  plaintext: Uint8Array,
  entropy: Uint8Array,
  nowMs: number,
): Sealed {
  const index = peer.sessions.findIndex((session) => maySend(session, nowMs))
  const session = peer.sessions[index]
  if (session === undefined) return { ok: false, reason: 'no-session' }
  const sealed = sealIn(crypto, session, plaintext, entropy, nowMs)
  return {
    ok: true,
    peer: { ...peer, sessions: peer.sessions.with(index, sealed.session) },
    frame: sealed.frame,
    spent: sealed.spent,
  }
}

/** Opens a frame on whichever session it belongs to. */
export function openFrom(
  crypto: CryptoProvider,
  peer: Pairwise,
  frame: Uint8Array,
  nowMs: number,
): Opened | OpenRefused<OpenFromFailure> {
  const plain = decodeRatchetFrame(frame)
  if (plain !== undefined) return openOnAny(crypto, peer, plain, nowMs)
  const flight = decodeFirstFlight(frame)
  if (flight === undefined) return { ok: false, reason: 'malformed' }
  const first = decodeRatchetFrame(flight.first)
  if (first === undefined) return { ok: false, reason: 'malformed' }
  const index = peer.sessions.findIndex(
    (session) => session.role === 'responder' && equalBytes(session.replayKey, flight.replayKey),
  )
  return index < 0 ? { ok: false, reason: 'handshake' } : openOn(crypto, peer, index, first, nowMs)
}

function openOnAny(
  crypto: CryptoProvider,
  peer: Pairwise,
  frame: RatchetFrame,
  nowMs: number,
): Opened | OpenRefused<OpenFromFailure> {
  for (let i = 0; i < peer.sessions.length; i++) {
    const result = openOn(crypto, peer, i, frame, nowMs)
    if (result.ok || result.reason !== 'no-header-key') return result
  }
  return { ok: false, reason: 'no-header-key' }
}

function openOn(
  crypto: CryptoProvider,
  peer: Pairwise,
  index: number,
  frame: RatchetFrame,
  nowMs: number,
): Opened | OpenRefused<OpenFromFailure> {
  const before = peer.sessions[index]
  if (before === undefined) return { ok: false, reason: 'no-header-key' }
  const opened = openIn(crypto, before, frame, nowMs)
  if (!opened.ok) return opened
  const { session, plaintext, spent } = opened
  const sessions = promoted(peer.sessions.with(index, session), index, nowMs)
  return { ok: true, peer: { ...peer, sessions }, plaintext, session: session.id, spent }
}

/** The session that last opened something is sent on, unless it is retired or lost to its rival. */
function promoted(sessions: readonly Session[], index: number, nowMs: number): readonly Session[] {
  const [first] = sessions
  const session = sessions[index]
  if (index === 0 || first === undefined || session === undefined) return sessions
  if (session.retired || holdsAgainst(first, session, nowMs)) return sessions
  return [session, ...sessions.filter((other) => other !== session)]
}

/**
 * Both ends began a session at once: the one with the lower handshake hash stays in front. An own one that the
 * peer never answered gives way after `limits.repairMs`, since the peer may be unable to take it.
 */
const holdsAgainst = (first: Session, other: Session, nowMs: number): boolean =>
  first.rival !== undefined &&
  equalBytes(first.rival, other.id) &&
  compareBytes(first.id, other.id) < 0 &&
  (first.preamble === undefined || nowMs - first.createdAtMs < limits.repairMs)

/** A pair of sessions as it is kept, and what was dropped over the limit. */
const kept = (peer: Pairwise, sessions: readonly Session[]): Pairwise => ({
  ...peer,
  sessions: sessions.slice(0, 1 + limits.archivedSessions),
})

/** What a handshake may carry besides keys, and what it needs. */
export interface NewSession {
  readonly own: OwnDevice
  readonly bundle: KeyBundle
  readonly options: InitiateOptions
}

/** Begins a session with the device behind a verified bundle and sends on it from now on; `session` is its id. */
export function newSession(
  crypto: CryptoProvider,
  peer: Pairwise,
  { own, bundle, options }: NewSession,
  entropy: Uint8Array,
  nowMs: number,
):
  | { readonly ok: true; readonly peer: Pairwise; readonly session: Uint8Array }
  | Extract<Initiated, { ok: false }> {
  const begun = initiate(crypto, own, bundle, options, entropy, nowMs)
  if (!begun.ok) return begun
  const { session } = begun
  return {
    ok: true,
    peer: { ...kept(peer, [session, ...peer.sessions]), handshakeAtMs: nowMs },
    session: session.id,
  }
}

/** Takes in a session the peer began and `acceptHandshake` accepted, with its first message already opened. */
export function adopt(peer: Pairwise, session: Session): Pairwise {
  if (peer.sessions.some((other) => equalBytes(other.id, session.id))) return peer
  const own = peer.sessions.find((other) => other.preamble !== undefined)
  if (own === undefined) return kept(peer, [session, ...peer.sessions])
  const others = peer.sessions.filter((other) => other !== own)
  const pair = [
    { ...own, rival: session.id },
    { ...session, rival: own.id },
  ].sort((a, b) => compareBytes(a.id, b.id))
  return kept(peer, [...pair, ...others])
}

/** Why a new handshake is due. */
export type HandshakeNeed = 'no-session' | 'pq-overdue' | RepairTrigger
/** The three things, and no others, that may lead to a repair; a frame that opens under no header key is not one. */
export type RepairTrigger = 'body-failed' | 'notice' | 'state-lost'

/**
 * Whether this end should begin a handshake now, and why: it has no session that may send, the post-quantum
 * step is overdue, or one of the repair triggers was met. Pauses between own handshakes grow: see `repairPause`.
 */
export function needsHandshake(
  peer: Pairwise,
  nowMs: number,
  trigger?: RepairTrigger,
): HandshakeNeed | undefined {
  const sending = peer.sessions.find((session) => maySend(session, nowMs))
  const need = sending === undefined ? 'no-session' : sending.ratchet.pq.overdue ? 'pq-overdue' : trigger
  if (peer.handshakeAtMs === 0 || need === undefined) return need
  return Math.abs(nowMs - peer.handshakeAtMs) < repairPause(peer, nowMs) ? undefined : need
}

/**
 * How long this end waits after its last handshake: `limits.repairMs` after the first of an hour, four times as
 * long after each further one. What is broken once is mended soon; what does not mend costs the peer no more than
 * four handshakes an hour.
 */
function repairPause({ sessions }: Pairwise, nowMs: number): number {
  const own = sessions.filter(
    ({ role, createdAtMs }) => role === 'initiator' && Math.abs(nowMs - createdAtMs) < limits.rehandshakeMs,
  )
  return Math.min(limits.repairMs * 4 ** Math.max(0, own.length - 1), limits.rehandshakeMs)
}

/**
 * Seals nothing more on the sessions held, but for `own` ones: this state is an older copy, and keys it comes to may
 * have been used. Sessions begun since it was put back are `own`.
 */
export const retire = (peer: Pairwise, own: (session: Session) => boolean): Pairwise => ({
  ...peer,
  sessions: peer.sessions.map((session) => (own(session) ? session : { ...session, retired: true })),
})

/** Whether one round trip was completed on the session that is sent on, or the peer's first message opened there. */
export const established = (peer: Pairwise): boolean =>
  peer.sessions[0]?.preamble === undefined && peer.sessions.length > 0

/** Asks for a post-quantum step with the next message, because this device's state may have been seen. */
export const requestPqStep = (peer: Pairwise): Pairwise => {
  const index = peer.sessions.findIndex(({ retired }) => !retired)
  const session = peer.sessions[index]
  if (session === undefined) return peer
  const pq = { ...session.ratchet.pq, wanted: true }
  return { ...peer, sessions: peer.sessions.with(index, { ...session, ratchet: { ...session.ratchet, pq } }) }
}
