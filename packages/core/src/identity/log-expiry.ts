import { limits } from '../limits.ts'
import { toHex } from '../wire/index.ts'
import { lapsedAt } from './certificate.ts'
import type { ActiveDevice, LogState } from './device-log.ts'
import type { DeviceId } from './ids.ts'

/**
 * Renewal and lapse (docs/protocol/identity.md §6). Clocks and what a device itself has heard are arguments:
 * they decide who is given keys and when to write, never what an operation means.
 */

/** Until when a device's certificate lives, Unix milliseconds; undefined for one that is not active. */
export const effectiveNotAfter = (state: LogState, device: DeviceId): number | undefined =>
  state.active.get(toHex(device))?.notAfterMs

/** Whether an active device has lapsed for a clock that may be `limits.clockSkewMs` wrong. */
export const lapsed = (device: ActiveDevice, nowMs: number): boolean => lapsedAt(device.notAfterMs, nowMs)

/** What a device may do about another's renewal. */
export type RenewalAdvice =
  | { readonly kind: 'not-due' }
  /** Write it, unasked, with this time. */
  | { readonly kind: 'renew'; readonly notAfterMs: number }
  /** The device was silent for too long: its renewal is for the user to grant, with this time. */
  | { readonly kind: 'ask-user'; readonly notAfterMs: number }

/**
 * Whether a device may renew `other`, of which it last heard at `heardAtMs`: unasked while that is within
 * `limits.certificateMs`, and then to that long after the moment; later its user is asked.
 */
export function mayRenew(other: ActiveDevice, heardAtMs: number | undefined, nowMs: number): RenewalAdvice {
  const heard = heardAtMs === undefined ? undefined : Math.min(heardAtMs, nowMs)
  if (heard === undefined || nowMs - heard > limits.certificateMs)
    return other.notAfterMs - nowMs > limits.certificateMs - limits.certificateRenewMs
      ? { kind: 'not-due' }
      : { kind: 'ask-user', notAfterMs: nowMs + limits.certificateMs }
  const notAfterMs = heard + limits.certificateMs
  return notAfterMs - other.notAfterMs < limits.certificateRenewMs
    ? { kind: 'not-due' }
    : { kind: 'renew', notAfterMs }
}

/** What a device knows of itself and its siblings when it asks whether to renew itself. */
export interface OwnPresence {
  /** Days of the last 30 on which it was online. */
  readonly onlineDays: number
  /** Whether it has just exchanged log heads with someone who knows the account. */
  readonly justSynced: boolean
  /** When it last heard from any other device of the account, or undefined if never. */
  readonly siblingHeardAtMs: number | undefined
}

/** What a device should do about its own certificate. */
export type OwnRenewal =
  | { readonly kind: 'not-due' }
  /** It is alone: renew itself. */
  | { readonly kind: 'renew'; readonly notAfterMs: number }
  /** Siblings exist: one of them will renew it. */
  | { readonly kind: 'await-sibling' }
  /** The siblings lie in a drawer: revoke them with a notice, then renew itself. */
  | { readonly kind: 'take-over'; readonly revoke: readonly DeviceId[]; readonly notAfterMs: number }

const day = 24 * 60 * 60 * 1000
/** The takeover rule: this close to its own end, present on so many of the days of this window. */
const takeover = { beforeEndMs: 7 * day, windowMs: 30 * day, onlineDays: 20 } as const

/**
 * Whether a device is due to renew itself. Alone, it does so every `limits.certificateRenewMs`. With siblings
 * it waits for them, unless it nears its end, was online on 20 of the last 30 days, has just synced and heard
 * none of them throughout: a device in use is not locked out by one in a drawer.
 */
export function ownRenewDue(
  state: LogState,
  own: DeviceId,
  presence: OwnPresence,
  nowMs: number,
): OwnRenewal {
  const me = state.active.get(toHex(own))
  if (me === undefined) return { kind: 'not-due' }
  const notAfterMs = nowMs + limits.certificateMs
  const siblings = [...state.active.values()].filter((other) => other !== me).map((other) => other.device)
  if (siblings.length === 0)
    return notAfterMs - me.notAfterMs < limits.certificateRenewMs
      ? { kind: 'not-due' }
      : { kind: 'renew', notAfterMs }
  if (me.notAfterMs - nowMs > takeover.beforeEndMs) return { kind: 'not-due' }
  const { onlineDays, justSynced, siblingHeardAtMs } = presence
  const silent = siblingHeardAtMs === undefined || nowMs - siblingHeardAtMs >= takeover.windowMs
  return !lapsed(me, nowMs) && silent && justSynced && onlineDays >= takeover.onlineDays
    ? { kind: 'take-over', revoke: siblings, notAfterMs }
    : { kind: 'await-sibling' }
}

/** What is remembered of a device that lapsed by my clock; kept until it is revoked or its renewal is accepted. */
export interface Lapse {
  /** The end it went past. */
  readonly notAfterMs: number
  /** Whether another unrevoked device of its account was known here before the lapse. */
  readonly knewSibling: boolean
}

/** The lapse of a device at this clock, to remember from the first time it is seen; undefined while it lives. */
export function lapseOf(state: LogState, device: DeviceId, nowMs: number): Lapse | undefined {
  const found = state.active.get(toHex(device))
  if (found === undefined || !lapsed(found, nowMs)) return undefined
  const { notAfterMs } = found
  return { notAfterMs, knewSibling: [...state.active.values()].some((other) => other !== found) }
}

/**
 * Whether a device may be given keys now: active, not lapsed, and, when it had lapsed here before, renewed
 * since by another device or the recovery key, or by itself if no other device of the account was known then.
 */
export function mayReceiveSeeds(state: LogState, device: DeviceId, nowMs: number, lapse?: Lapse): boolean {
  const found = state.active.get(toHex(device))
  if (found === undefined || lapsed(found, nowMs)) return false
  if (lapse === undefined) return true
  if (found.notAfterMs <= lapse.notAfterMs) return false
  return found.renewedBy === 'self' ? !lapse.knewSibling : found.renewedBy !== 'certificate'
}
