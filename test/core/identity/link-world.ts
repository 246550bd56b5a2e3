/** An account with one device, a new device, and a channel between the two on which everything can be watched. */
import type { CryptoProvider } from '../../../packages/core/src/crypto/index.ts'
import { Secret } from '../../../packages/core/src/crypto/index.ts'
import {
  addArgs,
  addOps,
  approvalEntropyBytes,
  approvalReceives,
  beginApproval,
  beginOffer,
  completeOffer,
  confirmApproval,
  confirmOffer,
  deliverApproval,
  endApproval,
  endOffer,
  logOps,
  offerEntropyBytes,
  offerReceives,
  offerText,
  parseLinkInput,
  writeDeviceOp,
  type ApprovalEvent,
  type ApprovalStep,
  type ApprovalTarget,
  type DeviceLog,
  type LinkApproval,
  type LinkContact,
  type LinkEnd,
  type LinkOffer,
  type LinkWay,
  type OfferDevice,
  type OfferEvent,
  type OfferStep,
} from '../../../packages/core/src/identity/index.ts'
import { crypto, Scene, seedOf, startMs, type TestDevice } from './support.ts'

/** As many bytes as asked for, from a label. */
export function entropyOf(label: string, length: number): Uint8Array {
  const out = new Uint8Array(length)
  for (let at = 0; at < length; at += 32)
    out.set(seedOf(`${label} ${at}`).subarray(0, Math.min(32, length - at)), at)
  return out
}

export const newDevice = (label: string): OfferDevice => ({
  keys: {
    identity: crypto.signKeyPair(seedOf(`${label} identity`)),
    agreement: crypto.dhKeyPair(seedOf(`${label} agreement`)),
  },
  transportKey: crypto.signKeyPair(seedOf(`${label} transport`)).publicKey,
  name: `${label}'s phone`,
  addresses: ['/ip4/192.0.2.7/tcp/4001'],
})

/** The new device's end, as its caller holds it. */
export class NewEnd {
  state: LinkOffer
  readonly events: OfferEvent[] = []
  readonly provider: CryptoProvider
  readonly own: OfferDevice

  constructor(label: string, way: LinkWay, provider: CryptoProvider = crypto) {
    this.provider = provider
    this.own = newDevice(label)
    const { own } = this
    this.state = beginOffer(provider, own, way, entropyOf(`${label} offer`, offerEntropyBytes), 0)
  }

  get text(): string {
    return offerText(this.provider, this.state) ?? ''
  }

  get contact(): LinkContact {
    return { transportKey: this.own.transportKey, addresses: [] }
  }

  take({ state, send, events, spent }: OfferStep): readonly Uint8Array[] {
    for (const secret of spent) secret.wipe()
    this.state = state
    this.events.push(...events)
    return send
  }

  receives(frame: Uint8Array, nowMs = 0): readonly Uint8Array[] {
    return this.take(offerReceives(this.provider, this.state, frame, nowMs))
  }

  confirms(nowMs = 0): readonly Uint8Array[] {
    return this.take(confirmOffer(this.provider, this.state, nowMs))
  }

  completes(bundle: Uint8Array, nowMs = 0): readonly Uint8Array[] {
    return this.take(completeOffer(this.provider, this.state, bundle, nowMs))
  }

  ends(why: LinkEnd): readonly Uint8Array[] {
    return this.take(endOffer(this.state, why))
  }

  event<K extends OfferEvent['kind']>(kind: K): Extract<OfferEvent, { readonly kind: K }> | undefined {
    return this.events.findLast(
      (event): event is Extract<OfferEvent, { readonly kind: K }> => event.kind === kind,
    )
  }
}

/** Reads what the new device shows, as the old device's person would enter it. */
export function targetOf(text: string, device: LinkContact): ApprovalTarget {
  const parsed = parseLinkInput(text)
  if (!parsed.ok) throw new Error(parsed.reason)
  return parsed.way === 'link'
    ? { way: 'link', link: parsed.link }
    : { way: 'code', code: parsed.code, device }
}

/** The old device's end, as its caller holds it. */
export class OldEnd {
  state!: LinkApproval
  readonly events: ApprovalEvent[] = []
  readonly first: readonly Uint8Array[]
  readonly provider: CryptoProvider

  constructor(label: string, target: ApprovalTarget, provider: CryptoProvider = crypto) {
    this.provider = provider
    const entropy = entropyOf(`${label} approval`, approvalEntropyBytes)
    this.first = this.take(beginApproval(provider, target, entropy, 0))
  }

  take({ state, send, events, spent }: ApprovalStep): readonly Uint8Array[] {
    for (const secret of spent) secret.wipe()
    this.state = state
    this.events.push(...events)
    return send
  }

  receives(frame: Uint8Array, nowMs = 0): readonly Uint8Array[] {
    return this.take(approvalReceives(this.provider, this.state, frame, nowMs))
  }

