/**
 * The group of `group-world.ts` over real sessions: every seed and acknowledgement travels in a frame of PQXDH and
 * Double Ratchet between two devices, and whoever listens sees every byte.
 */
import type { CryptoProvider } from '../../packages/core/src/crypto/index.ts'
import { seedAckFrame, seedFrame } from '../../packages/core/src/group/index.ts'
import { readCertificate } from '../../packages/core/src/identity/index.ts'
import {
  acceptHandshake,
  adopt,
  decodeFirstFlight,
  decodePairwise,
  encodePairwise,
  initiateEntropyBytes,
  newSession,
  noSessions,
  openFrom,
  openHandshake,
  requestPqStep,
  sealEntropyBytes,
  sealTo,
  type Pairwise,
} from '../../packages/core/src/session/index.ts'
import { concat } from '../../packages/core/src/wire/index.ts'
import { GroupWorld, SimDevice, type Item, type Parcel } from './group-world.ts'
import { makeDevice, type TestDevice } from './session-device.ts'

/** Something that left a device: a session frame for one other, or an item for everybody on the topic. */
export type Overheard =
  | { readonly kind: 'frame'; readonly from: SimDevice; readonly to: SimDevice; readonly frame: Uint8Array }
  | { readonly kind: 'public'; readonly from: SimDevice; readonly item: Item }

/** What a session's plaintext is here: one byte for the kind, then the item's own frame. */
export const seedTag = 1
const ackTag = 2

/** Everything a device keeps: rows of its epochs, state of its sessions by peer, its long-lived keys and prekeys. */
export interface Loot {
  readonly rows: ReadonlyMap<string, Uint8Array>
  readonly sessions: ReadonlyMap<string, Uint8Array>
  readonly keys: TestDevice
}

/** A device with sessions; its address is its certificate's. */
export class SessionDevice extends SimDevice {
  readonly test: TestDevice
  readonly #sessions = new Map<string, Uint8Array>()

  constructor(crypto: CryptoProvider, conversation: Uint8Array, name: string) {
    const test = makeDevice(crypto, name)
    const { certificate, keys } = test.own
    super(crypto, conversation, name, {
      address: { account: certificate.account, device: certificate.device },
      keys: keys.identity,
    })
    this.test = test
  }

  pairwise(peer: SimDevice): Pairwise {
    const stored = this.#sessions.get(peer.name)
    const pairwise = stored === undefined ? noSessions : decodePairwise(stored)
    if (pairwise === undefined) throw new Error('a stored session does not decode')
    return pairwise
  }

  setPairwise(peer: SimDevice, pairwise: Pairwise): void {
    this.#sessions.set(peer.name, encodePairwise(pairwise))
  }

