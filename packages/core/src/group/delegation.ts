import type { OpEntry } from './op-graph.ts'

/** The tree of delegation: which grant was given by which. Fixed by citation, whoever counts. */

/** Whether a grant gives authority over another: a higher role, or an ancestor of it. A member's gives none. */
export function standsAbove(cap: OpEntry, other: OpEntry): boolean {
  if (cap.grant === undefined || other.grant === undefined || cap.grant.rank > 1) return false
  return cap.grant.rank < other.grant.rank || isAncestor(cap, other)
}

/** Whether one grant lies above another in the tree of delegation. */
function isAncestor(above: OpEntry, below: OpEntry): boolean {
  const level = above.grant?.level ?? 0
  let at: OpEntry | undefined = below.grant?.parent
  while (at !== undefined && (at.grant?.level ?? 0) > level) at = at.grant?.parent
  return at === above
}
