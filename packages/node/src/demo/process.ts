import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { PortError } from '@sotto/core/ports'

const program = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** The programs a demo starts; a relay is only ever a process of its own. */
export const programs = {
  sotto: program('../../bin/sotto.mjs'),
  relay: program('../../../../relay/bin/sotto-relay.mjs'),
}

/** A program running as a process of its own. */
export interface Running {
  /** Its first line of output. */
  readonly first: Record<string, unknown>
  /** Ends it without a chance to save anything, as a power cut would. */
  kill(): Promise<void>
  end(): Promise<void>
}

const failed = (what: string): PortError => new PortError('E_DEMO', `${what} ended before it was ready`)

const exited = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve()
    else child.once('exit', () => resolve())
  })

/** Starts a program and resolves with its first line of JSON. */
export function startProgram(
  script: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Running> {
  const child = spawn(process.execPath, [script, ...args], { env, stdio: ['ignore', 'pipe', 'ignore'] })
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal)
    await exited(child)
  }
  return new Promise((resolve, reject) => {
    child.once('error', () => reject(failed(args[0] ?? script)))
    child.once('exit', () => reject(failed(args[0] ?? script)))
    createInterface({ input: child.stdout }).once('line', (line) => {
      const first = JSON.parse(line) as Record<string, unknown>
      if ('error' in first) reject(failed(args[0] ?? script))
      else resolve({ first, kill: () => stop('SIGKILL'), end: () => stop('SIGTERM') })
    })
    // Reading goes on, or a program that says much would stop at a full pipe.
    child.stdout.resume()
  })
}
