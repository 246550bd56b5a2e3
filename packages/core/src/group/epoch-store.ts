import { Secret, sizes, type CryptoProvider, type SignPublicKey } from '../crypto/index.ts'
import { accountIdShape, addressKey, deviceIdShape } from '../identity/index.ts'
import { limits } from '../limits.ts'
import {
  bool,
  bytes,
  bytesBetween,
  equalBytes,
  fields,
  frame,
  list,
  literal,
  nullable,
  toHex,
  uint,
} from '../wire/index.ts'
import { chainsPerRow, decodeChains, encodeChains } from './chain-codec.ts'
import { slotBaseShape } from './epoch-items.ts'
import { readEpoch } from './epoch-record.ts'
import {
  indexOfDevice,
  keyOf,
  noEpochs,
  type ConversationEpochs,
  type EpochKeys,
  type EpochNode,
  type PendingSeed,
  type Recipient,
} from './epoch-state.ts'

/** One stored value. Values hold secrets: they belong into a sealed store. Keys are ASCII and no secret. */
export interface EpochRow {
  readonly key: string
  /** Undefined deletes the row. */
  readonly value: Uint8Array | undefined
}

const id = bytes(sizes.hash)
const secretShape = bytes(sizes.seed)
const address = fields({ account: accountIdShape, device: deviceIdShape })
const flags = list(bool, limits.epochDevices)

const headFrame = frame(
  'epochs',
  fields({
    version: literal(1),
    conversation: id,
    self: address,
    lastSpeaker: nullable(address),
    forgottenUpToMs: uint(),
  }),
  512,
)
const nodeFrame = frame(
  'epoch-node',
  fields({
    record: bytesBetween(1, limits.epochRecordBytes),
    /** Null for a turn: its routing epoch's. */
    recipients: nullable(
      list(
        fields({
          account: accountIdShape,
          device: deviceIdShape,
          identityKey: bytes<SignPublicKey>(sizes.signPublic),
        }),
        limits.epochDevices,
      ),
    ),
    depth: uint(),
    acceptedAtMs: uint(),
    seeded: bool,
    closed: bool,
    supersededAtMs: nullable(uint()),
    retiredAtMs: nullable(uint()),
    heard: flags,
    acked: flags,
  }),
  limits.epochRecordBytes + limits.epochDevices * 112 + 512,
)
const keysFrame = frame(
  'epoch-keys',
  fields({
    exporter: secretShape,
    route: nullable(fields({ envelope: secretShape, topic: secretShape, queue: secretShape })),
    ownSlot: nullable(slotBaseShape),
    chains: uint(limits.epochDevices),
  }),
  512,
)
const pendingFrame = frame(
  'pending-seed',
  fields({ epoch: id, context: id, secret: secretShape, from: address, receivedAtMs: uint() }),
  512,
)

const headKey = 'e'
const nodeKey = (key: string): string => `n/${key}`
const keysKey = (key: string): string => `k/${key}`
const chainsKey = (key: string, row: number): string => `c/${key}/${String(row)}`
const pendingKey = (seed: PendingSeed): string => `p/${toHex(seed.epoch)}/${addressKey(seed.from)}`

/** All rows of a conversation's epochs. */
export const epochRows = (state: ConversationEpochs): readonly EpochRow[] =>
  epochChanges(noEpochs(state.conversation, state.self), state, true)

/**
 * The rows that turn one state into another, by identity of their parts: a message writes one row of chains.
 * `whole` writes the head even where it is the same.
 */
export function epochChanges(
  before: ConversationEpochs,
  after: ConversationEpochs,
  whole = false,
): readonly EpochRow[] {
  const rows: EpochRow[] = []
  const head = before.lastSpeaker !== after.lastSpeaker || before.forgottenUpToMs !== after.forgottenUpToMs
  if (whole || head) rows.push({ key: headKey, value: encodeHead(after) })
  for (const [key, node] of after.nodes)
    if (before.nodes.get(key) !== node) rows.push({ key: nodeKey(key), value: encodeNode(node) })
  for (const key of before.nodes.keys())
    if (!after.nodes.has(key)) rows.push({ key: nodeKey(key), value: undefined })
  for (const key of new Set([...before.keys.keys(), ...after.keys.keys()]))
    rows.push(...keyChanges(key, before.keys.get(key), after.keys.get(key)))
  return [...rows, ...pendingChanges(before, after)]
}

