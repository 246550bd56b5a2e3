/**
 * A group of simulated devices for tests of conversation epochs. Membership is a set of adds and removes, known in
 * part to each device; sessions are ideal channels that may lose a seed; the topic reaches everybody, in any order.
 * Every device keeps its state as rows, the way a store does.
 */
import { expect } from 'chai'
import type { CryptoProvider, Secret, SignKeyPair } from '../../packages/core/src/crypto/index.ts'
import {
  acceptEpoch,
  chooseBase,
  createEpoch,
  epochChanges,
  epochDue,
  epochRows,
  isLagging,
  keepSeed,
  noEpochs,
  onSeed,
  onSeedAck,
  open,
  restoreEpochs,
  seal,
  sealControl,
  sealRandomBytes,
  sweepEpochs,
  type ConversationEpochs,
  type EpochDevice,
  type EpochReason,
  type JudgeRecords,
  type MembershipView,
  type SealDraft,
  type SealResult,
  type Seed,
} from '../../packages/core/src/group/index.ts'
import {
  carriedRecord,
  encodeMessageBody,
  issueRecord,
  opensCommitment,
  readRecord,
  recordKinds,
  segmentId,
  verifyRecord,
} from '../../packages/core/src/history/index.ts'
import { addressKey, type AccountId, type DeviceId } from '../../packages/core/src/identity/index.ts'
import { seededRandom } from '../../packages/core/src/memory/index.ts'
import { equalBytes, frame, toHex, utf8 } from '../../packages/core/src/wire/index.ts'
import { dayMs, startMs } from './session-world.ts'

/** A record as an envelope carries it in these tests. */
export const contentFrame = frame('content', carriedRecord, 60 * 1024)

/** The judge every device uses: each record by its own signature. */
export const judgeWith =
  (crypto: CryptoProvider, conversation: Uint8Array): JudgeRecords =>
  (candidates) =>
    candidates.map(({ content, author, aseq }) => {
      const carried = contentFrame.decode(content)
      const header = carried.ok ? readRecord(crypto, carried.value.bytes) : undefined
      if (!carried.ok || header === undefined) return false
      return (
        equalBytes(header.content.conversation, conversation) &&
        equalBytes(header.content.account, author.account) &&
        equalBytes(header.content.device, author.device) &&
        (aseq === undefined || header.content.aseq === aseq) &&
        verifyRecord(crypto, author.identityKey, header, carried.value.signature) &&
        opensCommitment(crypto, header, carried.value.salt, carried.value.body)
      )
    })

interface Op {
  readonly kind: 'add' | 'remove'
  readonly device: SimDevice
}

/** What travels: the topic's items for everybody, and what a session carries to one device. */
export type Item =
  | { readonly kind: 'envelope'; readonly envelope: Uint8Array; readonly route: Uint8Array }
  | { readonly kind: 'record'; readonly record: Uint8Array }
  | { readonly kind: 'seed'; readonly seed: Seed; readonly from: SimDevice }
  | { readonly kind: 'ack'; readonly epoch: Uint8Array; readonly from: SimDevice }
  | { readonly kind: 'ops'; readonly ops: readonly string[] }

export interface Parcel {
  readonly from: SimDevice
  readonly item: Item | { readonly kind: 'frame'; readonly frame: Uint8Array }
}

/** Keys and address of a device, where they come from elsewhere. */
export interface OwnIdentity {
  readonly address: { readonly account: AccountId; readonly device: DeviceId }
  readonly keys: SignKeyPair
}

/** What was sealed, for the oracle. */
export interface SealedFact {
  readonly by: SimDevice
  readonly recordId: string
  readonly epoch: string
  readonly envelope: Uint8Array
  readonly route: Uint8Array
  /** Devices the sealer knew to be removed. */
  readonly knownRemoved: readonly SimDevice[]
}

