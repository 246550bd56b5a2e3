import { readFileSync, statSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { PortError, SottoError, UsageError } from '@sotto/core/ports'
import type { DeviceFace, SelfView } from '@sotto/core'
import type { KeyProtection } from '../home/key-file.ts'
import { readFormat } from '../home/format.ts'
import { homePaths } from '../home/paths.ts'
import type { HomePaths } from '../home/paths.ts'
import { nodeLimits } from '../limits.ts'
import { findDaemon } from '../local-api/find-daemon.ts'
import type { RemoteNode } from '../local-api/socket-client.ts'
import type { NodeHandle, OpenNode } from '../node-handle.ts'
import type { GlobalOptions, Io } from './io.ts'

/** What the commands need from outside. */
export interface CliDeps {
  readonly openNode: OpenNode
}

/** A command's way to the device: through the running daemon, or with the home opened for this command alone. */
export interface Session {
  readonly paths: HomePaths
  readonly face: DeviceFace
  readonly daemon: RemoteNode | undefined
  close(): Promise<void>
}

/** A passphrase file's first line; `E_PASSPHRASE_FILE` when it cannot be one. */
function readPassphraseFile(path: string): string {
  try {
    if (statSync(path).size <= nodeLimits.passphraseBytes) {
      const line = readFileSync(path, 'utf8').split(/\r?\n/, 1)[0] ?? ''
      if (line !== '') return line
    }
  } catch (cause) {
    throw new UsageError('E_PASSPHRASE_FILE', 'the passphrase file cannot be read', { cause })
  }
  throw new UsageError('E_PASSPHRASE_FILE', 'the passphrase file is empty or far too long')
}

/** Whether a question may be asked. */
export const mayAsk = (io: Io, options: GlobalOptions): boolean =>
  options.input && options.json !== true && io.stdinIsTerminal && io.stdoutIsTerminal

/** Where the passphrase comes from: its file, or a question when a sealed home is opened on a terminal. */
export function passphraseSource(io: Io, options: GlobalOptions) {
  return async (purpose: 'new' | 'open'): Promise<string | undefined> => {
    if (options.passphraseFile !== undefined) return readPassphraseFile(options.passphraseFile)
    if (purpose === 'new' || !mayAsk(io, options)) return undefined
    const { password } = await import('@clack/prompts')
    const answer = await password({ message: 'Passphrase of this home' })
    if (typeof answer === 'string') return answer
    throw new PortError('E_INTERRUPTED', 'interrupted')
  }
}

/** The clock shift of this process, for tests. */
export function clockOffsetMs(env: NodeJS.ProcessEnv): number {
  const text = env['SOTTO_CLOCK_OFFSET_MS'] ?? '0'
  if (/^-?\d{1,15}$/.test(text)) return Number(text)
  throw new UsageError('E_USAGE', 'SOTTO_CLOCK_OFFSET_MS is not a number of milliseconds')
}

export const pathsOf = (io: Io, options: GlobalOptions): HomePaths => homePaths(options.home, io.env)

/** Whether the home was begun, so that looking at it creates nothing. */
export const homeExists = (paths: HomePaths): boolean => readFormat(paths.format) !== undefined

export const noAccount = (): UsageError =>
  new UsageError('E_NO_ACCOUNT', 'there is no account in this home yet', {
    hint: 'Make one: sotto init --name NAME',
  })

/** How the key of this home is kept. */
export async function protectionOf(paths: HomePaths): Promise<KeyProtection | undefined> {
  const { keyProtection } = await import('../home/key-file.ts')
  return keyProtection(paths.key)
}

/** Opens the home in this process. */
export const openHere = (
  deps: CliDeps,
  io: Io,
  options: GlobalOptions,
  network: Parameters<OpenNode>[0]['network'],
): Promise<NodeHandle> =>
  deps.openNode({
    paths: pathsOf(io, options),
    network,
    passphrase: passphraseSource(io, options),
    clockOffsetMs: clockOffsetMs(io.env),
  })

const isLocked = (error: unknown): boolean => error instanceof SottoError && error.code === 'E_HOME_LOCKED'

/** Reaches the daemon, or opens the home; a home that is locked gets a moment, its daemon may be starting. */
async function reach(deps: CliDeps, io: Io, options: GlobalOptions): Promise<Session> {
  const paths = pathsOf(io, options)
  const untilMs = performance.now() + nodeLimits.reachDaemonMs
  for (;;) {
    const daemon = await findDaemon(paths.api)
    if (daemon !== undefined) {
      return { paths, face: daemon.face, daemon, close: async () => daemon.close() }
    }
    if (!homeExists(paths)) throw noAccount()
    try {
      const node = await openHere(deps, io, options, null)
      return { paths, face: node.face, daemon: undefined, close: () => node.stop() }
    } catch (error) {
      if (!isLocked(error) || performance.now() > untilMs) throw error
    }
    await pause(100)
  }
}

/** Runs `work` on the device of the home, which has an account. */
export async function withDevice<T>(
  deps: CliDeps,
  io: Io,
  options: GlobalOptions,
  work: (session: Session, self: SelfView) => Promise<T>,
): Promise<T> {
  const session = await reach(deps, io, options)
  try {
    const self = await session.face.view('self', {})
    if (self === null) throw noAccount()
    return await work(session, self)
  } finally {
    await session.close()
  }
}

/** Says that what was queued waits, when no daemon runs. */
export function warnWhenNotRunning(io: Io, session: Session): void {
  if (session.daemon !== undefined) return
  io.err('Nothing is running to deliver it. Start it with: sotto up\n')
}
