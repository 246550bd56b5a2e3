import { rmSync } from 'node:fs'
import { failedWith, parseJson, readSmallFile, replaceFile } from '../home/files.ts'
import { connectNode } from './socket-client.ts'
import type { RemoteNode } from './socket-client.ts'

/** The socket a note names; undefined when it is no note. */
function readNotice(text: string): string | undefined {
  const note = parseJson(text)
  const socket: unknown =
    typeof note === 'object' && note !== null && 'socket' in note ? note.socket : undefined
  return typeof socket === 'string' && socket !== '' ? socket : undefined
}

/** Leaves a note in the home of where its daemon listens, for commands started with another environment. */
export const leaveNotice = (path: string, socket: string): void =>
  replaceFile(path, `${JSON.stringify({ socket })}\n`)

/** Takes the note away. */
export const removeNotice = (path: string): void => rmSync(path, { force: true })

/** The running daemon of a home; undefined when there is none, whatever a dead one left behind. */
export async function findDaemon(noticePath: string): Promise<RemoteNode | undefined> {
  const socket = readNotice(readSmallFile(noticePath) ?? '')
  if (socket === undefined) return undefined
  try {
    return await connectNode(socket)
  } catch (error) {
    if (failedWith(error, 'ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'ENOTSOCK', 'EPIPE')) return undefined
    throw error
  }
}
