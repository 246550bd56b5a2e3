import type { CryptoProvider, Secret } from '../crypto/index.ts'
import { accepted, held, rejected, type Verdict } from '../errors.ts'
import { equalBytes } from '../wire/index.ts'
import { ChainReader } from './chain-reader.ts'
import {
  decodeEnvelope,
  openEnvelope,
  type Control,
  type EnvelopeContent,
  type EnvelopeMessage,
} from './envelope.ts'
import { epochTagBytes } from './packed.ts'
import { dropSkipped } from './epoch-retire.ts'
import {
  keyOf,
  routeKeyOf,
  withEntries,
  type ConversationEpochs,
  type EpochNode,
  type Recipient,
} from './epoch-state.ts'

/** Why an envelope was ignored. Only `outer` speaks against who forwarded it: members' views differ. */
export type OpenRefusal =
  | 'malformed'
  | 'outer'
  | 'own'
  | 'retired'
  | 'wrong-route'
  | 'replayed'
  | 'too-far'
  | 'inner'
  | 'bad-base'
  | 'not-a-record'

/** What an envelope held. */
export type OpenedEnvelope =
  | { readonly kind: 'control'; readonly control: Control; readonly route: Uint8Array }
  | (SealedCandidate & {
      readonly kind: 'record'
      /** Its generation is spent. False where the base is not known yet: then nothing changed. */
      readonly counted: boolean
    })

/** Something a chain opened. Every member derives every chain: this says nothing of who sealed it. */
export interface SealedCandidate {
  readonly content: Uint8Array
  readonly author: Recipient
  /** What the record must say its number is; undefined while the author's base is not known. */
  readonly aseq: number | undefined
  readonly epoch: Uint8Array
  /** Whether what the epoch carries may be given to those who join later. */
  readonly history: number
}

/**
 * Says of each candidate whether its content is a record of that author, with that number, whose signature
 * verifies (itself, or through later records of the same batch that link to it) and whose commitment opens.
 * It is the one proof of who spoke; nothing counts without it.
 */
export type JudgeRecords = (candidates: readonly SealedCandidate[]) => readonly boolean[]

/** An envelope and, where known, the epoch whose topic or queue it came by; else every topic's key is tried. */
export interface EnvelopeInput {
  readonly envelope: Uint8Array
  readonly route?: Uint8Array | undefined
}

/** One verdict an envelope, in their order; the state after all; what to wipe after the commit. */
export interface EnvelopesOpened {
  readonly state: ConversationEpochs
  readonly verdicts: readonly Verdict<OpenedEnvelope, OpenRefusal>[]
  readonly spent: readonly Secret[]
}

/** Whether a record of a device is held already; its generation then leaves no key behind. */
export type HoldsRecord = (author: Recipient, aseq: number) => boolean

const holdsNothing: HoldsRecord = () => false

/**
 * Opens envelopes. First everything is opened on the side, then the records are judged, and only what counts
 * changes the state: a generation is spent, a base kept, a device counted as heard. Whatever is refused leaves
 * no trace. Held: `route` without the topic's key, `epoch` without the seed.
 */
export function open(
  crypto: CryptoProvider,
  state: ConversationEpochs,
  inputs: readonly EnvelopeInput[],
  judge: JudgeRecords,
  nowMs: number,
  holds: HoldsRecord = holdsNothing,
): EnvelopesOpened {
  const readers = new Map<string, ChainReader>()
  const found = inputs.map((input) => findRecord(crypto, state, input, readers))
  const candidates = found.flatMap((item) => ('candidate' in item ? [item] : []))
  const genuine = candidates.length === 0 ? [] : judge(candidates.map(({ candidate }) => candidate))
  let lastSpeaker = state.lastSpeaker
  let at = 0
  const verdicts = found.map((item): Verdict<OpenedEnvelope, OpenRefusal> => {
    if (!('candidate' in item)) return item
    if (genuine[at++] !== true) return rejected('not-a-record')
    const { candidate, reader, generation, base } = item
    if (base === undefined) return accepted({ kind: 'record', ...candidate, counted: false })
    if (!reader.spend(generation, base)) return rejected('replayed')
    lastSpeaker = candidate.author
    return accepted({ kind: 'record', ...candidate, counted: true })
  })
  return commitReaders({ ...state, lastSpeaker }, state, readers, verdicts, nowMs, holds)
}

