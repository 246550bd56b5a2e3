import { toHex } from '../wire/index.ts'
import type { LogEntry } from './device-log.ts'
import { inPast } from './log-graph.ts'

/**
 * Which revokes stand (docs/protocol/identity.md §5, rules 3 and 4). Everything here is a function of sets;
 * no order but that of ids is used, and none decides.
 */

/** A revoke in question, with what it reaches. */
export interface Revoke {
  readonly entry: LogEntry
  /** Hexadecimal device id. */
  readonly target: string
  readonly cut: number
  /** The target and every device all of whose adds are cut off or written inside the line. */
  readonly line: ReadonlySet<string>
}

/** Adds that may count, by added device and by adding author. */
export interface AddIndex {
  readonly of: ReadonlyMap<string, readonly LogEntry[]>
  readonly by: ReadonlyMap<string | null, readonly LogEntry[]>
  readonly deviceOf: (add: LogEntry) => string
}

/** Whether a revoke cuts an operation off: by its target, and outside its past or numbered above the cut. */
export const cuts = (revoke: Omit<Revoke, 'line'>, entry: LogEntry): boolean =>
  entry.op.by === revoke.target &&
  entry !== revoke.entry &&
  (entry.op.seq > revoke.cut || !inPast(revoke.entry, entry))

/** Whether an author is in the line of a revoke without being its target. */
const inRest = (revoke: Revoke, author: string | null): boolean =>
  author !== null && author !== revoke.target && revoke.line.has(author)

/** Whether a revoke, once it stands, makes an operation void. */
export const hits = (revoke: Revoke, entry: LogEntry): boolean =>
  cuts(revoke, entry) || inRest(revoke, entry.op.by)

/** Reads a revoke entry and computes its line. */
export function revokeOf(entry: LogEntry, adds: AddIndex): Revoke | undefined {
  const { args } = entry.op
  if (args.kind !== 'revoke') return undefined
  const bare = { entry, target: toHex(args.device), cut: args.cut }
  return { ...bare, line: lineOf(bare, adds) }
}

/** Grows the line until no device is left all of whose adds it has taken. */
function lineOf(revoke: Omit<Revoke, 'line'>, adds: AddIndex): ReadonlySet<string> {
  const line = new Set([revoke.target])
  const taken = (add: LogEntry): boolean =>
    cuts(revoke, add) || (add.op.by !== null && add.op.by !== revoke.target && line.has(add.op.by))
  const waiting = [revoke.target]
  for (let author = waiting.pop(); author !== undefined; author = waiting.pop()) {
    for (const add of adds.by.get(author) ?? []) {
      const device = adds.deviceOf(add)
      if (line.has(device) || !(adds.of.get(device) ?? []).every(taken)) continue
      line.add(device)
      waiting.push(device)
    }
  }
  return line
}

/** Revokes that stand, in the components that made them stand: of several in one, each accuses another. */
export function standing(revokes: readonly Revoke[]): readonly (readonly Revoke[])[] {
  const stood: (readonly Revoke[])[] = []
  let left = revokes
  while (left.length > 0) {
    const kills = killGraph(left)
    const { component, components } = strongComponents(kills)
    const attacked = new Set<number>()
    kills.forEach((targets, from) => {
      for (const to of targets) if (component[to] !== component[from]) attacked.add(component[to] ?? -1)
    })
    const sources = components.filter((_, at) => !attacked.has(at))
    const gone = new Set(sources.flat().flatMap((from) => [from, ...(kills[from] ?? [])]))
    stood.push(...sources.map((members) => members.flatMap((at) => left[at] ?? [])))
    left = left.filter((_, at) => !gone.has(at))
  }
  return stood
}

/** For each revoke the positions of those it kills. */
function killGraph(revokes: readonly Revoke[]): readonly (readonly number[])[] {
  const byAuthor = new Map<string, number[]>()
  revokes.forEach((revoke, at) => {
    const author = revoke.entry.op.by
    if (author !== null) byAuthor.set(author, [...(byAuthor.get(author) ?? []), at])
  })
  return revokes.map((revoke, from) =>
    [...revoke.line].flatMap((device) =>
      (byAuthor.get(device) ?? []).filter((to) => {
        const other = revokes[to]
        return to !== from && other !== undefined && hits(revoke, other.entry)
      }),
    ),
  )
}

/** Tarjan's strongly connected components, without recursion: hostile graphs are deep. */
export function strongComponents(graph: readonly (readonly number[])[]): {
  readonly component: readonly number[]
  readonly components: readonly (readonly number[])[]
} {
  const order: number[] = []
  const low: number[] = []
  const component: number[] = []
  const components: number[][] = []
  const stack: number[] = []
  let count = 0
  for (let root = 0; root < graph.length; root++) {
    if (order[root] !== undefined) continue
    const path: { node: number; next: number }[] = [{ node: root, next: 0 }]
    while (path.length > 0) {
      const top = path[path.length - 1]
      if (top === undefined) break
      const { node } = top
      if (order[node] === undefined) {
        order[node] = low[node] = count++
        stack.push(node)
      }
      const target = graph[node]?.[top.next]
      if (target !== undefined) {
        top.next += 1
        if (order[target] === undefined) path.push({ node: target, next: 0 })
        else if (component[target] === undefined) low[node] = Math.min(low[node] ?? 0, order[target])
        continue
      }
      path.pop()
      const parent = path[path.length - 1]?.node
      if (parent !== undefined) low[parent] = Math.min(low[parent] ?? 0, low[node] ?? 0)
      if (low[node] !== order[node]) continue
      const members = stack.splice(stack.lastIndexOf(node))
      for (const member of members) component[member] = components.length
      components.push(members)
    }
  }
  return { component, components }
}
