/** One device of the model: a state, and what becomes of it by the rules of the group room. */
import type { Secret } from '../../packages/core/src/crypto/index.ts'
import { deriveEpoch } from '../../packages/core/src/group/epoch-keys.ts'
import { placeKeys } from '../../packages/core/src/group/epoch-keyed.ts'
import {
  acceptEpoch,
  chooseBase,
  createEpoch,
  epochDue,
  keepSeed,
  onSeed,
  onSeedAck,
  open,
  seal,
  sealRandomBytes,
  sweepEpochs,
  type ConversationEpochs,
  type EpochReason,
} from '../../packages/core/src/group/index.ts'
import { equalBytes, toHex, utf8 } from '../../packages/core/src/wire/index.ts'
import { receiveOn, sendOn, type End, type Place } from './ratchet.ts'
import { bitsOf, type Epoch, type Universe } from './universe.ts'

/** Everything one device knows. `read` and `sealed` are envelopes by name, for the properties. */
export interface Local {
  readonly index: number
  readonly epochs: ConversationEpochs
  /** Membership operations known, as bits. */
  readonly ops: number
  /** Records written; number `aseq` is everything there is to one. */
  readonly next: number
  /** Epochs begun. */
  readonly draws: number
  readonly read: readonly string[]
  readonly sealed: readonly string[]
  /** Sessions by peer. */
  readonly ends: readonly End[]
}

/** One generation on its way. */
export interface Envelope {
  readonly bytes: Uint8Array
  readonly route: Uint8Array
  readonly name: EnvelopeName
}

export interface EnvelopeName {
  readonly epoch: string
  readonly index: number
  readonly generation: number
  readonly by: number
  readonly aseq: number
}
export const nameOf = ({ epoch, index, generation, by, aseq }: EnvelopeName): string =>
  [epoch, index, generation, by, aseq].join('/')
export const readName = (name: string): EnvelopeName => {
  const [epoch = '', ...rest] = name.split('/')
  const [index = 0, generation = 0, by = 0, aseq = 0] = rest.map(Number)
  return { epoch, index, generation, by, aseq }
}

/** Something on its way to one device. */
export type Item =
  | { readonly kind: 'ops'; readonly ops: number }
  | { readonly kind: 'record'; readonly epoch: string }
  | { readonly kind: 'burst'; readonly envelopes: readonly Envelope[] }
  | Frame

/** A session's frame: a seed, true or made up for this one device, or its acknowledgement. */
export interface Frame {
  readonly kind: 'seed' | 'ack'
  readonly from: number
  readonly place: Place
  readonly epoch: string
  readonly twin: boolean
}

/** A device after a step, what it sends, and what it did against the properties. */
export interface Step {
  readonly local: Local
  readonly sent: readonly { readonly to: number; readonly item: Item }[]
  readonly begun: string | undefined
  readonly broken: readonly string[]
}

const nothing: Omit<Step, 'local'> = { sent: [], begun: undefined, broken: [] }
const noise = new Uint8Array(sealRandomBytes)

/** Commits a state and lets housekeeping follow at once, where the scene says so. */
function settled(universe: Universe, local: Local, epochs: ConversationEpochs): Local {
  if (universe.scene.sweep !== true) return { ...local, epochs }
  const view = universe.viewOf(local.ops)
  return { ...local, epochs: sweepEpochs(epochs, view.devices, universe.nowMs).state }
}

function whisper(
  local: Local,
  to: number,
  frame: Omit<Frame, 'from' | 'place'>,
): { local: Local; frame: Frame } {
  const end = local.ends[to]
  if (end === undefined) throw new Error('no such session')
  const sent = sendOn(end)
  return {
    local: { ...local, ends: local.ends.with(to, sent.end) },
    frame: { ...frame, from: local.index, place: sent.place },
  }
}

