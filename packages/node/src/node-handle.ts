import type { DeviceFace } from '@sotto/core'
import type { HomePaths } from './home/paths.ts'
import type { KeyProtection } from './home/key-file.ts'

/** How an opened node reaches others. */
export interface NetworkOptions {
  /** Multiaddrs to listen on; remembered ports fill in for port 0. */
  readonly listen: readonly string[]
  readonly mdns: boolean
}

/** How to open a home. */
export interface OpenOptions {
  readonly paths: HomePaths
  /** Null: the device works without a network. */
  readonly network: NetworkOptions | null
  readonly passphrase: (purpose: 'new' | 'open') => Promise<string | undefined>
  /** Milliseconds by which this process's clock is shifted. */
  readonly clockOffsetMs: number
}

/** An opened home: its device, and how its key is kept. */
export interface NodeHandle {
  readonly face: DeviceFace
  readonly keyProtection: KeyProtection
  /** Resolves once a network that is coming up is up; rejects when it could not. */
  connected(): Promise<void>
  /** Resolves when an error of our own stopped the device: the process ends, and may be started again. */
  readonly halted: Promise<Error>
  stop(): Promise<void>
}

/** Opens a home and takes its lock. Errors: `E_HOME_LOCKED`, `E_STORE_NEWER`, `E_KEY_…`, `E_STORE_…`. */
export type OpenNode = (options: OpenOptions) => Promise<NodeHandle>
