/** What a library whose groups agree on keys must do to be compared; `peers/mls.mjs` puts one behind it. */

/** One group, ready for its next change. Nothing is kept of a change: each call begins from the same state. */
export interface MembershipPeer {
  /** The last member leaves: everything the committer does; bytes that leave it. */
  readonly remove: () => Promise<number>
  /** Fresh keys for the committer, who was or may be compromised; bytes that leave it. */
  readonly update: () => Promise<number>
  /** A member takes the removal in. */
  readonly receive: () => Promise<void>
}

/** Key agreement of a suite: classical, or hybrid with ML-KEM-768. */
export type Suite = 'X25519' | 'X-Wing'

interface Peer {
  readonly makeGroup: (suite: Suite, n: number, warm: boolean) => Promise<MembershipPeer>
}

const home = (): URL => new URL(process.env['SOTTO_BENCH_HOME'] ?? import.meta.url)

/** ts-mls; a string of its file name, for its package is not installed here. */
export const loadMls = async (): Promise<Peer> =>
  (await import(new URL('../peers/mls.mjs', home()).href)) as Peer
