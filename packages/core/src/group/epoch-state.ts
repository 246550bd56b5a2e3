import type { Secret, SignPublicKey } from '../crypto/index.ts'
import { sameDevice, type DeviceAddress } from '../identity/index.ts'
import { compareBytes, toHex } from '../wire/index.ts'
import type { EpochRecord } from './epoch-record.ts'
import type { RouteKeys } from './epoch-keys.ts'
import type { SlotBase } from './epoch-items.ts'
import type { SenderChain } from './sender-chain.ts'

/** A device as an epoch knows it: what its members resolve to at some heads. */
export interface EpochDevice extends DeviceAddress {
  readonly identityKey: SignPublicKey
  /** End of the device's certificate, renewals counted, Unix milliseconds. */
  readonly notAfterMs: number
}

/** What the rules ask about members; all of it is resolved elsewhere. */
export interface MembershipView {
  /** Active devices of the members at these heads; undefined when something they stand on is not here. */
  readonly devicesAt: (heads: readonly Uint8Array[]) => readonly EpochDevice[] | undefined
  /** The newest heads. They pin every device-log operation this device knows of. */
  readonly heads: readonly Uint8Array[]
  /** D(now): devices active by every operation seen, of all members, and not lapsed by the own clock. */
  readonly devices: readonly EpochDevice[]
  /** Whether what is written now may be given to those who join later. */
  readonly history: 0 | 1
  /** Since when `devices` is what it is. */
  readonly sinceMs: number
  /** A fork proof against a device, its exact bytes, if one is known. */
  readonly forkProof?: (device: DeviceAddress) => Uint8Array | undefined
}

/** A device that is entitled to an epoch; its place in the sorted list is its index on the wire. */
export type Recipient = Omit<EpochDevice, 'notAfterMs'>

/** An accepted epoch, whether or not its secret is here. */
export interface EpochNode {
  /** The id in hexadecimal: how maps and parents name it. */
  readonly key: string
  readonly record: EpochRecord
  readonly parents: readonly string[]
  /** Sorted by account, then device. */
  readonly recipients: readonly Recipient[]
  /** Index of this device; −1 when the epoch does not list it. */
  readonly self: number
  /** The claimed depth, at most one more than that of the parents known. */
  readonly depth: number
  readonly acceptedAtMs: number
  /** A seed keyed it once; no other ever will. */
  readonly seeded: boolean
  /** This device has sealed in a descendant and never seals here again. */
  readonly closed: boolean
  readonly supersededAtMs: number | undefined
  readonly retiredAtMs: number | undefined
  /** By recipient: a record of the device counted under this epoch; for this device, it has sealed one. */
  readonly heard: readonly boolean[]
  /** By recipient, own epochs only: the device acknowledged its seed. */
  readonly acked: readonly boolean[]
}

/** The secrets of an epoch whose seed came. */
export interface EpochKeys {
  readonly exporter: Secret
  /** Of a routing epoch, as long as something unretired rides on it. */
  readonly route: RouteKeys | undefined
  /** By recipient; empty once the epoch is retired. */
  readonly chains: readonly SenderChain[]
  /** The base this device signed here, once it had to tell it. */
  readonly ownSlot: SlotBase | undefined
}

/** A seed whose record has not come. */
export interface PendingSeed {
  readonly epoch: Uint8Array
  readonly context: Uint8Array
  readonly secret: Secret
  readonly from: DeviceAddress
  readonly receivedAtMs: number
}

/** All epochs of one conversation as one device knows them. Immutable; holds secrets. */
export interface ConversationEpochs {
  readonly conversation: Uint8Array
  readonly self: DeviceAddress
  readonly nodes: ReadonlyMap<string, EpochNode>
  readonly keys: ReadonlyMap<string, EpochKeys>
  readonly pending: readonly PendingSeed[]
  /** The device whose record counted or was sealed last. */
  readonly lastSpeaker: DeviceAddress | undefined
  /** Records of this age were forgotten; none of it is accepted again. */
  readonly forgottenUpToMs: number
}

/** A conversation without an epoch. */
export const noEpochs = (conversation: Uint8Array, self: DeviceAddress): ConversationEpochs => ({
  conversation,
  self: { account: self.account, device: self.device },
  nodes: new Map(),
  keys: new Map(),
  pending: [],
  lastSpeaker: undefined,
  forgottenUpToMs: 0,
})

/** Order of devices: by account, then device. */
export const compareDevices = (a: DeviceAddress, b: DeviceAddress): number =>
  compareBytes(a.account, b.account) || compareBytes(a.device, b.device)

/** Index of a device among recipients; −1 when it is not there. */
export const indexOfDevice = (recipients: readonly DeviceAddress[], device: DeviceAddress): number =>
  recipients.findIndex((recipient) => sameDevice(recipient, device))

export const keyOf = (epoch: Uint8Array): string => toHex(epoch)

/** The map with some values put or, where undefined, removed. */
export function withEntries<T>(
  map: ReadonlyMap<string, T>,
  entries: readonly (readonly [string, T | undefined])[],
): ReadonlyMap<string, T> {
  if (entries.length === 0) return map
  const next = new Map(map)
  for (const [key, value] of entries) {
    if (value === undefined) next.delete(key)
    else next.set(key, value)
  }
  return next
}

/** The epoch whose topic and queue carry this one's envelopes: itself, or the one it rides on. */
export const routeKeyOf = (node: EpochNode): string =>
  node.record.terms.route === null ? node.key : keyOf(node.record.terms.route)

/** Epochs on whose topics something that is keyed here rides, those themselves included. */
export const carriersOf = ({ nodes, keys }: ConversationEpochs): ReadonlySet<string> =>
  new Set([...nodes.values()].filter(({ key }) => keys.has(key)).map(routeKeyOf))

/** Every secret of an epoch's keys but the route's. */
export const chainSecrets = (keys: EpochKeys): readonly Secret[] => [
  keys.exporter,
  ...keys.chains.flatMap((chain) => [chain.key, chain.skipped.rows]),
]
export const routeSecrets = (route: RouteKeys): readonly Secret[] => [
  route.envelope,
  route.topic,
  route.queue,
]