  /** A copy of all it holds at this moment. */
  loot(): Loot {
    const sessions = new Map([...this.#sessions].map(([peer, bytes]) => [peer, bytes.slice()]))
    return { rows: this.snapshot(), sessions, keys: this.test }
  }
}

/** A group whose seeds and acknowledgements go through sessions, and a listener on every line. */
export class SessionGroup extends GroupWorld {
  readonly overheard: Overheard[] = []
  readonly #session: CryptoProvider

  /** `session` is the provider of the sessions alone, for a watch on the epochs' own. */
  constructor(crypto: CryptoProvider, seed: string, session: CryptoProvider = crypto) {
    super(crypto, seed)
    this.#session = session
  }

  /** A device by name. */
  device(name: string): SessionDevice {
    const found = this.devices.find((device) => device.name === name)
    if (!(found instanceof SessionDevice)) throw new Error(`no device ${name}`)
    return found
  }

  protected override makeDevice(name: string): SimDevice {
    return new SessionDevice(this.crypto, this.conversation, name)
  }

  override publish(from: SimDevice, item: Item): void {
    this.overheard.push({ kind: 'public', from, item })
    super.publish(from, item)
  }

  protected override post(from: SimDevice, to: SimDevice, item: Item): void {
    if (item.kind === 'seed')
      this.whisper(from, to, concat(Uint8Array.of(seedTag), seedFrame.encode(item.seed)))
    else if (item.kind === 'ack')
      this.whisper(from, to, concat(Uint8Array.of(ackTag), seedAckFrame.encode({ epoch: item.epoch })))
    else throw new Error(`${item.kind} does not go through a session`)
  }

  /** Seals something for one device, beginning a session when there is none. */
  whisper(from: SimDevice, to: SimDevice, plaintext: Uint8Array): void {
    const [own, peer] = [this.device(from.name), this.device(to.name)]
    let pairwise = own.pairwise(peer)
    if (pairwise.sessions.length === 0) {
      const wanted = { own: own.test.own, bundle: peer.test.bundle, options: { logHeads: [] } }
      const begun = newSession(this.#session, pairwise, wanted, this.bytes(initiateEntropyBytes), this.nowMs)
      if (!begun.ok) throw new Error(begun.reason)
      pairwise = begun.peer
    }
    const sealed = sealTo(this.#session, pairwise, plaintext, this.bytes(sealEntropyBytes), this.nowMs)
    if (!sealed.ok) throw new Error(sealed.reason)
    own.setPairwise(peer, sealed.peer)
    this.overheard.push({ kind: 'frame', from, to, frame: sealed.frame })
    to.inbox.push({ from, item: { kind: 'frame', frame: sealed.frame } })
  }

  /** One message each way on the session of two devices, begun by the first. */
  roundTrip(first: SimDevice, second: SimDevice): void {
    for (const [from, to] of [
      [first, second],
      [second, first],
    ] as const) {
      this.whisper(from, to, Uint8Array.of(0))
      this.drain()
    }
  }

  /** Has a device's next message on a session carry a post-quantum step. */
  suspect(device: SimDevice, peer: SimDevice): void {
    const own = this.device(device.name)
    own.setPairwise(peer, requestPqStep(own.pairwise(peer)))
  }

  override deliver(device: SimDevice, parcel: Parcel): boolean {
    if (parcel.item.kind !== 'frame') return super.deliver(device, parcel)
    const plaintext = this.#openFrame(
      this.device(device.name),
      this.device(parcel.from.name),
      parcel.item.frame,
    )
    const { from } = parcel
    const body = plaintext.subarray(1)
    if (plaintext[0] === seedTag) {
      const seed = seedFrame.decode(body)
      if (!seed.ok) throw new Error(seed.reason)
      return super.deliver(device, { from, item: { kind: 'seed', seed: seed.value, from } })
    }
    const ack = seedAckFrame.decode(body)
    return plaintext[0] !== ackTag || !ack.ok
      ? true
      : super.deliver(device, { from, item: { kind: 'ack', epoch: ack.value.epoch, from } })
  }

  #openFrame(own: SessionDevice, peer: SessionDevice, frame: Uint8Array): Uint8Array {
    const opened = openFrom(this.#session, own.pairwise(peer), frame, this.nowMs)
    if (opened.ok) {
      own.setPairwise(peer, opened.peer)
      return opened.plaintext
    }
    const flight = decodeFirstFlight(frame)
    if (flight === undefined) throw new Error(opened.reason)
    const accepted = acceptFlight(this.#session, own.test, flight, this.nowMs)
    if (accepted === undefined) throw new Error('a genuine handshake was refused')
    own.setPairwise(peer, adopt(own.pairwise(peer), accepted.session))
    return accepted.plaintext
  }
}

/** The responder's side of a handshake, by whoever holds the device's keys and prekeys. */
export function acceptFlight(
  crypto: CryptoProvider,
  { own, prekeys }: TestDevice,
  flight: NonNullable<ReturnType<typeof decodeFirstFlight>>,
  nowMs: number,
): Extract<ReturnType<typeof acceptHandshake>, { ok: true }> | undefined {
  const opened = openHandshake(crypto, prekeys, flight, nowMs)
  const certificate = opened.ok ? readCertificate(crypto, opened.claims.certificate) : undefined
  if (!opened.ok || certificate === undefined) return undefined
  const accepted = acceptHandshake(crypto, own, prekeys, opened, certificate, [], nowMs)
  return accepted.ok ? accepted : undefined
}