const encodeHead = ({ conversation, self, lastSpeaker, forgottenUpToMs }: ConversationEpochs): Uint8Array =>
  headFrame.encode({ version: 1, conversation, self, lastSpeaker: lastSpeaker ?? null, forgottenUpToMs })

const encodeNode = (node: EpochNode): Uint8Array =>
  nodeFrame.encode({
    record: node.record.bytes,
    recipients: node.record.terms.route === null ? node.recipients : null,
    depth: node.depth,
    acceptedAtMs: node.acceptedAtMs,
    seeded: node.seeded,
    closed: node.closed,
    supersededAtMs: node.supersededAtMs ?? null,
    retiredAtMs: node.retiredAtMs ?? null,
    heard: node.heard,
    acked: node.acked,
  })

function keyChanges(
  key: string,
  before: EpochKeys | undefined,
  after: EpochKeys | undefined,
): readonly EpochRow[] {
  if (before === after) return []
  const rows: EpochRow[] = []
  if (headOfKeysChanged(before, after))
    rows.push({ key: keysKey(key), value: after === undefined ? undefined : encodeKeys(after) })
  const blocks = Math.ceil(Math.max(before?.chains.length ?? 0, after?.chains.length ?? 0) / chainsPerRow)
  for (let row = 0; row < blocks; row++) {
    const [from, to] = [row * chainsPerRow, (row + 1) * chainsPerRow]
    const now = after?.chains.slice(from, to) ?? []
    const then = before?.chains.slice(from, to) ?? []
    if (now.length === then.length && now.every((chain, i) => chain === then[i])) continue
    rows.push({ key: chainsKey(key, row), value: now.length === 0 ? undefined : encodeChains(now) })
  }
  return rows
}

const headOfKeysChanged = (before: EpochKeys | undefined, after: EpochKeys | undefined): boolean =>
  before === undefined ||
  after === undefined ||
  before.exporter !== after.exporter ||
  before.route !== after.route ||
  before.ownSlot !== after.ownSlot ||
  before.chains.length !== after.chains.length

/** A retired epoch's exporter is gone: zeros stand for it, and with no chains it is never used. */
const encodeKeys = ({ exporter, route, ownSlot, chains }: EpochKeys): Uint8Array =>
  keysFrame.encode({
    exporter: chains.length === 0 ? new Uint8Array(sizes.seed) : exporter.expose(),
    route:
      route === undefined
        ? null
        : {
            envelope: route.envelope.expose(),
            topic: route.topic.expose(),
            queue: route.queue.expose(),
          },
    ownSlot: ownSlot ?? null,
    chains: chains.length,
  })

function pendingChanges(before: ConversationEpochs, after: ConversationEpochs): readonly EpochRow[] {
  const gone = before.pending.filter((seed) => !after.pending.includes(seed))
  const come = after.pending.filter((seed) => !before.pending.includes(seed))
  return [
    ...gone.map((seed) => ({ key: pendingKey(seed), value: undefined })),
    ...come.map((seed) => ({
      key: pendingKey(seed),
      value: pendingFrame.encode({ ...seed, secret: seed.secret.expose() }),
    })),
  ]
}

/**
 * The state that all rows of a conversation stand for, in whatever order; undefined when they are not that. Its secrets
 * are the copies that were read: the rows stay as they were, and no third one is left behind.
 */
