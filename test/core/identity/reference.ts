/**
 * A second, naive reading of the device log's rules: sets, recursion and no shortcuts. It shares no code with
 * the room but the decoded operations, and is what the room is compared with.
 */
import { readCertificate, type LogOp } from '../../../packages/core/src/identity/index.ts'
import { toHex } from '../../../packages/core/src/wire/index.ts'
import { crypto } from './support.ts'

const deviceCache = new Map<string, string>()

function addedBy(op: LogOp): string | undefined {
  if (op.args.kind !== 'add') return undefined
  const known = deviceCache.get(op.key)
  if (known !== undefined) return known
  const certificate = readCertificate(crypto, op.args.certificate)
  const device = certificate === undefined ? '' : toHex(certificate.device)
  deviceCache.set(op.key, device)
  return device
}

const targetOf = (op: LogOp): string => (op.args.kind === 'revoke' ? toHex(op.args.device) : '')
const cutOf = (op: LogOp): number => (op.args.kind === 'revoke' ? op.args.cut : 0)

export interface ReferenceResult {
  readonly active: readonly string[]
  readonly out: ReadonlySet<string>
  readonly standing: readonly LogOp[]
  readonly formed: readonly LogOp[]
  readonly hits: (revoke: LogOp, op: LogOp) => boolean
}

export function reference(all: readonly LogOp[]): ReferenceResult {
  const byKey = new Map(all.map((op) => [op.key, op]))
  const pasts = new Map<string, Set<string>>()
  const past = (op: LogOp): Set<string> => {
    const known = pasts.get(op.key)
    if (known !== undefined) return known
    const set = new Set<string>()
    pasts.set(op.key, set)
    for (const head of op.prevHeads.map(toHex)) {
      set.add(head)
      const before = byKey.get(head)
      if (before !== undefined) for (const key of past(before)) set.add(key)
    }
    return set
  }
  const depths = new Map<string, number>()
  const depth = (op: LogOp): number => {
    const known = depths.get(op.key)
    if (known !== undefined) return known
    const value = op.prevHeads.reduce((max, head) => Math.max(max, depth(byKey.get(toHex(head))!) + 1), 0)
    depths.set(op.key, value)
    return value
  }
  const memo = new Map<string, ReferenceResult>()
  const solve = (list: readonly LogOp[]): ReferenceResult => {
    const key = list
      .map((op) => op.key)
      .sort()
      .join()
    const known = memo.get(key)
    if (known !== undefined) return known
    const result = solveFresh(list, past, depth)
    memo.set(key, result)
    return result
  }
  const good = new Set<string>()
  const opsOf = (keys: Iterable<string>): LogOp[] => [...keys].map((key) => byKey.get(key)!)
  for (let grew = true; grew;) {
    grew = false
    for (const op of all) {
      if (good.has(op.key) || !op.prevHeads.every((head) => good.has(toHex(head)))) continue
      const before = opsOf(past(op))
      if (op.by !== null && addedBy(op) === op.by) continue
      if (op.by !== null && !solve(before).active.includes(op.by)) continue
      const needs = op.args.kind === 'revoke' || op.args.kind === 'renew' ? toHex(op.args.device) : undefined
      if (needs !== undefined && !before.some((one) => addedBy(one) === needs)) continue
      good.add(op.key)
      grew = true
    }
  }
  return solve(opsOf(good))
}

function shared(ops: readonly LogOp[]): number {
  const seen = new Set<number>()
  return ops.reduce((least, { seq }) => {
    if (seen.has(seq)) return Math.min(least, seq)
    seen.add(seq)
    return least
  }, Infinity)
}

