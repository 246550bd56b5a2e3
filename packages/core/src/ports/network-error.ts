import { PortError } from '../errors.ts'

/** The codes of the Network port: what each says to a person, and whether trying again may help. */
const codes = {
  E_NET_UNREACHABLE: { retryable: true, message: 'the peer could not be reached at any known address' },
  E_NET_TIMEOUT: { retryable: true, message: 'the peer did not answer in time' },
  E_NET_CLOSED: { retryable: true, message: 'the channel or the network is closed' },
  E_NET_REFUSED: { retryable: false, message: 'this address, peer id or value is refused' },
  E_NET_PROTOCOL: { retryable: false, message: 'the peer does not speak this protocol' },
  E_NET_TOO_LONG: { retryable: false, message: 'the frame or value is longer than the limit' },
  E_NET_BUSY: { retryable: false, message: 'a cap on channels or waiting bytes is reached' },
} as const

export type NetworkErrorCode = keyof typeof codes

/** Builds one of the Network port's errors. The cause is for a debugger and never logged. */
export function networkError(code: NetworkErrorCode, cause?: unknown): PortError {
  const { message, retryable } = codes[code]
  return new PortError(code, message, cause === undefined ? { retryable } : { retryable, cause })
}
