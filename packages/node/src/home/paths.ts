import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { PortError } from '@sotto/core/ports'
import envPaths from 'env-paths'
import { nodeLimits } from '../limits.ts'

/** Where everything of one profile lies. */
export interface HomePaths {
  readonly home: string
  /** Number of the home's format. */
  readonly format: string
  /** The key of the store, sealed or protected by its permissions. */
  readonly key: string
  readonly store: string
  /** Ports the node listened on, so that a restart keeps them. */
  readonly ports: string
  /** Where the running daemon's socket is. */
  readonly api: string
  readonly log: string
}

/** Names the files of the home given by option, by SOTTO_HOME, or by the platform's data folder. */
export function homePaths(option: string | undefined, env: NodeJS.ProcessEnv = process.env): HomePaths {
  const chosen = option ?? env['SOTTO_HOME']
  const home = resolve(
    chosen === undefined || chosen === '' ? envPaths('sotto', { suffix: '' }).data : chosen,
  )
  return {
    home,
    format: join(home, 'format'),
    key: join(home, 'key.json'),
    store: join(home, 'store'),
    ports: join(home, 'ports.json'),
    api: join(home, 'api.json'),
    log: join(home, 'sotto.log'),
  }
}

const ownUid = (): number => process.getuid?.() ?? 0

/** Makes a folder for this user alone; `E_RUNTIME_DIR` when another could have put it there. */
export function ensurePrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const stat = lstatSync(path)
  const foreign = process.platform !== 'win32' && (stat.uid !== ownUid() || (stat.mode & 0o077) !== 0)
  if (stat.isDirectory() && !foreign) return
  throw new PortError('E_RUNTIME_DIR', 'the folder for sockets is open to other users', {
    hint: 'Remove it, or set XDG_RUNTIME_DIR to a folder of your own with mode 0700.',
  })
}

/**
 * Path of the daemon's socket for a home: in the user's runtime folder when there is one and the path fits,
 * else in a private folder below the temporary one.
 */
export function socketPath(home: string, env: NodeJS.ProcessEnv = process.env): string {
  const name = createHash('sha256').update(home).digest('hex').slice(0, 16)
  if (process.platform === 'win32') return `\\\\.\\pipe\\sotto-${name}`
  const runtime = env['XDG_RUNTIME_DIR']
  const folders = [
    ...(runtime === undefined || runtime === '' ? [] : [join(runtime, 'sotto')]),
    join(tmpdir(), `sotto-${ownUid()}`),
    `/tmp/sotto-${ownUid()}`,
  ]
  const paths = folders.map((folder) => join(folder, `${name}.sock`))
  const fitting = paths.find((path) => Buffer.byteLength(path) <= nodeLimits.socketPathBytes)
  if (fitting !== undefined) return fitting
  throw new PortError('E_RUNTIME_DIR', 'no folder with a path short enough for a socket')
}
