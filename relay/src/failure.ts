/** Exit codes of the command line that a relay uses. */
export const exits = { failed: 1, usage: 2, network: 3, locked: 7, storage: 9, interrupted: 130 } as const

/** Why the relay cannot go on: a stable code, what to do about it, and the exit code. */
export class RelayFailure extends Error {
  override readonly name = 'RelayFailure'
  readonly code: string
  readonly exit: number
  readonly hint: string

  constructor(code: string, exit: number, message: string, hint = '', cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.exit = exit
    this.hint = hint
  }
}

/** The `code` of whatever was thrown, if it has one. */
export function codeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null) return undefined
  const { code, cause } = thrown as { readonly code?: unknown; readonly cause?: unknown }
  return typeof code === 'string' ? code : codeOf(cause)
}
