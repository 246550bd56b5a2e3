import type { DeviceFace } from '@sotto/core'
import { JSONRPCServer, createJSONRPCErrorResponse } from 'json-rpc-2.0'
import type { JSONRPCRequest } from 'json-rpc-2.0'
import { z } from 'zod'
import { checked, checkedFace } from '../face/checked-face.ts'
import { describeFailure, faultOf } from '../face/failure.ts'
import { follow } from '../face/follow.ts'
import { nodeLimits } from '../limits.ts'
import { nestsDeeper } from './json-bounds.ts'

/** What a node says of itself, beside what its device says. */
export interface NodeInfo {
  readonly version: string
  readonly pid: number
  readonly home: string
  readonly keyProtection: 'passphrase' | 'file'
  /** Address of the local web face, when it is served. */
  readonly web: string | null
}

/** What a connection may ask of the node around the device. */
export interface NodeControl {
  info(): NodeInfo
  /** A fresh address that opens the local web face once; undefined when it is not served. */
  openWeb(): string | undefined
  /** Ends the node; the connection closes when it has ended. */
  shutdown(): void
}

/** One connection, as text messages. */
export interface RpcPort {
  send(message: string): void
  close(): void
}

/** Error number of a failure that has a code of its own. */
const failureNumber = -32_001

/** Why a message is no request, with the JSON-RPC 2.0 number for it (specification §5.1). */
const refusals = {
  'too long': -32_600,
  'too deep': -32_600,
  'not JSON': -32_700,
  'not one request': -32_600,
} as const
type Refusal = keyof typeof refusals

const dispatchParams = z.strictObject({ command: z.string(), input: z.unknown() })
const viewParams = z.strictObject({ query: z.string(), input: z.unknown() })
const subscribeParams = z.strictObject({ since: z.int().optional() })

/** The methods every connection has, without `events.subscribe`, which belongs to one. */
function createServer(face: DeviceFace, control: NodeControl): JSONRPCServer {
  const server = new JSONRPCServer({ errorListener: () => undefined })
  server.mapErrorToJSONRPCErrorResponse = (id, error: unknown) => {
    const failure = describeFailure(error)
    return createJSONRPCErrorResponse(id, failureNumber, failure.message, {
      ...failure,
      fault: faultOf(error),
    })
  }
  const json = checkedFace(face, nodeLimits.parallelRequests)
  server.addMethod('dispatch', (params: unknown) => {
    const { command, input } = checked(dispatchParams, params)
    return json.dispatch(command, input)
  })
  server.addMethod('view', (params: unknown) => {
    const { query, input } = checked(viewParams, params)
    return json.view(query, input)
  })
  server.addMethod('system.info', () => control.info())
  server.addMethod('system.openWeb', () => ({ url: control.openWeb() ?? null }))
  server.addMethod('system.shutdown', () => {
    control.shutdown()
    return null
  })
  return server
}

/** A connection's requests, bounded in length, depth and number. */
export interface RpcSession {
  receive(message: string): void
  /** A message came that was not kept because it is too long: answers so and closes the connection. */
  overflow(): void
  end(): void
}

/**
 * Serves a device to one connection: `dispatch {command, input}`, `view {query, input}`,
 * `events.subscribe {since?}` followed by `event` notifications, `system.info`, `system.openWeb` and
 * `system.shutdown`. Batches are refused. A message past a bound gets an error and closes the connection.
 */
export function serveRpc(face: DeviceFace, control: NodeControl, port: RpcPort): RpcSession {
  const server = createServer(face, control)
  let unsubscribe: (() => void) | undefined
  let ended = false
  const reply = (response: unknown): void => {
    if (!ended && response !== null) port.send(JSON.stringify(response))
  }
  const end = (): void => {
    ended = true
    unsubscribe?.()
    unsubscribe = undefined
  }
  const refuse = (reason: Refusal): void => {
    reply(createJSONRPCErrorResponse(null, refusals[reason], reason))
    end()
    port.close()
  }
  server.addMethod('events.subscribe', async (params: unknown) => {
    const { since } = checked(subscribeParams, params)
    unsubscribe?.()
    const stop = await follow(face, since, (event) => {
      reply({ jsonrpc: '2.0', method: 'event', params: { event } })
    })
    if (ended) stop()
    else unsubscribe = stop
    return null
  })
  const answer = async (request: JSONRPCRequest): Promise<void> => {
    reply(await server.receive(request))
  }
  return {
    receive(message) {
      if (ended) return
      const request = parse(message)
      if (typeof request === 'string') refuse(request)
      else void answer(request)
    },
    overflow: () => refuse('too long'),
    end,
  }
}

/** The request in a message, or why there is none. */
function parse(message: string): JSONRPCRequest | Refusal {
  if (Buffer.byteLength(message) > nodeLimits.requestBytes) return 'too long'
  if (nestsDeeper(message, nodeLimits.requestDepth)) return 'too deep'
  try {
    const request: unknown = JSON.parse(message)
    const single = typeof request === 'object' && request !== null && !Array.isArray(request)
    return single ? (request as JSONRPCRequest) : 'not one request'
  } catch {
    return 'not JSON'
  }
}
