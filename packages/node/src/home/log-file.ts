import { closeSync, openSync, renameSync, statSync, writeSync } from 'node:fs'
import { createLog } from '@sotto/core/host-node'
import type { Log } from '@sotto/core/ports'
import { nodeLimits } from '../limits.ts'

function makeRoom(path: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size > nodeLimits.logBytes) renameSync(path, `${path}.old`)
}

/** A log in a file of the home, of event names and counters; the one before the last is kept beside it. */
export function openLogFile(path: string): { readonly log: Log; close(): void } {
  makeRoom(path)
  const file = openSync(path, 'a', 0o600)
  let open = true
  const write = (line: string): void => {
    try {
      if (open) writeSync(file, line)
    } catch {
      // A full disk must not stop the messenger for want of a log line.
    }
  }
  return {
    log: createLog({ destination: { write } }),
    close() {
      open = false
      closeSync(file)
    },
  }
}