/** One device: keys, the operations it knows, its rows, what it holds, what it still has to send. */
export class SimDevice {
  readonly name: string
  readonly address: { readonly account: AccountId; readonly device: DeviceId }
  readonly keys: SignKeyPair
  readonly ops = new Set<string>()
  readonly rows = new Map<string, Uint8Array>()
  readonly inbox: Parcel[] = []
  /** Records held, and how often each was handed over. */
  readonly delivered = new Map<string, number>()
  readonly heldAseq = new Set<string>()
  readonly outbox: { readonly aseq: number; readonly id: string; readonly content: Uint8Array }[] = []
  nextAseq = 0
  lastId: Uint8Array | null = null
  side = 0
  sinceMs = startMs
  state: ConversationEpochs

  constructor(
    crypto: CryptoProvider,
    conversation: Uint8Array,
    name: string,
    own: OwnIdentity = identityOf(crypto, name),
  ) {
    this.name = name
    this.keys = own.keys
    this.address = own.address
    this.state = noEpochs(conversation, this.address)
    for (const { key, value } of epochRows(this.state)) if (value !== undefined) this.rows.set(key, value)
  }

  /** Commits a new state: rows first, then the spent secrets go. */
  commit(next: ConversationEpochs, spent: readonly Secret[] = []): void {
    for (const { key, value } of epochChanges(this.state, next)) {
      if (value === undefined) this.rows.delete(key)
      else this.rows.set(key, value)
    }
    this.state = next
    for (const secret of spent) secret.wipe()
  }

  /** A copy of everything a thief would find. */
  snapshot(): ReadonlyMap<string, Uint8Array> {
    return new Map([...this.rows].map(([key, value]) => [key, value.slice()]))
  }
}

function identityOf(crypto: CryptoProvider, name: string): OwnIdentity {
  const keys = crypto.signKeyPair(seededRandom(crypto, `sim/${name}`).bytes(32))
  const account = crypto.sha256(utf8(`account/${name.split('.')[0] ?? name}`)) as AccountId
  return { keys, address: { account, device: crypto.sha256(utf8(`device/${name}`)) as DeviceId } }
}

/** State of a stolen or stored copy. */
export function stateOf(crypto: CryptoProvider, rows: ReadonlyMap<string, Uint8Array>): ConversationEpochs {
  const state = restoreEpochs(
    crypto,
    [...rows].map(([key, value]) => ({ key, value })),
  )
  if (state === undefined) throw new Error('stored epochs do not restore')
  return state
}

const notAfterMs = startMs + 400 * dayMs

/** The group and the network between its devices. */
export class GroupWorld {
  readonly crypto: CryptoProvider
  readonly conversation: Uint8Array
  readonly devices: SimDevice[] = []
  readonly sealed: SealedFact[] = []
  /** `epoch/device` of every seed that keyed. */
  readonly seeded = new Set<string>()
  readonly recipientsOf = new Map<string, ReadonlySet<string>>()
  readonly created: { readonly by: SimDevice; readonly epoch: string; readonly reason: EpochReason }[] = []
  nowMs = startMs
  readonly #ops = new Map<string, Op>()
  readonly #sets = new Map<string, readonly string[]>()
  readonly #random: { readonly bytes: (length: number) => Uint8Array }
  readonly #judge: JudgeRecords
  /** Chance that a seed is lost. */
  seedLoss = 0

  constructor(crypto: CryptoProvider, seed: string) {
    this.crypto = crypto
    this.conversation = crypto.sha256(utf8(`conversation/${seed}`))
    this.#random = seededRandom(crypto, `group-world/${seed}`)
    this.#judge = judgeWith(crypto, this.conversation)
  }

  bytes(length: number): Uint8Array {
    return this.#random.bytes(length)
  }

  /** An integer below `n`. */
  below(n: number): number {
    const [a = 0, b = 0, c = 0] = this.#random.bytes(3)
    return (a * 65_536 + b * 256 + c) % n
  }

  pick<T>(list: readonly T[]): T {
    const item = list[this.below(list.length)]
    if (item === undefined) throw new Error('nothing to pick from')
    return item
  }

  /** Adds a device; `by` is who says so, nobody for the first. */
  add(name: string, by?: SimDevice): SimDevice {
    const device = this.makeDevice(name)
    this.devices.push(device)
    device.sinceMs = this.nowMs
    device.side = by?.side ?? 0
    this.#act({ kind: 'add', device }, `add/${name}`, by ?? device)
    for (const id of (by ?? device).ops) device.ops.add(id)
    return device
  }

