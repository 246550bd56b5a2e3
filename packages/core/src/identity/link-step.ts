import { Secret } from '../crypto/index.ts'
import { UsageError } from '../errors.ts'
import type { LinkRefusal } from './link-frame.ts'

/** What came of one call. */
export interface LinkStep<State, Event> {
  /** Goes on in place of the state that was passed, which is not to be used again. */
  readonly state: State
  /** Frames for the channel, in order. */
  readonly send: readonly Uint8Array[]
  readonly events: readonly Event[]
  /** What the new state no longer needs: to be wiped. */
  readonly spent: readonly Secret[]
}

/** Linking is over; the channel is to be closed when what was to be sent is sent. */
export interface LinkEnded {
  readonly kind: 'ended'
  readonly reason: LinkRefusal
  readonly by: 'us' | 'peer'
}

/** Why a caller ends it: its channel is gone, its person said no, or the deadline is reached. */
export type LinkEnd = 'closed' | 'cancelled' | 'expired'

/** The step from one state to another; whatever secrets the new stage does not hold are spent. */
export function linkStep<State extends { readonly stage: unknown }, Event>(
  before: State,
  after: State,
  send: readonly Uint8Array[] = [],
  events: readonly Event[] = [],
): LinkStep<State, Event> {
  const kept = new Set(secretsIn(after.stage))
  return { state: after, send, events, spent: secretsIn(before.stage).filter((secret) => !kept.has(secret)) }
}

/** Every secret in plain data. */
function secretsIn(value: unknown): readonly Secret[] {
  if (value instanceof Secret) return [value]
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return []
  return Object.values(value).flatMap(secretsIn)
}

/** The error of a call that has no place in this state: a caller's bug. */
export const wrongStage = (call: string, stage: string): UsageError =>
  new UsageError('E_LINK_STATE', `${call} has no place here`, { detail: { call, stage } })
