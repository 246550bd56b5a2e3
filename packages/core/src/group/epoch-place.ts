import { ancestorsOf, childrenOf, clampedDepth, raisedDepths } from './epoch-graph.ts'
import type { EpochRecord } from './epoch-record.ts'
import {
  indexOfDevice,
  keyOf,
  withEntries,
  type ConversationEpochs,
  type EpochNode,
  type Recipient,
} from './epoch-state.ts'

/** A node for a record just judged, or just written. */
export function nodeOf(
  state: ConversationEpochs,
  record: EpochRecord,
  recipients: readonly Recipient[],
  nowMs: number,
): EpochNode {
  const parents = record.terms.parents.map(keyOf)
  const nobody = recipients.map(() => false)
  return {
    key: keyOf(record.id),
    record,
    parents,
    recipients: sharedRecipients(state, record, recipients),
    self: indexOfDevice(recipients, state.self),
    depth: clampedDepth(state.nodes, record.terms.depth, parents),
    acceptedAtMs: nowMs,
    seeded: false,
    closed: false,
    supersededAtMs: undefined,
    retiredAtMs: undefined,
    heard: nobody,
    acked: nobody,
  }
}

/** A turn's recipients are its routing epoch's: the same array, held once. */
const sharedRecipients = (
  state: ConversationEpochs,
  { terms }: EpochRecord,
  recipients: readonly Recipient[],
): readonly Recipient[] =>
  terms.route === null ? recipients : (state.nodes.get(keyOf(terms.route))?.recipients ?? recipients)

/** The state with a new node. A parent that comes after its children is closed and superseded as they make it. */
export function addNode(state: ConversationEpochs, node: EpochNode, nowMs: number): ConversationEpochs {
  const children = childrenOf(state.nodes).get(node.key) ?? []
  const closed = children.some((child) => child.closed || sealedIn(child))
  const superseded = children.some((child) => child.seeded || child.supersededAtMs !== undefined)
  const placed = { ...node, closed, supersededAtMs: superseded ? nowMs : undefined }
  let nodes = withEntries(state.nodes, [[node.key, placed]])
  nodes = withEntries(
    nodes,
    raisedDepths(nodes, placed).map((raised) => [raised.key, raised] as const),
  )
  return marked({ ...state, nodes }, placed, { closed, superseded }, nowMs)
}

/** Whether this device has sealed in an epoch. */
const sealedIn = (node: EpochNode): boolean => node.heard[node.self] === true

/** Marks what an epoch descends from as closed to this device, superseded, or both. */
export function marked(
  state: ConversationEpochs,
  node: EpochNode,
  how: { readonly closed: boolean; readonly superseded: boolean },
  nowMs: number,
): ConversationEpochs {
  if (!how.closed && !how.superseded) return state
  const changed = ancestorsOf(state.nodes, node)
    .filter((old) => (how.closed && !old.closed) || (how.superseded && old.supersededAtMs === undefined))
    .map((old) => ({
      ...old,
      closed: old.closed || how.closed,
      supersededAtMs: old.supersededAtMs ?? (how.superseded ? nowMs : undefined),
    }))
  return changed.length === 0
    ? state
    : {
        ...state,
        nodes: withEntries(
          state.nodes,
          changed.map((old) => [old.key, old] as const),
        ),
      }
}
