import type { DeviceFace } from '@sotto/core'

/** A device as the laws see it from outside. */
export interface Watched {
  readonly name: string
  readonly person: string
  readonly accountId: string
  readonly deviceId: string
  /** When its machine was made, and when that came to have its account. */
  readonly madeMs: number
  readonly sinceMs: number
  /** The running device, if the app is open. */
  readonly device: DeviceFace | undefined
}
