/** What page and Worker say to each other beside the face and the network. */

/** Where the device of this browser stands, as this tab sees it. */
export type WorkerState = 'starting' | 'leading' | 'following' | 'failed'

export type ToWorker =
  /** `marked`: the page remembers that this origin had a device. `loopback`: the page came from loopback. */
  | { readonly control: 'start'; readonly marked: boolean; readonly loopback: boolean }
  /** Another tab wants to be the one that holds the device. */
  | { readonly control: 'yield' }
  | { readonly control: 'connected' }
  | { readonly control: 'connect-failed' }

export type FromWorker =
  | { readonly control: 'state'; readonly state: WorkerState; readonly code?: string }
  /** Bring the network up: the transport seed (32 bytes), the one secret that leaves the Worker. Comes with a port. */
  | { readonly control: 'connect'; readonly seed: Uint8Array }

/** Name of everything the origin keeps: the databases `sotto`, `sotto.mark`, `sotto.key`, `sotto.home`. */
export const storeName = 'sotto'

/** BroadcastChannels: the leader's face; and turns: 'make way', 'who leads', 'leading'. */
export const faceChannel = 'sotto-face'
export const turnChannel = 'sotto-turn'