/** The state with what the readers spent; the same value when that is nothing. */
function commitReaders(
  spoken: ConversationEpochs,
  before: ConversationEpochs,
  readers: ReadonlyMap<string, ChainReader>,
  verdicts: EnvelopesOpened['verdicts'],
  nowMs: number,
  holds: HoldsRecord,
): EnvelopesOpened {
  const spent: Secret[] = []
  let { keys, nodes } = spoken
  let counted = false
  let grew = false
  for (const reader of readers.values()) {
    const chain = reader.finish(nowMs, holds)
    if (chain === undefined) continue
    counted = true
    grew ||= chain.grew
    spent.push(...chain.spent)
    const { node, index } = reader
    const held = keys.get(node.key)
    if (held !== undefined)
      keys = withEntries(keys, [[node.key, { ...held, chains: held.chains.with(index, chain.chain) }]])
    const known = nodes.get(node.key)
    if (known !== undefined && known.heard[index] !== true)
      nodes = withEntries(nodes, [[node.key, { ...known, heard: known.heard.with(index, true) }]])
  }
  if (!counted) return { state: before, verdicts, spent }
  const after = { ...spoken, keys, nodes }
  if (!grew) return { state: after, verdicts, spent }
  const bounded = dropSkipped(after, nowMs)
  return { state: bounded.state, verdicts, spent: [...spent, ...bounded.spent] }
}

type Found =
  | Exclude<Verdict<OpenedEnvelope, OpenRefusal>, { readonly verdict: 'accepted'; readonly value: never }>
  | {
      readonly candidate: SealedCandidate
      readonly reader: ChainReader
      readonly generation: number
      readonly base: number | undefined
    }

function findRecord(
  crypto: CryptoProvider,
  state: ConversationEpochs,
  input: EnvelopeInput,
  readers: Map<string, ChainReader>,
): Found {
  const outer = openOuter(crypto, state, input)
  if ('verdict' in outer) return outer
  const { content, route } = outer
  if (content.kind === 'control')
    return accepted({ kind: 'control', control: content.control, route: route.record.id })
  const node = epochOf(state, content, route)
  if ('verdict' in node) return node
  const author = node.recipients[content.index]
  if (author === undefined) return rejected('malformed')
  if (content.index === node.self) return rejected('own')
  const reader = readerOf(crypto, state, node, content.index, readers)
  if (reader === undefined) return rejected('retired')
  const opened = reader.read(content.generation, content.inner)
  if (typeof opened === 'string') return rejected(opened)
  const base = reader.baseOf(opened.slot)
  if (base === 'bad-base') return rejected('bad-base')
  const candidate = {
    content: opened.content,
    author,
    aseq: base === undefined ? undefined : content.generation + base,
    epoch: node.record.id,
    history: node.record.terms.history,
  }
  return { candidate, reader, generation: content.generation, base }
}

/** Opens the outer layer with the key of its topic, or tries them all. */
function openOuter(
  crypto: CryptoProvider,
  state: ConversationEpochs,
  { envelope, route }: EnvelopeInput,
): { readonly content: EnvelopeContent; readonly route: EpochNode } | Verdict<never, OpenRefusal> {
  const parts = decodeEnvelope(envelope)
  if (parts === undefined) return rejected('malformed')
  const names = route === undefined ? [...state.keys.keys()] : [keyOf(route)]
  let tried = false
  for (const name of names) {
    const key = state.keys.get(name)?.route?.envelope
    const node = state.nodes.get(name)
    if (key === undefined || node === undefined) continue
    tried = true
    const content = openEnvelope(crypto, key.expose(), parts)
    if (content === 'malformed') return rejected('malformed')
    if (content !== 'outer') return { content, route: node }
  }
  return route === undefined || !tried ? held('route') : rejected('outer')
}

/** The epoch an envelope names, which must ride on the topic it came by. */
function epochOf(
  state: ConversationEpochs,
  { tag }: EnvelopeMessage,
  route: EpochNode,
): EpochNode | Verdict<never, OpenRefusal> {
  const named = (node: EpochNode | undefined): node is EpochNode =>
    node !== undefined && equalBytes(node.record.id.subarray(0, epochTagBytes), tag)
  const keyed = [...state.keys.keys()].map((key) => state.nodes.get(key)).find(named)
  const node = keyed ?? [...state.nodes.values()].find(named)
  if (node === undefined) return held('epoch')
  if (routeKeyOf(node) !== route.key) return rejected('wrong-route')
  return keyed === undefined && !node.seeded ? held('epoch') : node
}

function readerOf(
  crypto: CryptoProvider,
  state: ConversationEpochs,
  node: EpochNode,
  index: number,
  readers: Map<string, ChainReader>,
): ChainReader | undefined {
  const name = `${node.key}/${String(index)}`
  const known = readers.get(name)
  const chain = state.keys.get(node.key)?.chains[index]
  const author = node.recipients[index]
  if (known !== undefined || chain === undefined || author === undefined) return known
  const reader = new ChainReader(crypto, { conversation: state.conversation, node, index, author }, chain)
  readers.set(name, reader)
  return reader
}
