import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { PortError } from '@sotto/core/ports'
import type { DeviceEvent, DeviceFace, Fault } from '@sotto/core'
import { JSONRPCClient } from 'json-rpc-2.0'
import type { JSONRPCResponse } from 'json-rpc-2.0'
import { failureToError } from '../face/failure.ts'
import type { Failure } from '../face/failure.ts'
import type { NodeInfo } from './rpc-session.ts'

/** A running daemon, seen through its socket. */
export interface RemoteNode {
  readonly face: DeviceFace
  info(): Promise<NodeInfo>
  openWeb(): Promise<string | undefined>
  /** Asks the daemon to end and resolves once it has. */
  shutdown(): Promise<void>
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>
  close(): void
}

const gone = (): PortError =>
  new PortError('E_NOT_RUNNING', 'the running Sotto ended', {
    retryable: true,
    hint: 'Start it with: sotto up',
  })

interface RpcFailure {
  readonly data?: Failure & { readonly fault: Fault }
  readonly code: number
}

function raise({ data, code }: RpcFailure): never {
  if (data !== undefined) throw failureToError(data, data.fault)
  throw new PortError('E_LOCAL_API', 'the running Sotto did not understand this request', {
    detail: { code },
  })
}

/** Reads lines of any length: the daemon is this user's own. */
function readLines(socket: Socket, onLine: (line: string) => void): void {
  let rest = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
}

function openConnection(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('connect', () => resolve(socket))
    socket.once('error', reject)
  })
}

/** Connects to a daemon's socket; throws what the operating system says when there is none. */
export async function connectNode(path: string): Promise<RemoteNode> {
  const socket = await openConnection(path)
  const listeners = new Set<(event: DeviceEvent) => void>()
  let subscribed = false
  const client = new JSONRPCClient((request) => {
    if (socket.destroyed) throw gone()
    socket.write(`${JSON.stringify(request)}\n`)
  })
  let nextId = 0
  const call = async (method: string, params: unknown): Promise<unknown> => {
    nextId += 1
    const response = await client.requestAdvanced({ jsonrpc: '2.0', id: nextId, method, params })
    if (response.error === undefined) return response.result
    if (response.error.code === 0) throw gone()
    return raise(response.error)
  }
  readLines(socket, (line) => {
    const message = JSON.parse(line) as JSONRPCResponse | { method: 'event'; params: { event: DeviceEvent } }
    if ('method' in message) for (const listener of listeners) listener(message.params.event)
    else client.receive(message)
  })
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      resolve()
      client.rejectAllPendingRequests('gone')
    })
  })
  socket.on('error', () => socket.destroy())
  const face: DeviceFace = {
    dispatch: async (command, input) => (await call('dispatch', { command, input })) as never,
    view: async (query, input) => (await call('view', { query, input })) as never,
    subscribe(listener) {
      listeners.add(listener)
      if (!subscribed) call('events.subscribe', {}).catch(() => undefined)
      subscribed = true
      return () => void listeners.delete(listener)
    },
  }
  return {
    face,
    info: async () => (await call('system.info', {})) as NodeInfo,
    openWeb: async () => ((await call('system.openWeb', {})) as { url: string | null }).url ?? undefined,
    async shutdown() {
      // The connection may be gone before the answer is.
      await Promise.race([call('system.shutdown', {}), closed])
      await closed
    },
    closed,
    close: () => socket.destroy(),
  }
}