export function restoreEpochs(
  crypto: CryptoProvider,
  rows: Iterable<{ readonly key: string; readonly value: Uint8Array }>,
): ConversationEpochs | undefined {
  const byKey = new Map<string, Uint8Array>()
  for (const { key, value } of rows) byKey.set(key, value)
  const stored = byKey.get(headKey)
  const head = stored && headFrame.decode(stored)
  if (head?.ok !== true) return undefined
  const { conversation, self, lastSpeaker, forgottenUpToMs } = head.value
  const nodes = readNodes(crypto, byKey, conversation, self)
  const keys = nodes && readKeys(byKey, nodes)
  const pending = readPending(byKey)
  if (nodes === undefined || keys === undefined || pending === undefined) return undefined
  return { conversation, self, nodes, keys, pending, lastSpeaker: lastSpeaker ?? undefined, forgottenUpToMs }
}

type Rows = ReadonlyMap<string, Uint8Array>

function readNodes(
  crypto: CryptoProvider,
  rows: Rows,
  conversation: Uint8Array,
  self: ConversationEpochs['self'],
): ReadonlyMap<string, EpochNode> | undefined {
  const read = new Map<
    string,
    Omit<EpochNode, 'recipients' | 'self'> & { recipients: readonly Recipient[] | null }
  >()
  for (const [key, value] of rows) {
    if (!key.startsWith('n/')) continue
    const decoded = nodeFrame.decode(value)
    const record = decoded.ok ? readEpoch(crypto, decoded.value.record) : undefined
    if (!decoded.ok || record === undefined || nodeKey(keyOf(record.id)) !== key) return undefined
    if (!equalBytes(record.terms.conversation, conversation)) return undefined
    const { supersededAtMs, retiredAtMs, ...rest } = decoded.value
    read.set(keyOf(record.id), {
      ...rest,
      key: keyOf(record.id),
      record,
      parents: record.terms.parents.map(keyOf),
      supersededAtMs: supersededAtMs ?? undefined,
      retiredAtMs: retiredAtMs ?? undefined,
    })
  }
  const nodes = new Map<string, EpochNode>()
  for (const [key, node] of read) {
    const { route } = node.record.terms
    const recipients = node.recipients ?? (route === null ? undefined : read.get(keyOf(route))?.recipients)
    if (recipients === undefined || recipients === null) return undefined
    if (node.heard.length !== recipients.length || node.acked.length !== recipients.length) return undefined
    nodes.set(key, { ...node, recipients, self: indexOfDevice(recipients, self) })
  }
  return nodes
}

function readKeys(
  rows: Rows,
  nodes: ReadonlyMap<string, EpochNode>,
): ReadonlyMap<string, EpochKeys> | undefined {
  const out = new Map<string, EpochKeys>()
  for (const [rowKey, value] of rows) {
    if (!rowKey.startsWith('k/')) continue
    const key = rowKey.slice(2)
    const decoded = keysFrame.decode(value)
    const node = nodes.get(key)
    if (!decoded.ok || node === undefined) return undefined
    const { exporter, route, ownSlot, chains: count } = decoded.value
    const chains: EpochKeys['chains'][number][] = []
    for (let row = 0; row * chainsPerRow < count; row++) {
      const block = decodeChains(rows.get(chainsKey(key, row)) ?? new Uint8Array(0))
      if (block === undefined) return undefined
      chains.push(...block)
    }
    if (chains.length !== count || (count !== 0 && count !== node.recipients.length)) return undefined
    out.set(key, {
      exporter: new Secret(exporter),
      route: route === null ? undefined : secretRoute(route),
      chains,
      ownSlot: ownSlot ?? undefined,
    })
  }
  return out
}

const secretRoute = (route: {
  readonly envelope: Uint8Array
  readonly topic: Uint8Array
  readonly queue: Uint8Array
}): NonNullable<EpochKeys['route']> => ({
  envelope: new Secret(route.envelope),
  topic: new Secret(route.topic),
  queue: new Secret(route.queue),
})

function readPending(rows: Rows): readonly PendingSeed[] | undefined {
  const pending: PendingSeed[] = []
  for (const [key, value] of rows) {
    if (!key.startsWith('p/')) continue
    const decoded = pendingFrame.decode(value)
    if (!decoded.ok) return undefined
    pending.push({ ...decoded.value, secret: new Secret(decoded.value.secret) })
  }
  return pending.length > limits.pendingSeeds ? undefined : pending
}