  confirms(home: Home, nowMs = 0): readonly Uint8Array[] {
    const account = { account: home.scene.account, name: 'Ada', nowMs: startMs + 1 }
    return this.take(confirmApproval(this.provider, this.state, account, nowMs))
  }

  /** Appends the add and hands everything over. */
  delivers(home: Home, introductions: readonly Uint8Array[] = [], nowMs = 0): readonly Uint8Array[] {
    const certified = this.event('certified')
    if (certified === undefined) throw new Error('nothing to deliver')
    home.add(addArgs(certified.certificate))
    const delivery = {
      ops: logOps(home.log),
      discoverySeed: new Secret(home.discoverySeed.slice()),
      introductions,
      bundle: home.bundle,
    }
    return this.take(deliverApproval(this.provider, this.state, delivery, nowMs))
  }

  ends(why: LinkEnd): readonly Uint8Array[] {
    return this.take(endApproval(this.state, why))
  }

  event<K extends ApprovalEvent['kind']>(kind: K): Extract<ApprovalEvent, { readonly kind: K }> | undefined {
    return this.events.findLast(
      (event): event is Extract<ApprovalEvent, { readonly kind: K }> => event.kind === kind,
    )
  }
}

/** The account that is joined. */
export class Home {
  readonly scene: Scene
  readonly laptop: TestDevice
  log: DeviceLog
  readonly discoverySeed: Uint8Array
  readonly bundle: Uint8Array

  constructor(label: string, renewals = 0) {
    this.scene = new Scene(label)
    let last = this.scene.add(null, 'laptop', [])
    this.laptop = this.scene.device('laptop')
    for (let i = 0; i < renewals; i++)
      last = this.scene.renew('laptop', 'laptop', startMs + 1_000 + i, [last])
    this.log = this.scene.log()
    this.discoverySeed = seedOf(`${label} discovery`)
    this.bundle = entropyOf(`${label} bundle`, 900)
  }

  add(args: ReturnType<typeof addArgs>): void {
    const op = writeDeviceOp(crypto, this.log, this.laptop, args, startMs + 2_000)
    const { log, added } = addOps(crypto, this.log, [op.bytes], startMs + 2_000)
    if (added.length !== 1) throw new Error('the add was refused')
    this.log = log
  }
}

/** What is done to a frame on its way: others in its place, in its direction. */
export type Meddler = (frame: Uint8Array, from: 'old' | 'new', index: number) => readonly Uint8Array[]

const honest: Meddler = (frame) => [frame]

/** A channel between two ends; carries frames until nobody has any. */
export class Channel {
  /** Everything that was sent, by sender. */
  readonly carried: { readonly from: 'old' | 'new'; readonly frame: Uint8Array }[] = []
  readonly offer: NewEnd
  readonly approval: OldEnd
  readonly meddler: Meddler

  constructor(offer: NewEnd, approval: OldEnd, meddler: Meddler = honest) {
    this.offer = offer
    this.approval = approval
    this.meddler = meddler
  }

  carry(frames: readonly Uint8Array[], from: 'old' | 'new'): void {
    const queue = frames.map((frame) => ({ frame, from }))
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { from: sender } = next
      this.carried.push(next)
      for (const frame of this.meddler(next.frame, sender, this.carried.length - 1)) {
        const [answers, back] =
          sender === 'old'
            ? ([this.offer.receives(frame), 'new'] as const)
            : ([this.approval.receives(frame), 'old'] as const)
        queue.push(...answers.map((answer) => ({ frame: answer, from: back })))
      }
    }
  }

  /** Up to the pictures. */
  meet(): this {
    this.carry(this.approval.first, 'old')
    return this
  }

  /** Both persons confirm, and everything that follows, as far as it comes. */
  finish(home: Home, introductions: readonly Uint8Array[] = [], bundle: Uint8Array = seedOf('bundle')): this {
    if (this.approval.state.stage.at === 'compared') this.carry(this.approval.confirms(home), 'old')
    if (['compared', 'invited'].includes(this.offer.state.stage.at)) this.carry(this.offer.confirms(), 'new')
    if (this.approval.state.stage.at === 'certified')
      this.carry(this.approval.delivers(home, introductions), 'old')
    if (this.offer.state.stage.at === 'delivered') this.carry(this.offer.completes(bundle), 'new')
    return this
  }
}

/** The pictures an end shows; empty when it never came so far. */
export function emojiAt({ events }: { readonly events: readonly (OfferEvent | ApprovalEvent)[] }): string {
  const compared = events.find((event) => event.kind === 'compare')
  return (compared?.emoji ?? []).map(({ symbol }) => symbol).join('')
}

/** A new device and an old one that was told what it shows. */
export function pair(way: LinkWay, label = 'ada', meddler?: Meddler): Channel {
  const offer = new NewEnd(label, way)
  return new Channel(offer, new OldEnd(label, targetOf(offer.text, offer.contact)), meddler)
}
