import type { DeviceFace } from '@sotto/core'

/** A world in which a script is played: devices, a relay, and what lies between them. */
export interface Place {
  readonly relayAddress: string
  /** Opens a device's home, at first an empty one; with a name it begins an account of that name. */
  open(device: string, name?: string): Promise<DeviceFace>
  close(device: string): Promise<void>
  /** Cuts these off all others, in both directions, until `heal`. */
  split(side: readonly string[]): void
  heal(): void
  /** What the place needs to do until the promise settles. */
  run<T>(work: Promise<T>): Promise<T>
  /** Lives on until nothing is left to say; throws, with what was, when that takes far too long. */
  until(left: () => Promise<string | undefined>): Promise<void>
  end(): Promise<void>
}
