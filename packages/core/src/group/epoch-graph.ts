import { compareBytes } from '../wire/index.ts'
import type { EpochNode } from './epoch-state.ts'

type Nodes = ReadonlyMap<string, EpochNode>

/** Preferred first: greatest depth, then smallest id. */
export const comparePreference = (a: EpochNode, b: EpochNode): number =>
  b.depth - a.depth || compareBytes(a.record.id, b.record.id)

/** Epochs no known epoch names for a parent, preferred first. */
export function tipsOf(nodes: Nodes): readonly EpochNode[] {
  const named = new Set<string>()
  for (const node of nodes.values()) for (const parent of node.parents) named.add(parent)
  return [...nodes.values()].filter(({ key }) => !named.has(key)).sort(comparePreference)
}

/** Known children by parent, whether or not the parent is known. */
export function childrenOf(nodes: Nodes): ReadonlyMap<string, readonly EpochNode[]> {
  const children = new Map<string, EpochNode[]>()
  for (const node of nodes.values()) {
    for (const parent of node.parents) {
      const list = children.get(parent)
      if (list === undefined) children.set(parent, [node])
      else list.push(node)
    }
  }
  return children
}

/** Everything reached from `start`, by `next`; each once. Ids are hashes, so that nothing reaches itself. */
function reach(
  start: EpochNode,
  next: (node: EpochNode) => readonly (EpochNode | undefined)[],
): readonly EpochNode[] {
  const seen = new Set<string>()
  const found: EpochNode[] = []
  const open = [start]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const other of next(node)) {
      if (other === undefined || seen.has(other.key)) continue
      seen.add(other.key)
      found.push(other)
      open.push(other)
    }
  }
  return found
}

/** Known epochs that this one descends from. */
export const ancestorsOf = (nodes: Nodes, node: EpochNode): readonly EpochNode[] =>
  reach(node, ({ parents }) => parents.map((parent) => nodes.get(parent)))

/** Known epochs that descend from this one. */
export const descendantsOf = (nodes: Nodes, node: EpochNode): readonly EpochNode[] => {
  const children = childrenOf(nodes)
  return reach(node, ({ key }) => children.get(key) ?? [])
}

/** A claimed depth, at most one more than the deepest known parent's; 0 when none is known. */
export const clampedDepth = (nodes: Nodes, claimed: number, parents: readonly string[]): number =>
  Math.min(claimed, 1 + Math.max(-1, ...parents.map((parent) => nodes.get(parent)?.depth ?? -1)))

/**
 * Depths after `node` came, where it may be a parent that came late: they only rise, so that what was
 * forgotten before keeps its weight.
 */
export function raisedDepths(nodes: Nodes, node: EpochNode): readonly EpochNode[] {
  const children = childrenOf(nodes)
  const raised = new Map<string, EpochNode>()
  const depths = new Map(nodes)
  const open = [node.key]
  for (let at = open.shift(); at !== undefined; at = open.shift()) {
    for (const { key } of children.get(at) ?? []) {
      const child = depths.get(key)
      if (child === undefined) continue
      const depth = clampedDepth(depths, child.record.terms.depth, child.parents)
      if (depth <= child.depth) continue
      const next = { ...child, depth }
      depths.set(key, next)
      raised.set(key, next)
      open.push(key)
    }
  }
  return [...raised.values()]
}
