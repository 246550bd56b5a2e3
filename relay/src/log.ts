import { createWriteStream } from 'node:fs'
import type { Clock, Log } from '@sotto/core/ports'

/** A log and how to end it. */
export interface RelayLog extends Log {
  close(): Promise<void>
}

/**
 * JSON lines of allow-listed event names with numbers and booleans: the type has no room for an id, an
 * address or a text, so neither has the file. Without a file the lines go to stderr.
 */
export function openLog(file: string, clock: Clock, stderr: NodeJS.WritableStream): RelayLog {
  const stream = file === '' ? undefined : createWriteStream(file, { flags: 'a', mode: 0o600 })
  let failed = false
  stream?.on('error', () => {
    if (!failed) stderr.write('the log file cannot be written; going on without a log\n')
    failed = true
  })
  return {
    event: (name, fields = {}) => {
      const line = `${JSON.stringify({ at: new Date(clock.nowMs()).toISOString(), event: name, ...fields })}\n`
      if (stream === undefined) stderr.write(line)
      else if (!failed) stream.write(line)
    },
    close: () =>
      new Promise((resolve) => {
        if (stream === undefined || failed) resolve()
        else stream.end(() => resolve())
      }),
  }
}
