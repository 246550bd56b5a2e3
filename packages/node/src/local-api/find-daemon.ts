import { rmSync } from 'node:fs'
import { z } from 'zod'
import { failedWith, parseJson, readSmallFile, replaceFile } from '../home/files.ts'
import { connectNode } from './socket-client.ts'
import type { RemoteNode } from './socket-client.ts'

const notice = z.object({ socket: z.string().min(1) })

/** Leaves a note in the home of where its daemon listens, for commands started with another environment. */
export const leaveNotice = (path: string, socket: string): void =>
  replaceFile(path, `${JSON.stringify({ socket })}\n`)

/** Takes the note away. */
export const removeNotice = (path: string): void => rmSync(path, { force: true })

/** The running daemon of a home; undefined when there is none, whatever a dead one left behind. */
export async function findDaemon(noticePath: string): Promise<RemoteNode | undefined> {
  const parsed = notice.safeParse(parseJson(readSmallFile(noticePath) ?? ''))
  if (!parsed.success) return undefined
  try {
    return await connectNode(parsed.data.socket)
  } catch (error) {
    if (failedWith(error, 'ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'ENOTSOCK', 'EPIPE')) return undefined
    throw error
  }
}
