import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { DeviceFace } from '@sotto/core'
import { securityHeaders } from '@sotto/core/host-node'
import type { StaticHandler } from '@sotto/core/host-node'
import { exposeFace, socketPort } from '@sotto/core/message-port'
import { WebSocketServer } from 'ws'
import type { RawData, WebSocket } from 'ws'
import { checkedFace } from '../face/checked-face.ts'
import { nodeLimits } from '../limits.ts'
import { nestsDeeper } from '../local-api/json-bounds.ts'
import { Guard } from './guard.ts'

/** The app of this machine's browser, served for the node of this process. */
export interface WebFace {
  /** Address without a secret. */
  readonly origin: string
  /** A fresh address that opens the app once. */
  open(): string
  close(): Promise<void>
}

const plain = {
  ...securityHeaders,
  'Content-Type': 'text/plain; charset=utf-8',
  'Cache-Control': 'no-store',
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, plain).end(`${text}\n`)
}

const noSession = 'Open the address that Sotto printed. It works once; type /open in the chat for another.'

/** The page asks here first; anything but our answer makes it a device of its own. */
const facePath = '/face.json'

/** Files without which a page cannot load; they hold nothing of this person and browsers ask for some without cookies. */
const isAsset = (path: string): boolean =>
  path !== facePath && !path.endsWith('.html') && /\.[a-z0-9]{1,12}$/i.test(path)

/** Why a request is refused before it is looked at; undefined when it may go on. */
function objection(guard: Guard, request: IncomingMessage): [number, string] | undefined {
  if (!guard.isOurHost(request)) return [421, 'This is not the host you asked for.']
  if (!guard.isOurOrigin(request, false)) return [403, 'Not from there.']
  if (request.method !== 'GET' && request.method !== 'HEAD') return [405, 'Only GET.']
  return undefined
}

/** Uses a one-time link up and sends the browser to the page with its cookie. */
function redeem(guard: Guard, path: string, response: ServerResponse): void {
  const cookie = guard.redeem(path)
  if (cookie === undefined) refuse(response, 403, noSession)
  else response.writeHead(303, { ...plain, 'Set-Cookie': cookie, Location: '/' }).end()
}

async function answer(
  guard: Guard,
  files: StaticHandler,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const refusal = objection(guard, request)
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
  if (refusal !== undefined) refuse(response, ...refusal)
  else if (path.startsWith('/open/')) redeem(guard, path, response)
  else if (!isAsset(path) && !guard.hasSession(request)) refuse(response, 403, noSession)
  else if (path === facePath) {
    response.writeHead(200, { ...plain, 'Content-Type': 'application/json' }).end('{"face":"node"}')
  } else {
    if (!isAsset(path)) request.url = '/'
    if (!(await files(request, response))) refuse(response, 404, 'Not here.')
  }
}

/** A page's WebSocket as text messages within bounds; one that leaves them is closed. */
function bounded(socket: WebSocket) {
  const text = (data: RawData): string =>
    (Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer)).toString('utf8')
  const wrapped = new Map<(event: { data: unknown }) => void, (data: RawData, isBinary: boolean) => void>()
  const wrap = (listener: (event: { data: unknown }) => void) => (data: RawData, isBinary: boolean) => {
    const message = isBinary ? undefined : text(data)
    if (message === undefined || nestsDeeper(message, nodeLimits.requestDepth)) socket.close(1008)
    else listener({ data: message })
  }
  return {
    send(message: string): void {
      if (socket.bufferedAmount > nodeLimits.unreadBytes) socket.terminate()
      else socket.send(message)
    },
    addEventListener(
      type: 'message' | 'close',
      listener: ((event: { data: unknown }) => void) | (() => void),
    ): void {
      if (type === 'close') socket.on('close', listener as () => void)
      else {
        const heard = wrap(listener)
        wrapped.set(listener, heard)
        socket.on('message', heard)
      }
    },
    removeEventListener(
      type: 'message' | 'close',
      listener: ((event: { data: unknown }) => void) | (() => void),
    ): void {
      if (type === 'close') socket.off('close', listener as () => void)
      else socket.off('message', wrapped.get(listener) ?? listener)
    },
  }
}

function serveSockets(server: Server, guard: Guard, face: DeviceFace): WebSocketServer {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: nodeLimits.requestBytes,
    perMessageDeflate: false,
  })
  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const allowed =
      request.url === '/face' &&
      guard.isOurHost(request) &&
      guard.isOurOrigin(request, true) &&
      guard.hasSession(request) &&
      sockets.clients.size < nodeLimits.connections
    if (!allowed) {
      stream.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
      return
    }
    sockets.handleUpgrade(request, stream, head, (socket) => {
      socket.on('error', () => socket.terminate())
      const withdraw = exposeFace(socketPort(bounded(socket)), checkedFace(face, nodeLimits.parallelRequests))
      socket.once('close', withdraw)
    })
  })
  return sockets
}

const httpBounds = {
  maxHeaderSize: nodeLimits.httpHeaderBytes,
  requestTimeout: nodeLimits.httpRequestMs,
  headersTimeout: nodeLimits.httpRequestMs,
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
}

/**
 * Serves the app and, over a WebSocket at `/face`, the device to a browser of this machine. Binds to
 * 127.0.0.1 alone; `port` 0 takes any.
 */
export async function serveWebFace(face: DeviceFace, files: StaticHandler, port: number): Promise<WebFace> {
  const server = createServer(httpBounds)
  server.maxConnections = 4 * nodeLimits.connections
  const open = new Set<Socket>()
  server.on('connection', (socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  await listen(server, port)
  const bound = (server.address() as AddressInfo).port
  const guard = new Guard(bound)
  server.on('request', (request, response) => void answer(guard, files, request, response))
  const sockets = serveSockets(server, guard, face)
  const origin = `http://127.0.0.1:${bound}`
  return {
    origin,
    open: () => `${origin}${guard.issuePath()}`,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of sockets.clients) socket.terminate()
      for (const socket of open) socket.destroy()
      await closed
    },
  }
}
