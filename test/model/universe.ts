/** What all states of one exploration share: the devices, the bounds, and everything that was ever made in it. */
import type { CryptoProvider, SignKeyPair } from '../../packages/core/src/crypto/index.ts'
import { deriveEpoch } from '../../packages/core/src/group/epoch-keys.ts'
import { noEpochs, type MembershipView, type Seed } from '../../packages/core/src/group/index.ts'
import {
  addressKey,
  type AccountId,
  type DeviceAddress,
  type DeviceId,
} from '../../packages/core/src/identity/index.ts'
import { nextKey } from '../../packages/core/src/group/sender-chain.ts'
import { toHex, utf8 } from '../../packages/core/src/wire/index.ts'
import type { Local } from './device.ts'
import { firstEnds, type Place } from './ratchet.ts'

/** A rule left out or turned round, to show that the properties notice. */
export type Fault =
  'stale-view' | 'seed-to-all' | 'stale-ratchet' | 'kept-chains' | 'unbound-seed' | 'no-repair'

/** What may happen in an exploration, and how often. */
export interface Scene {
  readonly name: string
  /** Devices that are in from the start; the others may be added. */
  readonly members: number
  readonly devices: number
  /** Everybody holds a first epoch at the start. */
  readonly begun: boolean
  readonly records: number
  /** Epochs of all devices together, the first one included. */
  readonly epochs: number
  readonly removals: number
  /** Epochs that a device may begin without need: its turn, doubt, age. */
  readonly free: number
  /** Seeds that may be lost. */
  readonly losses: number
  /** Copies that may be stolen. */
  readonly thefts: number
  /** The device of this number may begin its epochs two-faced. */
  readonly insider?: number
  /** Acknowledgements travel; they make the round trips. */
  readonly acks?: boolean
  /** A record comes with its seed, not apart from it, and is lost with it. */
  readonly together?: boolean
  /** Who has a usable epoch repeats under it, in time, all that it carried elsewhere. */
  readonly repeats?: boolean
  /** What is due to be erased is erased at once; else never. */
  readonly sweep?: boolean
  readonly fault?: Fault
}

/** An epoch as the checker knows it, whoever holds what. */
export interface Epoch {
  readonly record: Uint8Array
  readonly seed: Seed
  readonly author: number
  /** Operations the author knew, as bits. */
  readonly ops: number
  /** Devices in by what the author knew, as bits. */
  readonly entitled: number
  /** Author and devices a seed was sent to, as bits. */
  readonly exposed: number
  readonly frames: readonly { readonly to: number; readonly place: Place }[]
  readonly twoFaced: boolean
}

/** The numbers of the bits set. */
export const bitsOf = (mask: number): readonly number[] =>
  Array.from({ length: 16 }, (_, i) => i).filter((i) => (mask & (1 << i)) !== 0)

export class Universe {
  readonly crypto: CryptoProvider
  readonly scene: Scene
  readonly nowMs = 1_760_000_000_000
  readonly conversation: Uint8Array
  readonly devices: readonly { readonly address: DeviceAddress; readonly keys: SignKeyPair }[]
  readonly epochs = new Map<string, Epoch>()
  readonly #index = new Map<string, number>()
  readonly #chains = new Map<string, readonly string[]>()
  readonly #heads = new Map<string, number>()
  readonly #views = new Map<number, MembershipView>()

  constructor(crypto: CryptoProvider, scene: Scene) {
    this.crypto = crypto
    this.scene = scene
    this.conversation = crypto.sha256(utf8('conversation'))
    const made = Array.from({ length: scene.devices }, (_, i) => ({
      address: {
        account: crypto.sha256(utf8(`account ${String(i)}`)) as AccountId,
        device: crypto.sha256(utf8(`device ${String(i)}`)) as DeviceId,
      },
      keys: crypto.signKeyPair(crypto.sha256(utf8(`key ${String(i)}`))),
    }))
    this.devices = made
    made.forEach(({ address }, i) => this.#index.set(addressKey(address), i))
  }

  indexOf(address: DeviceAddress): number {
    return this.#index.get(addressKey(address)) ?? -1
  }

  /** Chain keys of a device in an epoch, from the first, as the epoch's secret gives them. */
  chainKeys(epoch: string, device: DeviceAddress): readonly string[] {
    const name = `${epoch}/${addressKey(device)}`
    const known = this.#chains.get(name)
    if (known !== undefined) return known
    const { secret, context } = this.epochs.get(epoch)!.seed
    const [first] = deriveEpoch(this.crypto, secret, context, [device]).chains
    const keys = [first!.expose()]
    while (keys.length <= this.scene.records) keys.push(nextKey(this.crypto, keys.at(-1)!))
    this.#chains.set(name, keys.map(toHex))
    return keys.map(toHex)
  }

  /** The operation that adds a device, or that removes it, as a bit. */
  addOf(device: number): number {
    return 1 << device
  }
  removeOf(device: number): number {
    return 1 << (this.scene.devices + device)
  }

  addedBy(ops: number): number {
    return ops & ((1 << this.scene.devices) - 1)
  }
  removedBy(ops: number): number {
    return ops >> this.scene.devices
  }
  membersBy(ops: number): number {
    return this.addedBy(ops) & ~this.removedBy(ops)
  }
  withoutRemovals(ops: number): number {
    return this.addedBy(ops)
  }

  /** The view of a device that knows these operations. */
  viewOf(ops: number): MembershipView {
    const cached = this.#views.get(ops)
    if (cached !== undefined) return cached
    const head = this.crypto.sha256(Uint8Array.of(ops & 0xff, ops >> 8))
    this.#heads.set(toHex(head), ops)
    const of = (mask: number) =>
      bitsOf(mask).map((i) => {
        const { address, keys } = this.devices[i]!
        return { ...address, identityKey: keys.publicKey, notAfterMs: this.nowMs + 1e12 }
      })
    const view: MembershipView = {
      heads: [head],
      devices: of(this.membersBy(ops)),
      devicesAt: ([at]) => {
        const named = at && this.#heads.get(toHex(at))
        return named === undefined || (named & ~ops) !== 0 ? undefined : of(this.membersBy(named))
      },
      history: 0,
      sinceMs: this.nowMs,
    }
    this.#views.set(ops, view)
    return view
  }

  /** A device before anything happened. */
  firstLocal(index: number): Local {
    const { members, devices } = this.scene
    return {
      index,
      epochs: noEpochs(this.conversation, this.devices[index]!.address),
      ops: index < members ? (1 << members) - 1 : 0,
      next: 0,
      draws: 0,
      read: [],
      sealed: [],
      ends: Array.from({ length: devices }, (_, peer) =>
        index < peer ? firstEnds.asked : firstEnds.answered,
      ),
    }
  }
}
