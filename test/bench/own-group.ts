/** Our conversation epochs behind the interface the peers are compared by. */
import { randomFillSync } from 'node:crypto'
import { payloadFrame } from '../../packages/core/src/device/payload.ts'
import { pad, type CryptoProvider, type SignKeyPair } from '../../packages/core/src/crypto/index.ts'
import {
  acceptEpoch,
  createEpoch,
  epochChanges,
  noEpochs,
  onSeed,
  open,
  seal,
  sealControl,
  sealRandomBytes,
  seedFrame,
  type ConversationEpochs,
  type EpochCreated,
  type JudgeRecords,
  type MembershipView,
} from '../../packages/core/src/group/index.ts'
import {
  issueRecord,
  opensCommitment,
  readRecord,
  recordKinds,
  verifyRecord,
} from '../../packages/core/src/history/index.ts'
import type { AccountId, DeviceId } from '../../packages/core/src/identity/index.ts'
import { sealEntropyBytes, sealTo } from '../../packages/core/src/session/index.ts'
import { equalBytes, utf8 } from '../../packages/core/src/wire/index.ts'
import { contentFrame, judgeWith } from '../support/group-world.ts'
import { establishedPair, startMs } from '../support/session-world.ts'
import type { GroupPair, GroupPeer } from './group-peer.ts'

interface Device {
  readonly address: { readonly account: AccountId; readonly device: DeviceId }
  readonly keys: SignKeyPair
  state: ConversationEpochs
}

