import { socketPath } from './home/paths.ts'
import type { HomePaths } from './home/paths.ts'
import { leaveNotice, removeNotice } from './local-api/find-daemon.ts'
import type { NodeControl } from './local-api/rpc-session.ts'
import { openSocket } from './local-api/socket-server.ts'
import type { NodeHandle } from './node-handle.ts'

/** A node with its local doors open. */
export interface Daemon {
  /** Path of the socket. */
  readonly api: string
  /** Ends everything: no new requests, then the device, then open connections. May be called twice. */
  stop(): Promise<void>
}

/** Opens the socket of a node and leaves the note that lets commands find it. */
export async function startDaemon(
  node: NodeHandle,
  paths: HomePaths,
  control: NodeControl,
  env: NodeJS.ProcessEnv,
): Promise<Daemon> {
  const socket = await openSocket(socketPath(paths.home, env), node.face, control)
  leaveNotice(paths.api, socket.path)
  const end = async (): Promise<void> => {
    removeNotice(paths.api)
    socket.refuseNew()
    try {
      await node.stop()
    } finally {
      await socket.close()
    }
  }
  let ending: Promise<void> | undefined
  return { api: socket.path, stop: () => (ending ??= end()) }
}
