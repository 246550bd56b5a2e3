/**
 * Which of a device's records of one conversation are held, as counts rather than lists: every aseq below
 * `upTo`, and the ones in `above`. A `got` says the same of what is held, with the holes spelled out.
 */
export interface Received {
  /** All aseq below this are held. */
  readonly upTo: number
  /** Held ones above, ascending. */
  readonly above: readonly number[]
}

export const nothingReceived: Received = { upTo: 0, above: [] }

/** Adds one; the same value again changes nothing. */
export function receive(received: Received, aseq: number): Received {
  if (holds(received, aseq)) return received
  const above = [...received.above, aseq].sort((a, b) => a - b)
  let { upTo } = received
  while (above[0] === upTo) {
    above.shift()
    upTo += 1
  }
  return { upTo, above }
}

/** What is held when the ones below `from` are not for this reader: they count as if they were. */
export function receiveFrom(received: Received, from: number): Received {
  if (from <= received.upTo) return received
  const [above, rest] = [
    received.above.filter((aseq) => aseq >= from),
    { upTo: from, above: [] as readonly number[] },
  ]
  return above.reduce(receive, rest)
}

/** Whether the aseq is held. */
export const holds = (received: Received, aseq: number): boolean =>
  aseq < received.upTo || received.above.includes(aseq)

/** How many are known to exist and not held. */
export const missingCount = (received: Received): number => {
  const last = received.above.at(-1)
  return last === undefined ? 0 : last + 1 - received.upTo - received.above.length
}

/**
 * The acknowledgement of what is held: one past the highest, and at most `max` holes; the rest waits for the next.
 * `without`: numbers that are held and not to be acknowledged yet.
 */
export function acknowledge(
  received: Received,
  max: number,
  without: readonly number[] = [],
): { readonly upTo: number; readonly holes: readonly number[] } {
  const above = new Set(received.above)
  const end = (received.above.at(-1) ?? received.upTo - 1) + 1
  const holes = new Set(without.filter((aseq) => holds(received, aseq)))
  for (let aseq = received.upTo, gaps = 0; aseq < end && gaps <= max; aseq++) {
    if (above.has(aseq)) continue
    holes.add(aseq)
    gaps += 1
  }
  const first = [...holes].sort((a, b) => a - b)
  return { upTo: first[max] ?? end, holes: first.slice(0, max) }
}

/** Whether an acknowledgement covers the aseq. */
export const covers = (
  ack: { readonly upTo: number; readonly holes: readonly number[] },
  aseq: number,
): boolean => aseq < ack.upTo && !ack.holes.includes(aseq)
