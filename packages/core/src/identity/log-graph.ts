import { compareBytes } from '../wire/index.ts'
import type { DeviceLog, LogChain, LogEntry } from './device-log.ts'

/**
 * The graph under a device log. Every author's operations form chains, so a set that is closed under
 * "its past" is told by how many operations of each chain are in it: its frontier. Memory of a long honest
 * log is linear, and "is y in the past of x" is one comparison.
 */

/** A causally closed set of operations: how many of each chain, missing ones being 0. */
export type Frontier = readonly number[]

/** Two operations of one author with one number. */
export interface Fork {
  readonly seq: number
  readonly first: LogEntry
  readonly second: LogEntry
}

/** The set of all operations. */
export const everything = (log: DeviceLog): Frontier => log.chains.map((chain) => chain.entries.length)

/** Whether `y` is in the past of `x`. */
export const inPast = (x: LogEntry, y: LogEntry): boolean => (x.past[y.chain] ?? 0) > y.position

/** Whether `y` is in the set. */
export const within = (frontier: Frontier, y: LogEntry): boolean => (frontier[y.chain] ?? 0) > y.position

/** The past that an operation naming these heads has. */
export function pastOf(heads: readonly LogEntry[]): Frontier {
  const past: number[] = []
  for (const head of heads) {
    for (let i = 0; i < head.past.length; i++) past[i] = Math.max(past[i] ?? 0, head.past[i] ?? 0)
    past[head.chain] = Math.max(past[head.chain] ?? 0, head.position + 1)
  }
  return Array.from(past, (count: number | undefined) => count ?? 0)
}

/** Order of operations that extends "in the past of": depth, then id. The same on every replica. */
export const canonicalOrder = (a: LogEntry, b: LogEntry): number =>
  a.depth - b.depth || compareBytes(a.op.id, b.op.id)

/** Entry of a chain at a position, when the set reaches it. */
export function entryAt(log: DeviceLog, chain: LogChain, position: number): LogEntry | undefined {
  const index = chain.entries[position]
  return index === undefined ? undefined : log.entries[index]
}

/** The operations of the set that can change who is active, in canonical order. */
export function structuralIn(log: DeviceLog, frontier: Frontier): readonly LogEntry[] {
  const found: LogEntry[] = []
  log.chains.forEach((chain, at) => {
    for (const index of chain.structural) {
      const entry = log.entries[index]
      if (entry === undefined || entry.position >= (frontier[at] ?? 0)) break
      found.push(entry)
    }
  })
  return found.sort(canonicalOrder)
}

/** Chains by author. Only a forked author has more than one. */
export function chainsByAuthor(log: DeviceLog): ReadonlyMap<string | null, readonly number[]> {
  const byAuthor = new Map<string | null, number[]>()
  log.chains.forEach((chain, at) => {
    const own = byAuthor.get(chain.author)
    if (own === undefined) byAuthor.set(chain.author, [at])
    else own.push(at)
  })
  return byAuthor
}

/** The first number that two operations of one author share in the set; of several, the lowest ids. */
export function firstFork(log: DeviceLog, frontier: Frontier, chains: readonly number[]): Fork | undefined {
  const runs = chains.flatMap((at) => {
    const chain = log.chains[at]
    const count = frontier[at] ?? 0
    return chain === undefined || count === 0
      ? []
      : [{ chain, from: chain.firstSeq, to: chain.firstSeq + count }]
  })
  runs.sort((a, b) => a.from - b.from)
  let seq = Infinity
  let reach = -Infinity
  for (const run of runs) {
    if (run.from < reach) seq = Math.min(seq, run.from)
    reach = Math.max(reach, run.to)
  }
  if (seq === Infinity) return undefined
  const sharing = runs
    .filter((run) => run.from <= seq && seq < run.to)
    .flatMap((run) => entryAt(log, run.chain, seq - run.from) ?? [])
    .sort((a, b) => compareBytes(a.op.id, b.op.id))
  const [first, second] = sharing
  return first === undefined || second === undefined ? undefined : { seq, first, second }
}

/**
 * What of a set decides who is active, as a string: for an unforked author the number of structural
 * operations, for a forked one the exact extent. Sets with one key have the same active devices.
 */
export function structureKey(
  log: DeviceLog,
  frontier: Frontier,
  byAuthor: ReadonlyMap<string | null, readonly number[]>,
): string {
  const parts: string[] = []
  for (const chains of byAuthor.values()) {
    for (const at of chains) {
      const count = frontier[at] ?? 0
      if (count === 0) continue
      const chain = log.chains[at]
      if (chain === undefined) continue
      parts.push(chains.length > 1 ? `${at}r${count}` : `${at}s${structuralBefore(log, chain, count)}`)
    }
  }
  return parts.join()
}

/** How many structural operations of a chain lie before a position, by bisection. */
function structuralBefore(log: DeviceLog, chain: LogChain, position: number): number {
  let low = 0
  let high = chain.structural.length
  while (low < high) {
    const middle = (low + high) >> 1
    const entry = log.entries[chain.structural[middle] ?? 0]
    if (entry !== undefined && entry.position < position) low = middle + 1
    else high = middle
  }
  return low
}
