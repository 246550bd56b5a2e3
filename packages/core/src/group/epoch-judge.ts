import type { CryptoProvider } from '../crypto/index.ts'
import { accepted, held, rejected, type Verdict } from '../errors.ts'
import { readForkProof, sameDevice, type DeviceAddress } from '../identity/index.ts'
import { limits } from '../limits.ts'
import { verifyEpoch, type EpochExclusion, type EpochRecord } from './epoch-record.ts'
import {
  compareDevices,
  indexOfDevice,
  keyOf,
  type ConversationEpochs,
  type EpochDevice,
  type MembershipView,
  type Recipient,
} from './epoch-state.ts'

/** Why an epoch record was refused: for ever, by every device that knows the same membership. */
export type EpochRefusal =
  | 'malformed'
  | 'wrong-conversation'
  | 'not-a-member'
  | 'bad-signature'
  | 'bad-exclusion'
  | 'bad-recipients'
  | 'bad-route'
  | 'too-old'

/** Judges a canonical record of this conversation and gives its recipients. */
export function judgeRecord(
  crypto: CryptoProvider,
  state: ConversationEpochs,
  record: EpochRecord,
  view: MembershipView,
  nowMs: number,
): Verdict<readonly Recipient[], EpochRefusal> {
  const { terms } = record
  if (terms.timestampMs > nowMs + limits.clockSkewMs) return held('clock')
  if (terms.timestampMs <= state.forgottenUpToMs) return rejected('too-old')
  const devices = view.devicesAt(terms.groupHeads)
  if (devices === undefined) return held('heads')
  const author = devices.find((device) => sameDevice(device, terms))
  if (author === undefined) return rejected('not-a-member')
  if (!verifyEpoch(crypto, author.identityKey, record)) return rejected('bad-signature')
  const recipients = recipientsOf(crypto, devices, terms.excluded, terms.timestampMs)
  if (recipients === undefined) return rejected('bad-exclusion')
  if (recipients.length > limits.epochDevices || indexOfDevice(recipients, terms) < 0)
    return rejected('bad-recipients')
  const route = judgeRoute(state, record, recipients)
  if (route !== undefined) return route
  if (epochsOf(state, terms, nowMs) >= limits.epochsPerAuthorHour) return held('rate')
  return state.nodes.size >= limits.knownEpochs ? held('room') : accepted(recipients)
}

/** Epochs of a device accepted within the last hour. */
function epochsOf(state: ConversationEpochs, author: DeviceAddress, nowMs: number): number {
  let count = 0
  for (const { record, acceptedAtMs } of state.nodes.values())
    if (acceptedAtMs > nowMs - 3_600_000 && sameDevice(record.terms, author)) count += 1
  return count
}

/**
 * The devices an epoch is for: those at its heads without the justly excluded, sorted. Undefined when an
 * exclusion is unjust, out of order, or of a device that is not there.
 */
export function recipientsOf(
  crypto: CryptoProvider,
  devices: readonly EpochDevice[],
  excluded: readonly EpochExclusion[],
  timestampMs: number,
): readonly Recipient[] | undefined {
  const ascending = excluded.every((item, i) => i === 0 || compareDevices(excluded[i - 1] ?? item, item) < 0)
  if (!ascending) return undefined
  for (const item of excluded) {
    const device = devices.find((other) => sameDevice(other, item))
    if (device === undefined || !justified(crypto, item, device, timestampMs)) return undefined
  }
  return devices
    .filter((device) => !excluded.some((item) => sameDevice(item, device)))
    .map(({ account, device, identityKey }) => ({ account, device, identityKey }))
    .sort(compareDevices)
}

function justified(
  crypto: CryptoProvider,
  item: EpochExclusion,
  device: EpochDevice,
  timestampMs: number,
): boolean {
  if (item.kind === 'expired') return device.notAfterMs <= timestampMs + limits.clockSkewMs
  const proof = readForkProof(crypto, item.proof)
  return proof !== undefined && sameDevice(proof, device)
}

/** A turn rides on a routing epoch with the same devices. */
function judgeRoute(
  state: ConversationEpochs,
  record: EpochRecord,
  recipients: readonly Recipient[],
): Verdict<never, EpochRefusal> | undefined {
  if (record.terms.route === null) return undefined
  const route = state.nodes.get(keyOf(record.terms.route))
  if (route === undefined) return held('route')
  if (route.record.terms.route !== null) return rejected('bad-route')
  const same =
    route.recipients.length === recipients.length &&
    recipients.every((recipient, i) => sameDevice(recipient, route.recipients[i] ?? recipient))
  return same ? undefined : rejected('bad-route')
}