/** Begins an epoch. `twoFaced`: its author gives every second device a secret of its own. */
export function begin(universe: Universe, before: Local, reason: EpochReason, twoFaced = false): Step {
  const { crypto, scene } = universe
  const view = universe.viewOf(before.ops)
  // Chance is drawn from all that the author knows, so that one epoch has one author's state behind it.
  const drawn = [before.index, before.draws, before.ops, twoFaced, JSON.stringify(before.ends)].join(' ')
  const random = crypto.sha256(utf8(drawn))
  const base = chooseBase([...Array(before.next).keys()], before.next)
  const own = universe.devices[before.index]!.keys
  const made = createEpoch(crypto, before.epochs, own, view, { reason, base }, random, universe.nowMs)
  const epoch = toHex(made.epoch)
  const entitled = universe.membersBy(before.ops)
  const recipients = made.recipients.map((recipient) => universe.indexOf(recipient))
  if (scene.fault === 'seed-to-all')
    recipients.push(
      ...bitsOf(universe.addedBy(before.ops)).filter((i) => i !== before.index && !recipients.includes(i)),
    )
  let local: Local = { ...before, draws: before.draws + 1 }
  const sent: { to: number; item: Item }[] = []
  const frames: { to: number; place: Place }[] = []
  recipients.forEach((to, i) => {
    const whispered = whisper(local, to, { kind: 'seed', epoch, twin: twoFaced && i % 2 === 1 })
    local = whispered.local
    frames.push({ to, place: whispered.frame.place })
    sent.push({ to, item: whispered.frame })
    if (scene.together !== true) sent.push({ to, item: { kind: 'record', epoch } })
  })
  const known: Epoch = {
    record: made.record,
    seed: { ...made.seed, secret: made.seed.secret.slice() },
    author: before.index,
    ops: before.ops,
    entitled,
    exposed: recipients.reduce((mask, i) => mask | (1 << i), 1 << before.index),
    frames,
    twoFaced,
  }
  universe.epochs.set(epoch, known)
  const extra = known.exposed & ~entitled
  const broken =
    extra === 0 ? [] : [`the seed of an epoch went to a device it is not for: ${bitsOf(extra).join()}`]
  return { local: settled(universe, local, made.state), sent, begun: epoch, broken }
}

/** Seals whatever of the own records the preferred epoch has not carried yet. */
export function flush(universe: Universe, before: Local): Step {
  const { crypto, scene } = universe
  const view = universe.viewOf(
    scene.fault === 'stale-view' ? universe.withoutRemovals(before.ops) : before.ops,
  )
  const own = universe.devices[before.index]!.keys
  const removed = universe.removedBy(before.ops)
  const broken: string[] = []
  const envelopes: Envelope[] = []
  let local = before
  let to = 0
  for (let aseq = 0; aseq < before.next; aseq++) {
    const draft = { aseq, base: 0, content: Uint8Array.of(before.index, aseq), announceBase: true }
    try {
      const sealed = seal(crypto, local.epochs, own, view, draft, noise, universe.nowMs)
      if (!sealed.ok) throw new Error('sending blocked')
      const epoch = toHex(sealed.epoch)
      const node = sealed.state.nodes.get(epoch)!
      const generation = sealed.state.keys.get(epoch)!.chains[node.self]!.count - 1
      const name = { epoch, index: node.self, generation, by: before.index, aseq }
      const leaked = universe.epochs.get(epoch)!.exposed & removed
      if (leaked !== 0)
        broken.push(`sealed under a secret that a device known to be removed has: ${bitsOf(leaked).join()}`)
      envelopes.push({ bytes: sealed.envelope, route: sealed.route, name })
      to = node.recipients.reduce((mask, recipient) => mask | (1 << universe.indexOf(recipient)), 0)
      local = settled(universe, { ...local, sealed: [...local.sealed, nameOf(name)].sort() }, sealed.state)
    } catch (error) {
      if ((error as { code?: string }).code !== 'E_GENERATION_SPENT') throw error
    }
  }
  const burst = { kind: 'burst', envelopes } as const
  const others = envelopes.length === 0 ? [] : bitsOf(to & ~(1 << before.index))
  return { ...nothing, local, sent: others.map((other) => ({ to: other, item: burst })), broken }
}

/** Writes a record and seals it, beginning an epoch first where the rules ask for one. */
export function write(universe: Universe, before: Local): Step {
  const written = { ...before, next: before.next + 1 }
  const situation = { sending: true, onlineSinceMs: universe.nowMs }
  const stale = universe.scene.fault === 'stale-view'
  const view = universe.viewOf(stale ? universe.withoutRemovals(before.ops) : before.ops)
  const due = epochDue(universe.crypto, written.epochs, view, situation, universe.nowMs)
  const first = due === undefined ? { ...nothing, local: written } : begin(universe, written, due.reason)
  const then = flush(universe, first.local)
  return {
    local: then.local,
    sent: [...first.sent, ...then.sent],
    begun: first.begun,
    broken: [...first.broken, ...then.broken],
  }
}

/** The epoch an idle device's timers want, whenever they go off; undefined when they want none. */
export function idleReason(universe: Universe, local: Local): EpochReason | undefined {
  if (universe.scene.fault === 'no-repair') return undefined
  const situation = { sending: false, onlineSinceMs: universe.nowMs }
  const view = universe.viewOf(local.ops)
  return epochDue(universe.crypto, local.epochs, view, situation, universe.nowMs)?.reason
}

