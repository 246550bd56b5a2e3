import { chmodSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { dirname } from 'node:path'
import type { DeviceFace } from '@sotto/core'
import { ensurePrivateFolder } from '../home/paths.ts'
import { nodeLimits } from '../limits.ts'
import { lineReader } from './lines.ts'
import { serveRpc } from './rpc-session.ts'
import type { NodeControl } from './rpc-session.ts'

/** A daemon's open door. */
export interface SocketServer {
  readonly path: string
  /** Takes no more connections; those that are open stay until `close`. */
  refuseNew(): void
  close(): Promise<void>
}

function serveSocket(face: DeviceFace, control: NodeControl, socket: Socket): void {
  const session = serveRpc(face, control, {
    send(message) {
      if (socket.writableLength > nodeLimits.unreadBytes) socket.destroy()
      else socket.write(`${message}\n`)
    },
    close: () => socket.end(),
  })
  const read = lineReader(
    nodeLimits.requestBytes,
    (line) => session.receive(line),
    () => session.overflow(),
  )
  socket.on('data', read)
  socket.on('error', () => socket.destroy())
  socket.on('close', () => session.end())
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
}

/**
 * Opens the socket at `path` for this user alone (newline-delimited JSON-RPC 2.0). A socket left behind by a
 * dead daemon is replaced: whoever calls holds the home's lock, so no living one can own it.
 */
export async function openSocket(
  path: string,
  face: DeviceFace,
  control: NodeControl,
): Promise<SocketServer> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    if (sockets.size >= nodeLimits.connections) {
      socket.destroy()
      return
    }
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    serveSocket(face, control, socket)
  })
  if (process.platform !== 'win32') {
    ensurePrivateFolder(dirname(path))
    rmSync(path, { force: true })
  }
  await listen(server, path)
  if (process.platform !== 'win32') chmodSync(path, 0o600)
  const closed = new Promise<void>((resolve) => server.once('close', () => resolve()))
  return {
    path,
    refuseNew: () => void server.close(),
    async close() {
      server.close()
      for (const socket of sockets) socket.end()
      for (const socket of sockets) socket.destroySoon()
      await closed
    },
  }
}