const pool = new Uint8Array(16_384)
let used = pool.length
/** Random bytes drawn from the system in large helpings, as a device's Random port does. */
function random(length: number): Uint8Array {
  if (used + length > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += length
  return pool.slice(used - length, used)
}

export const conversation = new Uint8Array(32).fill(1)
const segment = new Uint8Array(32).fill(2)

/** A group of `n` devices with one epoch begun by the first and keyed at the second. */
export function makeGroup(crypto: CryptoProvider, n: number) {
  const devices = Array.from({ length: n }, (_, i): Device => {
    const address = {
      account: crypto.sha256(utf8(`bench account ${String(i)}`)) as AccountId,
      device: crypto.sha256(utf8(`bench device ${String(i)}`)) as DeviceId,
    }
    return { address, keys: crypto.signKeyPair(random(32)), state: noEpochs(conversation, address) }
  })
  const viewOf = (present: readonly Device[], head: number): MembershipView => {
    const listed = present
      .map(({ address, keys }) => ({ ...address, identityKey: keys.publicKey, notAfterMs: startMs * 2 }))
      .sort((a, b) => Buffer.compare(a.account, b.account))
    const heads = [new Uint8Array(32).fill(head)]
    return { heads, devices: listed, devicesAt: () => listed, history: 0, sinceMs: startMs }
  }
  const view = viewOf(devices, 1)
  const [a, b] = devices
  if (a === undefined || b === undefined) throw new Error('a group has two devices')
  const begun = createEpoch(crypto, a.state, a.keys, view, { reason: 'first', base: 0 }, random(32), startMs)
  a.state = begun.state
  b.state = join(crypto, b, a, begun, view).state
  return { devices, view, viewOf, a, b, begun }
}

/** Record and seed at a recipient, and the rows it writes. */
export function join(
  crypto: CryptoProvider,
  to: Device,
  from: Device,
  begun: EpochCreated,
  view: MembershipView,
): { readonly state: ConversationEpochs; readonly bytes: number } {
  const accepted = acceptEpoch(crypto, to.state, begun.record, view, startMs)
  if (accepted.verdict !== 'accepted') throw new Error('the record was not accepted')
  const keyed = onSeed(crypto, accepted.value.state, begun.seed, from.address, startMs)
  if (keyed.verdict !== 'accepted') throw new Error('the seed was not taken')
  return { state: keyed.value.state, bytes: written(to.state, keyed.value.state) }
}

const written = (before: ConversationEpochs, after: ConversationEpochs): number =>
  epochChanges(before, after).reduce((sum, { value }) => sum + (value?.length ?? 0), 0)

/** Writes, signs and seals one record after another. */
export function sender(crypto: CryptoProvider, text: Uint8Array, from: Device, view: MembershipView) {
  let aseq = 0
  let last: Uint8Array | null = null
  return (): Uint8Array => {
    const { header, carried } = issueRecord(
      crypto,
      from.keys,
      {
        conversation,
        segment,
        kind: recordKinds.msg,
        ...from.address,
        aseq,
        sseq: (aseq % 500) + 1,
        selfPrev: last,
        refs: [],
        xrefs: [],
        groupHeads: [],
        lamport: aseq + 1,
        timestampMs: startMs,
        ttlMs: null,
        target: null,
        history: 0,
      },
      text,
      random(32),
    )
    const draft = { aseq, base: 0, content: contentFrame.encode(carried), announceBase: false }
    const sealed = seal(crypto, from.state, from.keys, view, draft, random(sealRandomBytes), startMs)
    if (!sealed.ok) throw new Error(sealed.reason)
    written(from.state, sealed.state)
    from.state = sealed.state
    for (const secret of sealed.spent) secret.wipe()
    aseq += 1
    last = header.id
    return sealed.envelope
  }
}

/** Judges a run of one author as sync does: the newest record by its signature, what it links to by hash. */
const judgeRun =
  (crypto: CryptoProvider): JudgeRecords =>
  (candidates) => {
    let linked: Uint8Array | null = null
    return candidates
      .toReversed()
      .map(({ content, author, aseq }) => {
        const carried = contentFrame.decode(content)
        const header = carried.ok ? readRecord(crypto, carried.value.bytes) : undefined
        if (!carried.ok || header === undefined || header.content.aseq !== aseq) return false
        if (!equalBytes(header.content.device, author.device)) return false
        const { signature, salt, body } = carried.value
        const isLinked = linked !== null && equalBytes(header.id, linked)
        if (!isLinked && !verifyRecord(crypto, author.identityKey, header, signature)) return false
        linked = header.content.selfPrev
        return opensCommitment(crypto, header, salt, body)
      })
      .reverse()
  }

/** Sotto over a provider, in a group of eight devices. */
export const sottoGroup = (crypto: CryptoProvider): GroupPeer => ({
  name: 'Sotto',
  pair: async (text): Promise<GroupPair> => {
    const { a, b, view, begun } = makeGroup(crypto, 8)
    const next = sender(crypto, text, a, view)
    const judge = judgeWith(crypto, conversation)
    return {
      send: () => {
        const envelope = next()
        const opened = open(crypto, b.state, [{ envelope, route: begun.route }], judge, startMs)
        if (opened.verdicts[0]?.verdict !== 'accepted') throw new Error('an envelope did not open')
        written(b.state, opened.state)
        b.state = opened.state
        for (const secret of opened.spent) secret.wipe()
        return envelope.length
      },
    }
  },
  backlog: async (text, count) => {
    const { a, b, view, begun } = makeGroup(crypto, 8)
    const next = sender(crypto, text, a, view)
    const inputs = Array.from({ length: count }, () => ({ envelope: next(), route: begun.route }))
    const judge = judgeRun(crypto)
    return () => {
      const opened = open(crypto, b.state, inputs, judge, startMs)
      if (opened.verdicts.some(({ verdict }) => verdict !== 'accepted'))
        throw new Error('an envelope did not open')
      written(b.state, opened.state)
    }
  },
})

/** Bytes that leave the author of an epoch. */
export interface EpochBytes {
  /** A device's payloads, each with the record beside the seed, sealed and padded as they are. */
  readonly sent: number
  /** The same without padding. */
  readonly bare: number
  /** The record once, on a topic, and the seeds alone, without padding: what the protocol asks for. */
  readonly least: number
}

/** What a device says to another of a new epoch, and what of it is the seed. */
function seedPayload({ seed, record }: EpochCreated): {
  readonly payload: Uint8Array
  readonly seedBytes: number
} {
  const heads = [new Uint8Array(32) as never]
  const payload = payloadFrame.encode({
    ...{ version: 1, boot: 3, bootSeen: 3, sentAtMs: startMs, myLogHeads: heads, yourLogHeads: heads },
    items: [{ kind: 'seed', conversation, record, ...seed }],
  })
  return { payload, seedBytes: seedFrame.encode(seed).length }
}

/** A new epoch of a group of `n` devices, after one left it: everything its author does and sends. */
export function removal(
  crypto: CryptoProvider,
  n: number,
): { readonly commit: () => EpochBytes; readonly join: () => void } {
  const { devices, viewOf, a, b } = makeGroup(crypto, n + 1)
  const view = viewOf(devices.slice(0, n), 2)
  const [alice] = establishedPair(crypto, 'bench removal')
  const session = alice.peer
  const commit = (): EpochCreated & { readonly bytes: EpochBytes } => {
    const draft = { reason: 'devices', base: 0 } as const
    const made = createEpoch(crypto, a.state, a.keys, view, draft, random(32), startMs)
    const control = { kind: 'epoch', record: made.record } as const
    const topic = sealControl(crypto, made.state, made.epoch, control, random(24))?.envelope.length ?? 0
    const bytes = { sent: topic, bare: topic, least: topic }
    const { payload, seedBytes } = seedPayload(made)
    const padded = pad(payload)
    for (let i = 0; i < made.recipients.length; i++) {
      const sealed = sealTo(crypto, session, padded, random(sealEntropyBytes), startMs)
      if (!sealed.ok) throw new Error(sealed.reason)
      const around = sealed.frame.length - padded.length
      bytes.sent += sealed.frame.length
      bytes.bare += around + payload.length
      bytes.least += around + seedBytes
    }
    written(a.state, made.state)
    return { ...made, bytes }
  }
  const made = commit()
  return { commit: () => commit().bytes, join: () => void join(crypto, b, a, made, view) }
}