function solveFresh(
  list: readonly LogOp[],
  past: (op: LogOp) => ReadonlySet<string>,
  depth: (op: LogOp) => number,
): ReferenceResult {
  const isRevoke = (op: LogOp): boolean => op.args.kind === 'revoke'
  const forkOf = new Map<string | null, number>()
  for (const by of new Set(list.map((op) => op.by))) forkOf.set(by, shared(list.filter((op) => op.by === by)))
  const severed = (op: LogOp): boolean => !isRevoke(op) && op.seq >= (forkOf.get(op.by) ?? Infinity)
  const pardoned = new Set(
    list.flatMap((op) => (op.args.kind === 'unrevoke' && !severed(op) ? [toHex(op.args.revoke)] : [])),
  )
  const adds = list.filter((op) => op.args.kind === 'add' && !severed(op))
  const revokes = list.filter((op) => isRevoke(op) && !pardoned.has(op.key))
  const cuts = (R: LogOp, op: LogOp): boolean =>
    op.by === targetOf(R) && op !== R && (!past(R).has(op.key) || op.seq > cutOf(R))
  const lines = new Map(
    revokes.map((R) => {
      const line = new Set([targetOf(R)])
      const taken = (add: LogOp): boolean =>
        cuts(R, add) || (add.by !== null && add.by !== targetOf(R) && line.has(add.by))
      for (let grew = true; grew;) {
        grew = false
        for (const add of adds) {
          const device = addedBy(add)!
          if (line.has(device) || !adds.filter((one) => addedBy(one) === device).every(taken)) continue
          line.add(device)
          grew = true
        }
      }
      return [R, line]
    }),
  )
  const hits = (R: LogOp, op: LogOp): boolean =>
    cuts(R, op) || (op.by !== null && op.by !== targetOf(R) && (lines.get(R)?.has(op.by) ?? false))
  const standing: LogOp[] = []
  for (let left = revokes; left.length > 0;) {
    const reach = new Map(
      left.map((R) => {
        const set = new Set<LogOp>()
        const stack = [R]
        for (let top = stack.pop(); top !== undefined; top = stack.pop())
          for (const other of left)
            if (!set.has(other) && hits(top, other)) {
              set.add(other)
              stack.push(other)
            }
        return [R, set]
      }),
    )
    const together = (a: LogOp, b: LogOp): boolean =>
      a === b || (reach.get(a)!.has(b) && reach.get(b)!.has(a))
    const source = left.filter((R) =>
      left.every((mate) => !together(R, mate) || left.every((X) => together(X, mate) || !hits(X, mate))),
    )
    standing.push(...source)
    left = left.filter((R) => !source.includes(R) && !source.some((X) => hits(X, R)))
  }
  const out = new Set(standing.flatMap((R) => [...lines.get(R)!]))
  const rank = (a: LogOp, b: LogOp): number =>
    Number(a.by !== null) - Number(b.by !== null) ||
    depth(a) - depth(b) ||
    (a.key < b.key ? -1 : Number(a.key > b.key))
  const live = adds
    .filter((add) => !standing.some((R) => hits(R, add)))
    .filter((add, _, rest) =>
      add.by === null ? true : rest.filter((other) => other.by === add.by && other.seq < add.seq).length < 8,
    )
  const supported = (excess: ReadonlySet<string>): Map<string, LogOp> => {
    const best = new Map<string, LogOp>()
    for (let grew = true; grew;) {
      grew = false
      for (const add of live) {
        const device = addedBy(add)!
        if (excess.has(device) || !(add.by === null || best.has(add.by))) continue
        const known = best.get(device)
        if (known !== undefined && rank(known, add) <= 0) continue
        best.set(device, add)
        grew = true
      }
    }
    return best
  }
  const rankedOf = (best: Map<string, LogOp>): string[] =>
    [...best]
      .filter(([device]) => !out.has(device) && (forkOf.get(device) ?? Infinity) === Infinity)
      .sort(([, a], [, b]) => rank(a, b))
      .map(([device]) => device)
  const ranked = rankedOf(supported(new Set()))
  const active = ranked.length <= 16 ? ranked : rankedOf(supported(new Set(ranked.slice(16))))
  return { active: [...active].sort(), out, standing, formed: list, hits }
}
