import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'

/** A connection to a local socket on which a test writes what it likes and reads lines of JSON. */
export interface RawSocket {
  readonly socket: Socket
  readonly next: () => Promise<Record<string, unknown>>
  readonly closed: Promise<void>
}

export function rawSocket(path: string): RawSocket {
  const socket = connect(path)
  socket.on('error', () => undefined)
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]()
  return {
    socket,
    next: async () =>
      JSON.parse(((await lines.next()) as { value: string }).value) as Record<string, unknown>,
    closed: new Promise((resolve) => socket.once('close', () => resolve())),
  }
}
