/** Epochs written by hand: records with chosen terms, by people by letter, and what one device makes of them. */
import {
  acceptEpoch,
  createEpoch,
  noEpochs,
  onSeed,
  seal,
  sealRandomBytes,
  sweepEpochs,
  type ConversationEpochs,
  type EpochCreated,
  type EpochDevice,
  type EpochDraft,
  type EpochNode,
  type EpochsSwept,
  type MembershipView,
  type SealDraft,
  type SealResult,
  type Seed,
} from '../../../packages/core/src/group/index.ts'
import type { SignKeyPair } from '../../../packages/core/src/crypto/index.ts'
import type { AccountId, DeviceId } from '../../../packages/core/src/identity/index.ts'
import { commitmentOf } from '../../../packages/core/src/group/epoch-keys.ts'
import {
  contextOf,
  epochReasons,
  issueEpoch,
  type EpochRecord,
  type EpochTerms,
} from '../../../packages/core/src/group/epoch-record.ts'
import { concat, toHex } from '../../../packages/core/src/wire/index.ts'
import { Scene } from '../identity/support.ts'
import { crypto, dayMs, seedOf, startMs } from './support.ts'

export { crypto, dayMs, seedOf, startMs }

/** A device by name: a letter for the account, and a digit for its second, third, … device. In the order of names. */
export interface Person extends EpochDevice {
  readonly keys: SignKeyPair
}

const made = new Map<string, Person>()

const numbered = <T extends Uint8Array>(label: string, first: number): T =>
  seedOf(label).map((byte, i) => (i === 0 ? first : byte)) as T

export function personOf(name: string): Person {
  const known = made.get(name)
  if (known !== undefined) return known
  const keys = crypto.signKeyPair(seedOf(`scene ${name}`))
  const account = numbered<AccountId>(`account ${name[0]!}`, name.charCodeAt(0))
  const device = numbered<DeviceId>(`device ${name}`, Number(name.slice(1)) & 255)
  const notAfterMs = startMs + 400 * dayMs
  const person = { account, device, keys, identityKey: keys.publicKey, notAfterMs }
  made.set(name, person)
  return person
}

/** A device that signed two operations with one number, and the proof of it. */
export function forkedDevice(label: string): { readonly device: EpochDevice; readonly proof: Uint8Array } {
  const scene = new Scene(label)
  const first = scene.add(null, '1', [])
  for (const name of ['2', '3']) scene.add('1', name, [first], { from: null })
  const { device, identity } = scene.device('1')
  return {
    device: {
      account: scene.account.id,
      device,
      identityKey: identity.publicKey,
      notAfterMs: startMs + 400 * dayMs,
    },
    proof: scene.state().forked[0]!.bytes,
  }
}

/** A record and its seed, as their author has them. */
export interface Written {
  readonly record: EpochRecord
  readonly seed: Seed
}

/** What may be chosen of a record; the author's device signs it unless told otherwise. */
export type Chosen = Partial<EpochTerms> & {
  readonly after?: readonly Written[]
  readonly on?: Written
  /** Who is in at its heads; everybody unless told. */
  readonly at?: readonly (string | EpochDevice)[]
  readonly signedBy?: string
}

/** One device and the epochs it is told of. */
export class EpochScene {
  readonly conversation = seedOf('scene')
  readonly self: Person
  readonly names: readonly string[]
  state: ConversationEpochs
  nowMs = startMs
  readonly #heads = new Map<string, readonly EpochDevice[]>()
  #written = 0

  constructor(self = 'a', names: readonly string[] = ['a', 'b', 'c']) {
    this.self = personOf(self)
    this.names = names
    this.state = noEpochs(this.conversation, this.self)
  }

  /** The id of a head at which these devices are in. */
  head(devices: readonly (string | EpochDevice)[] = this.names): Uint8Array {
    const list = devices.map((one) => (typeof one === 'string' ? personOf(one) : one))
    const id = seedOf(list.map(({ device, notAfterMs }) => `${toHex(device)} ${notAfterMs}`).join())
    this.#heads.set(toHex(id), list)
    return id
  }

  /** Everybody is in, at the heads and now, unless told otherwise. */
  view(change: Partial<MembershipView> = {}): MembershipView {
    return {
      heads: [this.head()],
      devices: this.names.map(personOf),
      devicesAt: ([head]) => head && this.#heads.get(toHex(head)),
      history: 0,
      sinceMs: startMs,
      ...change,
    }
  }

