/**
 * A session as the model knows it: the order of the Double Ratchet's steps and nothing of its keys. Steps of both
 * ends alternate; each step begins a chain of frames. `ratchet.test.ts` holds it against the session room.
 */

/** One end of a session. */
export interface End {
  /** The newest step this end knows. */
  readonly step: number
  /** This end took it, and sends on its chain. */
  readonly own: boolean
  /** Frames sent on the own chain. */
  readonly count: number
  /** Frames received, by chain and number. */
  readonly received: readonly string[]
}

/** Where a frame stands in its session. */
export interface Place {
  readonly chain: number
  readonly number: number
}

/** Both ends after one message each way: the second one to speak is ahead. */
export const firstEnds: { readonly asked: End; readonly answered: End } = {
  asked: { step: 2, own: false, count: 0, received: ['2.0'] },
  answered: { step: 2, own: true, count: 1, received: ['1.0'] },
}

const nameOf = ({ chain, number }: Place): string => `${String(chain)}.${String(number)}`

/** Sends a frame; the first after a newer chain of the peer takes a step. */
export function sendOn(end: End): { readonly end: End; readonly place: Place } {
  const stepped = end.own ? end : { ...end, step: end.step + 1, own: true, count: 0 }
  const place = { chain: stepped.step, number: stepped.count }
  return { end: { ...stepped, count: stepped.count + 1 }, place }
}

/** Takes a frame of the peer, in whatever order. */
export function receiveOn(end: End, place: Place): End {
  const received = [...end.received, nameOf(place)].sort()
  return place.chain > end.step ? { step: place.chain, own: false, count: 0, received } : { ...end, received }
}

/**
 * Whether a copy of an end opens a frame, sent by the end's owner or by the peer, before or after the copy. Of the
 * own chain it opens what follows; of the peer's whatever the owner had not received, and the one step further that
 * the peer takes against the key in the copy. `stale` is a planted fault: steps take no fresh key.
 */
export function copyOpens(copy: End, sentByOwner: boolean, place: Place, stale = false): boolean {
  if (place.chain > copy.step) return stale || (!sentByOwner && copy.own && place.chain === copy.step + 1)
  if (!sentByOwner) return !copy.received.includes(nameOf(place))
  return copy.own && place.chain === copy.step && place.number >= copy.count
}
