import type { DeviceFace } from '@sotto/core'

/** A machine that goes on from an older copy of its disk. */
export interface SetBack {
  /** When the copy was made, and when it was put back. */
  readonly fromMs: number
  readonly atMs: number
  /** When its person was told. */
  toldMs: number | undefined
}

/** A device as the laws see it from outside. */
export interface Watched {
  readonly name: string
  readonly person: string
  readonly accountId: string
  readonly deviceId: string
  /** When its machine was made, and when that came to have its account. */
  readonly madeMs: number
  readonly sinceMs: number
  readonly setBack: SetBack | undefined
  /** The machine whose home it runs: itself, or the one it is a copy of, and since when there is the copy. */
  readonly home: string
  readonly bornMs: number
  /** Its home runs twice: a copy of it does, or it is one. */
  readonly doubled: boolean
  /** When its person was first told that it is an older copy, or that there is another. */
  readonly toldOlderMs: number | undefined
  /** It says something else than its device means to. */
  readonly lies: boolean
  /** Bits of its disk flipped: what it knew of a message may be gone with the message. */
  readonly rotten: boolean
  /** The running device, if the app is open. */
  readonly device: DeviceFace | undefined
}