/** Takes one item; undefined while it has to wait. */
export function receive(universe: Universe, before: Local, item: Item): Step | undefined {
  switch (item.kind) {
    case 'ops':
      return { ...nothing, local: { ...before, ops: before.ops | item.ops } }
    case 'record':
      return takeRecord(universe, before, item.epoch)
    case 'burst':
      return takeBurst(universe, before, item.envelopes)
    case 'seed':
    case 'ack':
      return takeFrame(universe, before, item)
  }
}

function acknowledged(universe: Universe, local: Local, epoch: string): Step {
  if (universe.scene.acks !== true) return { ...nothing, local }
  const to = universe.epochs.get(epoch)!.author
  const whispered = whisper(local, to, { kind: 'ack', epoch, twin: false })
  return { ...nothing, local: whispered.local, sent: [{ to, item: whispered.frame }] }
}

/** Takes an epoch's record; operations it stands on that are not here are fetched with it. */
function takeRecord(universe: Universe, lacking: Local, epoch: string): Step | undefined {
  const { record, ops } = universe.epochs.get(epoch)!
  const before = { ...lacking, ops: lacking.ops | ops }
  const view = universe.viewOf(before.ops)
  const verdict = acceptEpoch(universe.crypto, before.epochs, record, view, universe.nowMs)
  if (verdict.verdict === 'held') return undefined
  if (verdict.verdict === 'rejected') return { ...nothing, local: before }
  const local = settled(universe, before, verdict.value.state)
  return verdict.value.keyed ? acknowledged(universe, local, epoch) : { ...nothing, local }
}

function takeFrame(universe: Universe, before: Local, frame: Frame): Step | undefined {
  const known = universe.epochs.get(frame.epoch)!
  let local: Local = {
    ...before,
    ends: before.ends.with(frame.from, receiveOn(before.ends[frame.from]!, frame.place)),
  }
  if (frame.kind === 'ack') {
    const from = universe.devices[frame.from]!.address
    return { ...nothing, local: settled(universe, local, onSeedAck(local.epochs, known.seed.epoch, from)) }
  }
  if (universe.scene.together === true) {
    const accepted = takeRecord(universe, local, frame.epoch)
    if (accepted === undefined) return undefined
    local = accepted.local
  }
  const from = universe.devices[frame.from]!.address
  const secret = frame.twin ? universe.crypto.sha256(known.seed.secret) : known.seed.secret.slice()
  const seed = { ...known.seed, secret }
  const verdict = onSeed(universe.crypto, local.epochs, seed, from, universe.nowMs)
  if (verdict.verdict === 'held')
    return { ...nothing, local: { ...local, epochs: keepSeed(local.epochs, seed, from, universe.nowMs) } }
  if (verdict.verdict === 'accepted')
    return acknowledged(universe, settled(universe, local, verdict.value.state), frame.epoch)
  if (universe.scene.fault === 'unbound-seed' && verdict.reason === 'bad-commitment') {
    const node = local.epochs.nodes.get(frame.epoch)!
    const derived = deriveEpoch(universe.crypto, secret, seed.context, node.recipients)
    local = { ...local, epochs: placeKeys(local.epochs, node, derived, universe.nowMs).state }
  }
  return { ...nothing, local }
}

function takeBurst(universe: Universe, before: Local, envelopes: readonly Envelope[]): Step | undefined {
  const opened = open(
    universe.crypto,
    before.epochs,
    envelopes.map(({ bytes, route }) => ({ envelope: bytes, route })),
    (candidates) =>
      candidates.map(
        ({ content, author, aseq }) =>
          content[0] === universe.indexOf(author) && (aseq === undefined || aseq === content[1]),
      ),
    universe.nowMs,
  )
  if (opened.verdicts.some(({ verdict }) => verdict === 'held')) return undefined
  const read = envelopes
    .filter((_, i) => opened.verdicts[i]?.verdict === 'accepted')
    .map(({ name }) => nameOf(name))
  const kept =
    universe.scene.fault === 'kept-chains' ? { ...opened.state, keys: before.epochs.keys } : opened.state
  const local = { ...before, read: [...new Set([...before.read, ...read])].sort() }
  return { ...nothing, local: settled(universe, local, kept) }
}

/** What a state shows against the properties: secrets that are not this device's, two secrets of one epoch. */
export function brokenIn(universe: Universe, { index, epochs }: Local): readonly string[] {
  const broken: string[] = []
  for (const [name, { chains, exporter }] of epochs.keys) {
    const epoch = universe.epochs.get(name)!
    if ((epoch.entitled & (1 << index)) === 0) broken.push('a device holds an epoch that is not for it')
    if (chains.length > 0 && !equalBytes(exporter.expose(), exporterOf(universe, epoch).expose()))
      broken.push('two devices hold two secrets of one epoch')
  }
  return broken
}

const exporterOf = (universe: Universe, { seed }: Epoch): Secret =>
  deriveEpoch(universe.crypto, seed.secret, seed.context, []).exporter
