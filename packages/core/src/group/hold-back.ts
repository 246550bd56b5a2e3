import { limits } from '../limits.ts'
import { equalBytes } from '../wire/index.ts'

/** An envelope whose key has not come. */
export interface HeldEnvelope {
  readonly envelope: Uint8Array
  readonly route: Uint8Array | undefined
  readonly heldAtMs: number
}

/** Envelopes of one conversation that wait, oldest first. Immutable; ciphertext only. */
export type HoldBack = readonly HeldEnvelope[]

export const nothingHeld: HoldBack = []

/** Adds an envelope, each once; beyond `limits.heldRecords` the oldest goes. */
export function holdBack(
  waiting: HoldBack,
  envelope: Uint8Array,
  route: Uint8Array | undefined,
  nowMs: number,
): HoldBack {
  if (waiting.some((other) => equalBytes(other.envelope, envelope))) return waiting
  return [...waiting, { envelope, route, heldAtMs: nowMs }].slice(-limits.heldRecords)
}

/** What is still worth trying: no older than `limits.heldMs`. */
export const stillHeld = (waiting: HoldBack, nowMs: number): HoldBack =>
  waiting.filter(({ heldAtMs }) => heldAtMs + limits.heldMs >= nowMs)
