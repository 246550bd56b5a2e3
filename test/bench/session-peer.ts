/** What a session library must do to be compared; `peers/*.mjs` put others behind it. */

/** Two ends that hold a session. Each call carries one message, with the state of both ends serialised; it gives the bytes on the wire. */
export interface SessionPair {
  readonly forth: () => number | Promise<number>
  readonly back: () => number | Promise<number>
}

export interface PreparedPeer {
  /** From a published bundle to the reply opened; gives the first message's bytes. */
  readonly establish: () => number | Promise<number>
  readonly pair: () => SessionPair | Promise<SessionPair>
}

export interface SessionPeer {
  readonly name: string
  readonly prepare: (text: Uint8Array) => Promise<PreparedPeer>
}

/** Loads a peer of `peers/`; a string of its file name, for its packages have no types here. */
export const loadPeer = async (file: string): Promise<SessionPeer> =>
  (await import(new URL(`../peers/${file}`, benchHome()).href)) as SessionPeer

/** `test/bench/`, whether this runs from source or from a bundle beside it. */
const benchHome = (): URL => new URL(process.env['SOTTO_BENCH_HOME'] ?? import.meta.url)
