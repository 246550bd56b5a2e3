import {
  InvariantError,
  PortError,
  SottoError,
  UsageError,
  type ErrorDetail,
  type Fault,
} from '../../src/errors.ts'

/**
 * What crosses. `name` is the interface carried, `client` the remote end it concerns (several may share a
 * BroadcastChannel), `host` the life of the exposing end.
 */
export type Message = { readonly sotto: string } & (
  | { readonly kind: 'hello'; readonly host: string }
  | { readonly kind: 'bye'; readonly host: string }
  | { readonly kind: 'ping'; readonly client: string }
  | { readonly kind: 'pong'; readonly client: string; readonly host: string }
  | {
      readonly kind: 'call'
      readonly client: string
      readonly number: number
      readonly method: string
      readonly args: readonly unknown[]
    }
  | { readonly kind: 'value'; readonly client: string; readonly number: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly client: string; readonly number: number; readonly error: CrossedError }
  | { readonly kind: 'subscribe' | 'unsubscribe'; readonly client: string }
  | { readonly kind: 'events'; readonly client: string; readonly events: readonly NumberedEvent[] }
  | { readonly kind: 'acks'; readonly client: string; readonly numbers: readonly number[] }
)

/** An event and the number its acknowledgement carries. */
export interface NumberedEvent {
  readonly number: number
  readonly event: unknown
}

/** An error without its class, stack and cause. */
export interface CrossedError {
  readonly fault: Fault
  readonly code: string
  readonly message: string
  readonly retryable: boolean
  readonly hint: string
  readonly detail: ErrorDetail
}

/** Reads a message of this interface; undefined for everything else on the port. */
export function readMessage(name: string, data: unknown): Message | undefined {
  if (!isObject(data) || data['sotto'] !== name) return undefined
  const kind = data['kind']
  if (typeof kind !== 'string' || !Object.hasOwn(shapes, kind)) return undefined
  return shapes[kind]?.(data) === true ? (data as unknown as Message) : undefined
}

type Fields = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null
const isCall = (m: Fields): boolean => typeof m['client'] === 'string' && typeof m['number'] === 'number'
const fromClient = (m: Fields): boolean => typeof m['client'] === 'string'
const fromHost = (m: Fields): boolean => typeof m['host'] === 'string'

/** What each kind has to have; values and events are the interface's own matter. */
const shapes: Readonly<Record<string, (message: Fields) => boolean>> = {
  hello: fromHost,
  bye: fromHost,
  ping: fromClient,
  pong: (m) => fromClient(m) && fromHost(m),
  call: (m) => isCall(m) && typeof m['method'] === 'string' && Array.isArray(m['args']),
  value: isCall,
  error: (m) => isCall(m) && isObject(m['error']),
  subscribe: fromClient,
  unsubscribe: fromClient,
  events: (m) => fromClient(m) && Array.isArray(m['events']) && m['events'].every(isObject),
  acks: (m) => fromClient(m) && Array.isArray(m['numbers']),
}

/** What of an error crosses. One that is not of our taxonomy is a bug, and its text stays behind. */
export function crossError(failure: unknown): CrossedError {
  const error =
    failure instanceof SottoError
      ? failure
      : new InvariantError('E_INTERNAL', 'an unexpected failure behind the port')
  const { fault, code, message, retryable, hint, detail } = error
  return { fault, code, message, retryable, hint, detail }
}

/** The error again, of its class. */
export function uncrossError(crossed: CrossedError): SottoError {
  const { fault, code, message, ...options } = crossed
  switch (fault) {
    case 'usage':
      return new UsageError(code, message, options)
    case 'port':
      return new PortError(code, message, options)
    default:
      return new InvariantError(code, message, options)
  }
}

/** The other end is gone, or does not answer. */
export const lostError = (): PortError =>
  new PortError('E_PORT_LOST', 'the other end of the port is gone', { retryable: true })
