import { InvariantError, PortError, SottoError, UsageError } from '@sotto/core/ports'
import type { Fault } from '@sotto/core'

/** Somebody a name or the beginning of an id may mean. */
export interface Candidate {
  readonly id: string
  readonly name: string
}

/** A name or prefix that means more than one. */
export class AmbiguousError extends UsageError {
  readonly candidates: readonly Candidate[]

  constructor(message: string, candidates: readonly Candidate[]) {
    super('E_AMBIGUOUS', message, { hint: 'Use the id instead, or its first 8 or more characters.' })
    this.candidates = candidates
  }
}

/** A wait that ended before its aim; the message stays queued. */
export class StillQueuedError extends PortError {
  readonly messageId: string

  constructor(messageId: string, message: string, hint: string) {
    super('E_TIMEOUT', message, { hint, retryable: true })
    this.messageId = messageId
  }
}

/** A failure as it crosses a socket or is printed under `--json`. */
export interface Failure {
  readonly code: string
  readonly message: string
  readonly hint: string
  readonly retryable: boolean
  readonly candidates?: readonly Candidate[]
  readonly messageId?: string
}

/** Describes any throw; one that is not ours says nothing of its inside. */
export function describeFailure(error: unknown): Failure {
  if (!(error instanceof SottoError)) {
    return { code: 'E_INTERNAL', message: 'an unexpected error', hint: '', retryable: false }
  }
  const { code, message, hint, retryable } = error
  const failure = { code, message, hint, retryable }
  if (error instanceof AmbiguousError) return { ...failure, candidates: error.candidates }
  if (error instanceof StillQueuedError) return { ...failure, messageId: error.messageId }
  return failure
}

/** Whose fault a throw is; what is not ours counts as a bug. */
export const faultOf = (error: unknown): Fault => (error instanceof SottoError ? error.fault : 'invariant')

/** Builds the throw again at the other end of a socket. */
export function failureToError(failure: Failure, fault: Fault): SottoError {
  const options = { hint: failure.hint, retryable: failure.retryable }
  if (fault === 'usage') return new UsageError(failure.code, failure.message, options)
  if (fault === 'port') return new PortError(failure.code, failure.message, options)
  return new InvariantError(failure.code, failure.message, options)
}