  protected makeDevice(name: string): SimDevice {
    return new SimDevice(this.crypto, this.conversation, name)
  }

  /** Puts a seed or an acknowledgement on its way through the session of two devices: ideal here. */
  protected post(from: SimDevice, to: SimDevice, item: Item): void {
    to.inbox.push({ from, item })
  }

  remove(target: SimDevice, by: SimDevice): void {
    this.#act({ kind: 'remove', device: target }, `remove/${target.name}`, by)
  }

  #act(op: Op, id: string, by: SimDevice): void {
    this.#ops.set(id, op)
    by.ops.add(id)
    by.sinceMs = this.nowMs
    this.publish(by, { kind: 'ops', ops: [...by.ops] })
  }

  /** Devices that a set of operations leaves in, sorted. */
  resolve(ops: Iterable<string>): readonly SimDevice[] {
    const all = [...ops].map((id) => this.#ops.get(id)!)
    const out = new Set(all.filter((op) => op.kind === 'remove').map((op) => op.device))
    return all.filter((op) => op.kind === 'add' && !out.has(op.device)).map((op) => op.device)
  }

  removedFor(device: SimDevice): readonly SimDevice[] {
    const now = new Set(this.resolve(device.ops))
    return this.devices.filter((other) => device.ops.has(`add/${other.name}`) && !now.has(other))
  }

  isMember(device: SimDevice): boolean {
    return this.resolve(device.ops).includes(device)
  }

  viewOf(device: SimDevice): MembershipView {
    const ids = [...device.ops].sort()
    const head = this.crypto.sha256(utf8(ids.join()))
    this.#sets.set(toHex(head), ids)
    const epochDevice = (other: SimDevice): EpochDevice => ({
      ...other.address,
      identityKey: other.keys.publicKey,
      notAfterMs,
    })
    return {
      heads: [head],
      devices: this.resolve(device.ops).map(epochDevice),
      devicesAt: ([at]) => {
        const set = at && this.#sets.get(toHex(at))
        return set?.every((id) => device.ops.has(id)) === true
          ? this.resolve(set).map(epochDevice)
          : undefined
      },
      history: 0,
      sinceMs: device.sinceMs,
    }
  }

  /** Puts something on its way to everybody else. */
  publish(from: SimDevice, item: Item): void {
    for (const device of this.devices) if (device !== from) device.inbox.push({ from, item })
  }

  /** Begins an epoch, sends its record to all and its seed to each recipient. */
  begin(device: SimDevice, reason: EpochReason): void {
    const base = chooseBase(
      device.outbox.map(({ aseq }) => aseq),
      device.nextAseq,
    )
    const made = createEpoch(
      this.crypto,
      device.state,
      device.keys,
      this.viewOf(device),
      { reason, base },
      this.bytes(32),
      this.nowMs,
    )
    const epoch = toHex(made.epoch)
    this.created.push({ by: device, epoch, reason })
    const listed = [device.address, ...made.recipients].map(addressKey)
    this.recipientsOf.set(epoch, new Set(listed))
    this.seeded.add(`${epoch}/${device.name}`)
    for (const recipient of made.recipients) {
      const to = this.devices.find((other) => addressKey(other.address) === addressKey(recipient))!
      if (this.below(1_000) < this.seedLoss * 1_000) continue
      const seed = { ...made.seed, secret: made.seed.secret.slice() }
      this.post(device, to, { kind: 'seed', seed, from: device })
    }
    device.commit(made.state, made.spent)
    this.publish(device, { kind: 'record', record: made.record })
    const control = sealControl(
      this.crypto,
      device.state,
      made.epoch,
      { kind: 'epoch', record: made.record },
      this.bytes(24),
    )!
    this.publish(device, { kind: 'envelope', ...control })
  }

  /** Writes a record and seals it, with all that is still unacknowledged when the epoch is new to this device. */
  send(device: SimDevice, text: string): string {
    const { header, carried } = issueRecord(
      this.crypto,
      device.keys,
      {
        conversation: this.conversation,
        segment: segmentId(this.crypto, this.conversation, 0),
        kind: recordKinds.msg,
        account: device.address.account,
        device: device.address.device,
        aseq: device.nextAseq,
        sseq: (device.nextAseq % 500) + 1,
        selfPrev: device.lastId,
        refs: [],
        xrefs: [],
        groupHeads: [],
        lamport: device.nextAseq + 1,
        timestampMs: this.nowMs,
        ttlMs: null,
        target: null,
        history: 0,
      },
      encodeMessageBody(text),
      this.bytes(32),
    )
    const id = toHex(header.id)
    device.outbox.push({ aseq: device.nextAseq, id, content: contentFrame.encode(carried) })
    device.nextAseq += 1
    device.lastId = header.id
    const due = epochDue(
      this.crypto,
      device.state,
      this.viewOf(device),
      { sending: true, onlineSinceMs: startMs },
      this.nowMs,
    )
    if (due !== undefined) this.begin(device, due.reason)
    this.flush(device)
    return id
  }

  /** Seals what the outbox holds and the epoch in use has not carried. */
  flush(device: SimDevice): void {
    const pending = device.outbox.toSorted((a, b) => a.aseq - b.aseq)
    const base = chooseBase(
      pending.map(({ aseq }) => aseq),
      device.nextAseq,
    )
    for (const { aseq, id, content } of pending) {
      try {
        const draft = { aseq, base, content, announceBase: true }
        let sealed = this.#sealOne(device, draft)
        if (!sealed.ok) {
          this.begin(device, 'count')
          sealed = this.#sealOne(device, draft)
        }
        if (!sealed.ok) throw new Error('sending blocked')
        this.sealed.push({
          by: device,
          recordId: id,
          epoch: toHex(sealed.epoch),
          envelope: sealed.envelope,
          route: sealed.route,
          knownRemoved: this.removedFor(device),
        })
        device.commit(sealed.state, sealed.spent)
        this.publish(device, { kind: 'envelope', envelope: sealed.envelope, route: sealed.route })
      } catch (error) {
        // Carried by this epoch already: its envelope is on the way.
        if ((error as { code?: string }).code !== 'E_GENERATION_SPENT') throw error
      }
    }
  }

  #sealOne(device: SimDevice, draft: SealDraft): SealResult {
    const random = this.bytes(sealRandomBytes)
    return seal(this.crypto, device.state, device.keys, this.viewOf(device), draft, random, this.nowMs)
  }

  /** Hands one parcel over; false when it has to wait. */
  deliver(device: SimDevice, parcel: Parcel): boolean {
    const { item } = parcel
    switch (item.kind) {
      case 'ops': {
        const before = device.ops.size
        for (const id of item.ops) device.ops.add(id)
        if (device.ops.size !== before) device.sinceMs = this.nowMs
        return true
      }
      case 'record':
        return this.#accept(device, item.record)
      case 'seed':
        return this.#seed(device, item.seed, item.from)
      case 'ack':
        device.commit(onSeedAck(device.state, item.epoch, item.from.address))
        return true
      case 'envelope':
        return this.#open(device, item.envelope, item.route)
      case 'frame':
        throw new Error('this world has no sessions')
    }
  }

  #accept(device: SimDevice, record: Uint8Array): boolean {
    const verdict = acceptEpoch(this.crypto, device.state, record, this.viewOf(device), this.nowMs)
    if (verdict.verdict !== 'accepted') return verdict.verdict === 'rejected'
    device.commit(verdict.value.state, verdict.value.spent)
    if (verdict.value.keyed) this.#keyed(device, verdict.value.epoch)
    return true
  }

  #seed(device: SimDevice, seed: Seed, from: SimDevice): boolean {
    const verdict = onSeed(this.crypto, device.state, seed, from.address, this.nowMs)
    if (verdict.verdict === 'held') device.commit(keepSeed(device.state, seed, from.address, this.nowMs))
    if (verdict.verdict !== 'accepted') return true
    device.commit(verdict.value.state, verdict.value.spent)
    this.#keyed(device, seed.epoch)
    return true
  }

  #keyed(device: SimDevice, epoch: Uint8Array): void {
    this.seeded.add(`${toHex(epoch)}/${device.name}`)
    const author = device.state.nodes.get(toHex(epoch))!.record.terms
    const to = this.devices.find((other) => addressKey(other.address) === addressKey(author))!
    this.post(device, to, { kind: 'ack', epoch, from: device })
  }

  #open(device: SimDevice, envelope: Uint8Array, route: Uint8Array): boolean {
    const holds = (author: { account: Uint8Array; device: Uint8Array }, aseq: number): boolean =>
      device.heldAseq.has(`${toHex(author.device)}/${String(aseq)}`)
    const opened = open(this.crypto, device.state, [{ envelope, route }], this.#judge, this.nowMs, holds)
    device.commit(opened.state, opened.spent)
    const [verdict] = opened.verdicts
    if (verdict?.verdict !== 'accepted') return verdict?.verdict === 'rejected'
    if (verdict.value.kind === 'control')
      return verdict.value.control.kind !== 'epoch' || this.#accept(device, verdict.value.control.record)
    const carried = contentFrame.decode(verdict.value.content)
    if (!carried.ok) throw new Error('a judged record does not decode')
    const header = readRecord(this.crypto, carried.value.bytes)!
    device.heldAseq.add(`${toHex(header.content.device)}/${String(header.content.aseq)}`)
    const id = toHex(header.id)
    device.delivered.set(id, (device.delivered.get(id) ?? 0) + 1)
    return true
  }

  /** Delivers up to `n` random parcels that no partition holds back. */
  shuffle(n: number): void {
    for (let i = 0; i < n; i++) {
      const device = this.pick(this.devices)
      if (device.inbox.length === 0) continue
      const at = this.below(device.inbox.length)
      const parcel = device.inbox[at]!
      if (parcel.from.side !== device.side) continue
      device.inbox.splice(at, 1)
      if (!this.deliver(device, parcel)) device.inbox.push(parcel)
    }
    this.acknowledge()
  }

  /** Delivers everything that can be, in random order, until nothing moves. */
  drain(): void {
    for (const device of this.devices) device.side = 0
    for (let moved = true; moved;) {
      moved = false
      for (const device of this.devices) {
        const parcels = device.inbox.splice(0)
        for (let i = parcels.length - 1; i > 0; i--) {
          const j = this.below(i + 1)
          ;[parcels[i], parcels[j]] = [parcels[j]!, parcels[i]!]
        }
        for (const parcel of parcels) {
          if (this.deliver(device, parcel)) moved = true
          else device.inbox.push(parcel)
        }
      }
    }
    this.acknowledge()
  }

  /** Records leave an outbox once every device of its owner's view has them. */
  acknowledge(): void {
    for (const device of this.devices) {
      const members = this.resolve(device.ops).filter((other) => other !== device)
      const left = device.outbox.filter(({ id }) =>
        members.some((other) => other.side !== device.side || !other.delivered.has(id)),
      )
      device.outbox.splice(0, device.outbox.length, ...left)
    }
  }

  /** Housekeeping of one device, and the epoch its own timers want; says whether one was begun. */
  tick(device: SimDevice): boolean {
    const view = this.viewOf(device)
    const awake = view.devices.filter((other) => !isLagging(device.state, other, this.nowMs))
    const swept = sweepEpochs(device.state, awake, this.nowMs)
    device.commit(swept.state, swept.spent)
    const due = epochDue(
      this.crypto,
      device.state,
      view,
      { sending: false, onlineSinceMs: startMs },
      this.nowMs,
    )
    if (due === undefined || due.atMs > this.nowMs) return false
    this.begin(device, due.reason)
    return true
  }

  /** Stops a device and starts it from its rows, which must say exactly what it knew. */
  restart(device: SimDevice): void {
    const restored = stateOf(this.crypto, device.rows)
    const again = new Map(epochRows(restored).map(({ key, value }) => [key, toHex(value!)]))
    expect(again).to.deep.equal(new Map([...device.rows].map(([key, value]) => [key, toHex(value)])))
    device.state = restored
  }
}
