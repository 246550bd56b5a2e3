/**
 * The error taxonomy. What a peer can cause is a value (`Verdict`); what a caller or the machine causes is
 * a throw. Every throw carries a stable `code`, listed with cause and remedy in `docs/errors.md`; callers
 * compare codes, never messages.
 */

/** Whose fault a throw is: the caller's, the machine's, or ours. */
export type Fault = 'usage' | 'port' | 'invariant'

/** Detail that is safe to log by type: numbers, booleans, literals and 8-character short ids only. */
export type ErrorDetail = Readonly<Record<string, number | boolean | string>>

/** What every throw of Sotto is. `message` is for people and never holds a key, a text or a full address. */
export abstract class SottoError extends Error {
  abstract readonly fault: Fault
  readonly code: string
  readonly retryable: boolean
  readonly hint: string
  readonly detail: ErrorDetail

  constructor(
    code: string,
    message: string,
    options: ErrorOptions & { retryable?: boolean; hint?: string; detail?: ErrorDetail } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.retryable = options.retryable ?? false
    this.hint = options.hint ?? ''
    this.detail = options.detail ?? {}
  }
}

/** The caller asked for something that cannot be: bad input, unknown id, wrong state. Nothing was changed. */
export class UsageError extends SottoError {
  readonly fault = 'usage'
}

/** The environment failed: disk, network, clock. `retryable` says whether the same call may go through later. */
export class PortError extends SottoError {
  readonly fault = 'port'
}

/** A bug of ours. The device stops rather than continue from a state it does not understand. */
export class InvariantError extends SottoError {
  readonly fault = 'invariant'
}

/** What became of something a peer sent. A closed union, handled by `switch`. */
export type Verdict<T, Reason extends string = string> =
  | { readonly verdict: 'accepted'; readonly value: T }
  | { readonly verdict: 'held'; readonly awaiting: string }
  | { readonly verdict: 'rejected'; readonly reason: Reason }

/** Builds the accepted verdict. */
export const accepted = <T>(value: T): Verdict<T, never> => ({ verdict: 'accepted', value })

/** Builds the held verdict: well-formed, but something it needs has not arrived. */
export const held = (awaiting: string): Verdict<never, never> => ({ verdict: 'held', awaiting })

/** Builds the rejected verdict. */
export const rejected = <R extends string>(reason: R): Verdict<never, R> => ({ verdict: 'rejected', reason })

/** Throws an InvariantError unless `condition` holds. */
export function invariant(condition: unknown, code: string, message: string): asserts condition {
  if (condition === false || condition === undefined || condition === null)
    throw new InvariantError(code, message)
}
