import { PortError } from '../../src/errors.ts'
import { networkError, type NetworkErrorCode } from '../../src/ports/index.ts'

/** libp2p names its errors; what is not named here could not be reached. */
const byName: Readonly<Record<string, NetworkErrorCode>> = {
  TimeoutError: 'E_NET_TIMEOUT',
  AbortError: 'E_NET_TIMEOUT',
  DialDeniedError: 'E_NET_REFUSED',
  UnsupportedProtocolError: 'E_NET_PROTOCOL',
  TooManyInboundProtocolStreamsError: 'E_NET_BUSY',
  TooManyOutboundProtocolStreamsError: 'E_NET_BUSY',
  StreamBufferError: 'E_NET_BUSY',
  ConnectionClosedError: 'E_NET_CLOSED',
  ConnectionClosingError: 'E_NET_CLOSED',
  MuxerClosedError: 'E_NET_CLOSED',
  MuxerUnavailableError: 'E_NET_CLOSED',
  StreamClosedError: 'E_NET_CLOSED',
  StreamResetError: 'E_NET_CLOSED',
  StreamAbortedError: 'E_NET_CLOSED',
  StreamStateError: 'E_NET_CLOSED',
  NotStartedError: 'E_NET_CLOSED',
}

/** Any failure of libp2p as one of the port's errors; a PortError stays what it is. */
export function toNetworkError(failure: unknown): PortError {
  if (failure instanceof PortError) return failure
  const name = failure instanceof Error ? failure.name : ''
  return networkError(byName[name] ?? 'E_NET_UNREACHABLE', failure)
}
