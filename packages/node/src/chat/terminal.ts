import { createInterface } from 'node:readline'
import type { DeviceFace } from '@sotto/core'
import type { Io } from '../cli/io.ts'
import { printableLine } from '../cli/printable.ts'
import { createChat } from './chat.ts'

/** Runs a chat on this terminal until the person leaves or `signal` aborts. */
export async function runTerminalChat(
  face: DeviceFace,
  io: Io,
  openWeb: () => string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const lines = createInterface({ input: io.stdin, output: process.stdout, terminal: true, prompt: '> ' })
  const chat = createChat(face, {
    say(text) {
      // Clears the line being typed, prints above it, and shows it again.
      io.out(`\r\u001b[K${text}\n`)
      lines.prompt(true)
    },
    prompt(name) {
      lines.setPrompt(name === undefined ? '> ' : `${printableLine(name)}> `)
      lines.prompt(true)
    },
    openWeb,
  })
  const stop = face.subscribe((event) => chat.event(event))
  const left = Promise.withResolvers<undefined>()
  let turn = Promise.resolve()
  lines.on('line', (line) => {
    turn = turn.then(async () => {
      if (await chat.line(line)) left.resolve(undefined)
    }, left.reject)
    turn.catch((error: unknown) => left.reject(error as Error))
  })
  lines.once('close', () => left.resolve(undefined))
  signal.addEventListener('abort', () => left.resolve(undefined), { once: true })
  try {
    await chat.start()
    await left.promise
  } finally {
    stop()
    lines.close()
  }
}
