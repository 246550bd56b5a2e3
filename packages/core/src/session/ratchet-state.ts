import type { DhKeyPair, DhPublicKey, Secret } from '../crypto/index.ts'
import type { DeviceAddress } from '../identity/index.ts'
import { encodeCbor } from '../wire/index.ts'
import type { PqAnswer } from './header.ts'
import { startPq, type PqState } from './pq-step.ts'
import type { SkippedKeys } from './skipped-keys.ts'

/** The chain messages are sealed with. */
export interface SendingChain {
  readonly headerKey: Secret
  readonly chainKey: Secret
  /** Number of the next message. */
  readonly count: number
  /** Answer mixed into the step that started the chain; rides on all its messages. */
  readonly answer: PqAnswer | undefined
}

/** A chain messages are opened with. */
export interface ReceivingChain {
  readonly headerKey: Secret
  /** Undefined once the peer has moved on to the next chain. */
  readonly chainKey: Secret | undefined
  /** Number of the next message never seen. */
  readonly count: number
  readonly skipped: SkippedKeys
}

/**
 * One end of a Double Ratchet with header encryption (The Double Ratchet Algorithm §4). Plain readonly data:
 * every step makes a new value and leaves the old one as it was.
 */
export interface Ratchet {
  readonly suite: number
  /** `cbor([suite, acctA, devA, acctB, devB])`, A the initiator: the associated data of every header. */
  readonly associated: Uint8Array
  readonly root: Secret
  /** Own ratchet key; undefined at an initiator that has sent nothing. */
  readonly ownKey: DhKeyPair | undefined
  /** The peer's ratchet key; undefined at a responder that has opened nothing. */
  readonly peerKey: DhPublicKey | undefined
  /** Undefined when the next message starts a new chain. */
  readonly sending: SendingChain | undefined
  readonly nextSendingHeaderKey: Secret
  readonly nextReceivingHeaderKey: Secret
  /** Messages in the own chain before the current one. */
  readonly previousCount: number
  /** Newest first, at most `limits.receiveChains`. */
  readonly receiving: readonly ReceivingChain[]
  readonly pq: PqState
}

/**
 * What may be wiped once a step is committed: whatever the state before it held, or the step `made`, and the state
 * after it holds no longer.
 */
export function spentBy(before: Ratchet, after: Ratchet, made: readonly Secret[]): readonly Secret[] {
  const held = new Set(secretsOf(after))
  const spent = new Set([...secretsOf(before), ...made].filter((secret) => !held.has(secret)))
  return [...spent].filter(({ length }) => length > 0)
}

const secretsOf = (ratchet: Ratchet): readonly Secret[] => [
  ratchet.root,
  ratchet.nextSendingHeaderKey,
  ratchet.nextReceivingHeaderKey,
  ...(ratchet.ownKey === undefined ? [] : [ratchet.ownKey.secret]),
  ...(ratchet.sending === undefined ? [] : [ratchet.sending.headerKey, ratchet.sending.chainKey]),
  ...(ratchet.pq.offer === undefined ? [] : [ratchet.pq.offer.keyPair.secret]),
  ...ratchet.receiving.flatMap(secretsOfChain),
]

const secretsOfChain = ({ headerKey, chainKey, skipped }: ReceivingChain): readonly Secret[] => [
  headerKey,
  skipped.rows,
  ...(chainKey === undefined ? [] : [chainKey]),
]

/** The three keys a handshake ends in. */
export interface HandshakeKeys {
  readonly root: Secret
  /** Header key of the initiator's first chain. */
  readonly initiatorHeaderKey: Secret
  /** Header key of the responder's first chain. */
  readonly responderHeaderKey: Secret
}

/** Who talks: suite and both devices, the initiator first. */
export interface SessionParties {
  readonly suite: number
  readonly initiator: DeviceAddress
  readonly responder: DeviceAddress
}

/** The associated data of a session's headers. */
export const associatedOf = ({ suite, initiator, responder }: SessionParties): Uint8Array =>
  encodeCbor([suite, initiator.account, initiator.device, responder.account, responder.device])

const nothingYet = { sending: undefined, previousCount: 0, receiving: [] } as const

/** The initiator's ratchet: the responder's signed prekey is its first ratchet key. */
export const startInitiator = (
  parties: SessionParties,
  keys: HandshakeKeys,
  signedPrekey: DhPublicKey,
  nowMs: number,
): Ratchet => ({
  ...nothingYet,
  suite: parties.suite,
  associated: associatedOf(parties),
  root: keys.root,
  ownKey: undefined,
  peerKey: signedPrekey,
  nextSendingHeaderKey: keys.initiatorHeaderKey,
  nextReceivingHeaderKey: keys.responderHeaderKey,
  pq: startPq(nowMs),
})

/**
 * The responder's ratchet, which opens before it can seal. It holds its own copy of the signed prekey's secret,
 * because a ratchet key is wiped when its turn is over and a prekey serves other handshakes.
 */
export const startResponder = (
  parties: SessionParties,
  keys: HandshakeKeys,
  signedPrekey: DhKeyPair,
  nowMs: number,
): Ratchet => ({
  ...nothingYet,
  suite: parties.suite,
  associated: associatedOf(parties),
  root: keys.root,
  ownKey: { publicKey: signedPrekey.publicKey, secret: signedPrekey.secret.copy() },
  peerKey: undefined,
  nextSendingHeaderKey: keys.responderHeaderKey,
  nextReceivingHeaderKey: keys.initiatorHeaderKey,
  pq: startPq(nowMs),
})
