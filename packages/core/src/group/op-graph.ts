import { compareBytes } from '../wire/index.ts'
import type { MembershipOp, OpId, Role } from './op.ts'

/**
 * The graph of membership operations. A device's operations form a chain, a forked one's a chain a branch, so
 * the past of an operation is told by how many operations of each chain are in it: a vector clock, exact, and
 * "is y in the past of x" is one comparison.
 */

/** What a `create`, grant, demotion or admission gives, by its own bytes and those it cites: never judged. */
export interface Grant {
  /** Hexadecimal of the account that holds it. */
  readonly account: string
  readonly role: Role
  /** 0 owner, 1 admin, 2 member. */
  readonly rank: number
  /** Grants above it. */
  readonly level: number
  /** The grant it was given by; undefined for the creator's. */
  readonly parent: OpEntry | undefined
}

/** An admitted operation with its place; chains are numbered within one `OpSet`. */
export interface OpEntry {
  readonly op: MembershipOp
  readonly index: number
  readonly deps: readonly OpEntry[]
  /** The author's operation before. */
  readonly before: OpEntry | undefined
  /** 1 + the greatest depth among what it names; 0 for the first. */
  readonly depth: number
  readonly chain: number
  readonly position: number
  /** How many operations of each chain are in its past; missing ones are 0. */
  readonly past: Uint32Array
  /** Operations of its device, itself included, dated on its day. */
  readonly today: number
  /** The grant it cites. */
  readonly cap: OpEntry | undefined
  /** The grant it is. */
  readonly grant: Grant | undefined
}

/** One unbroken run of a device's operations. */
export interface OpChain {
  /** `addressKey` of the device. */
  readonly by: string
  readonly entries: readonly OpEntry[]
}

/** A causally closed set of operations: how many of each chain. */
export type Clock = ArrayLike<number>

/** Whether `y` is in the past of `x`. */
export const inPast = (x: OpEntry, y: OpEntry): boolean => (x.past[y.chain] ?? 0) > y.position

/** Whether `y` is in the set. */
export const within = (clock: Clock, y: OpEntry): boolean => (clock[y.chain] ?? 0) > y.position

/** The set of these operations and their pasts. */
export function clockOf(heads: readonly OpEntry[]): Uint32Array {
  const length = heads.reduce((most, head) => Math.max(most, head.past.length, head.chain + 1), 0)
  const clock = new Uint32Array(length)
  for (const { past, chain, position } of heads) {
    for (let i = 0; i < past.length; i++) if ((past[i] ?? 0) > (clock[i] ?? 0)) clock[i] = past[i] ?? 0
    if (position >= (clock[chain] ?? 0)) clock[chain] = position + 1
  }
  return clock
}

/** Order that extends "in the past of": depth, then id. The same on every replica. */
export const canonicalOrder = (a: OpEntry, b: OpEntry): number =>
  a.depth - b.depth || compareBytes(a.op.id, b.op.id)

/** Of a list of operations those that no other of it has in its past, in canonical order. */
export const newest = (list: readonly OpEntry[]): readonly OpEntry[] =>
  list.filter((one) => !list.some((other) => inPast(other, one))).sort(canonicalOrder)

/** Ids in byte order. */
export const sortedIds = (entries: readonly OpEntry[]): readonly OpId[] =>
  entries.map((entry) => entry.op.id).sort(compareBytes)
