import type { Readable } from 'node:stream'
import { PortError } from '@sotto/core/ports'
import { printableJson } from './printable.ts'

/** The world of one command: what it reads, writes and is told. */
export interface Io {
  readonly env: NodeJS.ProcessEnv
  readonly stdin: Readable
  readonly stdinIsTerminal: boolean
  readonly stdoutIsTerminal: boolean
  out(text: string): void
  err(text: string): void
  /** Aborted by SIGINT and SIGTERM. */
  readonly interrupted: AbortSignal
}

/** Options every command takes. */
export interface GlobalOptions {
  readonly home?: string
  readonly json?: boolean
  /** False with `--no-input`. */
  readonly input: boolean
  readonly passphraseFile?: string
}

/** One command's result: data for `--json`, and a pleasant text. */
export interface Outcome {
  readonly json: unknown
  readonly text: string
}

export const outcome = (json: unknown, text: string): Outcome => ({ json, text })

/** Prints data as one JSON line. */
export const outJson = (io: Io, value: unknown): void => io.out(`${printableJson(value)}\n`)

/** Prints an outcome as asked. */
export function outOutcome(io: Io, options: GlobalOptions, result: Outcome): void {
  if (options.json === true) outJson(io, result.json)
  else if (result.text !== '') io.out(`${result.text}\n`)
}

/** Whether a stream is read by a program. */
export const streamsJson = ({ io, options }: { readonly io: Io; readonly options: GlobalOptions }): boolean =>
  options.json === true || !io.stdoutIsTerminal

/** Resolves when a signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** Fails when the person stops what runs; to be raced with it. */
export async function interrupts({ interrupted }: Io): Promise<never> {
  await aborted(interrupted)
  throw new PortError('E_INTERRUPTED', 'interrupted')
}