  /** A record as its author signed it. */
  write(by: string, { after = [], on, at, signedBy = by, ...chosen }: Chosen = {}): Written {
    const { account, device } = personOf(by)
    this.#written += 1
    const terms: EpochTerms = {
      conversation: this.conversation,
      parents: after.map(({ record }) => record.id),
      groupHeads: [this.head(at)],
      excluded: [],
      depth: 1 + Math.max(-1, ...after.map(({ record }) => record.terms.depth)),
      route: on === undefined ? null : on.record.id,
      history: 0,
      reason: epochReasons.doubt,
      ...{ account, device },
      base: 0,
      timestampMs: this.nowMs,
      ...chosen,
    }
    const context = contextOf(crypto, terms)
    const secret = seedOf(`secret ${this.#written}`)
    const record = issueEpoch(crypto, personOf(signedBy).keys, terms, commitmentOf(crypto, secret, context))
    return { record, seed: { epoch: record.id, context, secret } }
  }

  /** What becomes of a record: accepted, held for something, or refused for a reason. */
  outcome({ record }: Written, view = this.view()): string {
    const verdict = acceptEpoch(crypto, this.state, record.bytes, view, this.nowMs)
    if (verdict.verdict === 'accepted') return 'accepted'
    return verdict.verdict === 'held' ? `held ${verdict.awaiting}` : verdict.reason
  }

  /** Takes records as they are, without their seeds. */
  take(...written: readonly Written[]): void {
    for (const { record } of written) {
      const verdict = acceptEpoch(crypto, this.state, record.bytes, this.view(), this.nowMs)
      if (verdict.verdict !== 'accepted') throw new Error(`a record was not taken: ${verdict.verdict}`)
      this.state = verdict.value.state
    }
  }

  /** Takes the seeds of records taken before. */
  key(...written: readonly Written[]): void {
    for (const { record, seed } of written) {
      const verdict = onSeed(crypto, this.state, seed, record.terms, this.nowMs)
      if (verdict.verdict !== 'accepted') throw new Error(`a seed was not taken: ${verdict.verdict}`)
      this.state = verdict.value.state
    }
  }

  /** A record that is written, taken and keyed. */
  keyed(by: string, chosen: Chosen = {}): Written {
    const written = this.write(by, chosen)
    this.take(written)
    this.key(written)
    return written
  }

  /** An epoch of the device's own, which changes nothing until it is kept. */
  create(draft: Partial<EpochDraft> = {}, view = this.view(), random = seedOf('random')): EpochCreated {
    const whole: EpochDraft = { reason: 'doubt', base: 0, ...draft }
    return createEpoch(crypto, this.state, this.self.keys, view, whole, random, this.nowMs)
  }

  /** The state after a record of the device's own was sealed; it is not kept. */
  seal(aseq = 0, announceBase = false): ConversationEpochs {
    return this.sealed({ aseq, announceBase }).state
  }

  /** A record of the device's own, sealed; the state after it is not kept. */
  sealed(draft: Partial<SealDraft> = {}): Extract<SealResult, { readonly ok: true }> {
    const whole = { aseq: 0, base: 0, content: seedOf('content'), announceBase: false, ...draft }
    const random = concat(seedOf(`nonces ${whole.aseq}`), seedOf('more')).slice(0, sealRandomBytes)
    const sealed = seal(crypto, this.state, this.self.keys, this.view(), whole, random, this.nowMs)
    if (!sealed.ok) throw new Error(sealed.reason)
    return sealed
  }

  /** Housekeeping, some time later. */
  sweep(afterMs = 0, devices: readonly string[] = this.names): EpochsSwept {
    this.nowMs += afterMs
    const swept = sweepEpochs(this.state, devices.map(personOf), this.nowMs)
    this.state = swept.state
    return swept
  }

  node({ record }: Written): EpochNode {
    return this.state.nodes.get(toHex(record.id))!
  }

  knows({ record }: Written): boolean {
    return this.state.nodes.has(toHex(record.id))
  }

  /** Whether envelopes of an epoch can still be opened. */
  opens({ record }: Written): boolean {
    return (this.state.keys.get(toHex(record.id))?.chains.length ?? 0) > 0
  }

  /** Whether an epoch's topic is still listened on. */
  listens({ record }: Written): boolean {
    return this.state.keys.get(toHex(record.id))?.route !== undefined
  }

  /** Notes that a device's record counted under an epoch. */
  hears(written: Written, ...names: readonly string[]): void {
    const node = this.node(written)
    const heard = node.recipients.map(
      ({ device }, i) =>
        node.heard[i] === true || names.some((name) => toHex(personOf(name).device) === toHex(device)),
    )
    this.state = { ...this.state, nodes: new Map([...this.state.nodes, [node.key, { ...node, heard }]]) }
  }

  /** Letters of an epoch's recipients, in their order. */
  listed(written: Written): string {
    return this.node(written)
      .recipients.map(({ device }) => this.nameOf(device))
      .join(' ')
  }

  nameOf(device: Uint8Array): string {
    return [...made].find(([, person]) => toHex(person.device) === toHex(device))?.[0] ?? '?'
  }
}
