/** What a library with sender keys must do to be compared; `peers/*-group.mjs` put others behind it. */

/** A sender and one receiver of a group. Each call carries one message, the state of both ends serialised after it. */
export interface GroupPair {
  /** Bytes on the wire. */
  readonly send: () => number | Promise<number>
}

export interface GroupPeer {
  readonly name: string
  readonly pair: (text: Uint8Array) => Promise<GroupPair>
  /** Opens `count` messages that waited, from the same state each time. */
  readonly backlog: (text: Uint8Array, count: number) => Promise<() => void | Promise<void>>
}

const home = (): URL => new URL(process.env['SOTTO_BENCH_HOME'] ?? import.meta.url)

/** Loads a peer of `peers/`; a string of its file name, for its packages have no types here. */
export const loadGroupPeer = async (file: string): Promise<GroupPeer> =>
  (await import(new URL(`../peers/${file}`, home()).href)) as GroupPeer
