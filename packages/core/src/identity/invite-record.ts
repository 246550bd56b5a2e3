import {
  pad,
  signAs,
  sizes,
  unpad,
  verifyAs,
  type CryptoProvider,
  type Signature,
  type SignKeyPair,
} from '../crypto/index.ts'
import { limits } from '../limits.ts'
import {
  bytes,
  bytesBetween,
  equalBytes,
  fields,
  frame,
  list,
  literal,
  nullable,
  text,
  uint,
  type Infer,
} from '../wire/index.ts'
import { introShape, type IntroQueue } from './bundle.ts'
import type { DeviceLog } from './device-log.ts'
import { deviceIdShape, type AccountId, type DeviceId } from './ids.ts'
import type { InviteKeys } from './invite.ts'
import { listBytes, packInvite, provingOps } from './invite-pack.ts'
import { inviteStatus, type InviteState } from './invite-state.ts'

/** What a record says of the invite, as numbers on the wire. */
export const recordStates = { open: 0, used: 1, revoked: 2 } as const

/** Another device that can let somebody in: what proves it active in its account, and its bundle. */
const wayShape = fields({
  genesis: bytesBetween(1, 128),
  ops: list(bytesBetween(1, limits.deviceLogOpBytes), 64),
  bundle: bytesBetween(1, limits.bundleBytes),
})
/** A device of another member, as a record names it. */
export type InviteWay = Infer<typeof wayShape>

const groupShape = fields({
  conversation: bytes(sizes.hash),
  /** Id of the operation that opened the link. */
  invite: bytes(sizes.hash),
  name: text(limits.nameBytes),
  ways: list(wayShape, limits.inviteWays),
})
/** The group an invite is into. */
export type InviteGroup = Infer<typeof groupShape>

const recordFields = {
  version: literal(1),
  inviteId: bytes(sizes.hash),
  seq: uint(),
  name: text(limits.nameBytes),
  expiresAtMs: uint(),
  uses: uint(limits.inviteUses),
  state: uint(recordStates.revoked),
  genesis: bytesBetween(1, 128),
  /** Operations of the device log, closed under "its past". */
  ops: list(bytesBetween(1, limits.deviceLogOpBytes), 256),
  device: deviceIdShape,
  bundles: list(bytesBetween(1, limits.bundleBytes), limits.activeDevices),
  intro: nullable(introShape),
  group: nullable(groupShape),
}
const recordShape = fields(recordFields)

/** The record an invite link leads to. Times are Unix milliseconds. */
export type InviteRecord = Infer<typeof recordShape>

const bodyFrame = frame('invite-record-body', recordShape, limits.inviteRecordBytes)
const signedFrame = frame(
  'invite-record',
  fields({ body: bytesBetween(1, limits.inviteRecordBytes), signature: bytes<Signature>(sizes.signature) }),
  limits.inviteRecordBytes,
)

/** Type under which a device signs a record, in the context of its account. */
const signatureType = 'invite-record'

/** What the maker puts in a record beside the invite itself. */
export interface InviteRecordTerms {
  readonly invite: InviteState
  /** The name shown to who opens the link. */
  readonly name: string
  readonly log: DeviceLog
  /** The signing device; active in `log`. */
  readonly device: DeviceId
  /** Key bundles of own devices, the signing device's first; the rest goes in as far as there is room. */
  readonly bundles: readonly Uint8Array[]
  readonly intro: IntroQueue | null
  /** The group an invite leads to; null for a contact. */
  readonly group: (Omit<InviteGroup, 'ways'> & { readonly ways: readonly WayTerms[] }) | null
}

/** A device of another member that may let newcomers in. */
export interface WayTerms {
  readonly log: DeviceLog
  readonly device: DeviceId
  readonly bundle: Uint8Array
}

/**
 * Writes and signs the record, at most `limits.inviteRecordBytes` long (docs/protocol/invite.md §3). A long
 * device log is cut to a closed part of it that still proves the signer active, never to less: UsageError
 * `E_INVITE_TOO_LARGE` when even that has no room. A used or revoked invite says so and carries no keys.
 */
export function writeInviteRecord(
  crypto: CryptoProvider,
  identity: SignKeyPair,
  terms: InviteRecordTerms,
  nowMs: number,
): Uint8Array {
  const { invite, name, log, device } = terms
  const status = inviteStatus(invite, nowMs)
  const open = status === 'open' || status === 'expired'
  const draft = {
    version: 1 as const,
    inviteId: invite.inviteId,
    seq: invite.seq,
    name,
    expiresAtMs: invite.expiresAtMs,
    uses: invite.uses,
    state: recordStates[status === 'expired' ? 'open' : status],
    genesis: log.account.bytes,
    device,
    intro: open ? terms.intro : null,
    group: terms.group === null ? null : { ...terms.group, ways: [] },
  }
  const bare = bodyFrame.encode({ ...draft, ops: [], bundles: [] }).length + signedOverhead
  const room = limits.inviteRecordBytes - bare
  const { ops, bundles } = packInvite(log, device, open ? terms.bundles : [], room)
  const left = room - listBytes([...ops, ...bundles])
  const ways = open ? packWays(terms.group?.ways ?? [], left) : []
  const group = draft.group === null ? null : { ...draft.group, ways }
  const body = bodyFrame.encode({ ...draft, group, ops, bundles })
  return signedFrame.encode({
    body,
    signature: signAs(crypto, identity, signatureType, log.account.id, body),
  })
}

/** As many other devices as there is room for, in the order given. */
function packWays(ways: readonly WayTerms[], room: number): readonly InviteWay[] {
  let left = room
  const packed: InviteWay[] = []
  for (const { log, device, bundle } of ways) {
    if (packed.length >= limits.inviteWays) break
    const genesis = log.account.bytes
    const ops = provingOps(log, device)
    const size = listBytes([genesis, ...ops, bundle]) + wayOverhead
    if (ops.length === 0 || size > left) continue
    left -= size
    packed.push({ genesis, ops, bundle })
  }
  return packed
}

/** Heads of the array and of the list of operations of one way. */
const wayOverhead = 6

/** The signature, the heads of frame, body and lists. */
const signedOverhead = sizes.signature + 16

/** A record whose signature nobody has checked yet. */
export interface UncheckedRecord {
  readonly record: InviteRecord
  readonly body: Uint8Array
  readonly signature: Signature
}

/** Reads a record without judging it; undefined for bytes that are none. */
export function readInviteRecord(input: Uint8Array): UncheckedRecord | undefined {
  const outer = signedFrame.decode(input)
  const body = outer.ok ? bodyFrame.decode(outer.value.body) : outer
  return outer.ok && body.ok ? { ...outer.value, record: body.value } : undefined
}

/** Whether the device with this identity key signed the record for the account. */
export const signedBy = (
  crypto: CryptoProvider,
  unchecked: UncheckedRecord,
  account: AccountId,
  identityKey: SignKeyPair['publicKey'],
): boolean => verifyAs(crypto, identityKey, signatureType, account, unchecked.body, unchecked.signature)

const copyFrame = frame(
  'invite-copy',
  fields({
    version: literal(1),
    nonce: bytes(sizes.aeadNonce),
    sealed: bytesBetween(sizes.aeadTag, limits.recordBytes),
  }),
  limits.recordBytes,
)

/** Seals a record for a relay, at its locator. `nonce` is 24 fresh random bytes. */
export function sealInviteCopy(
  crypto: CryptoProvider,
  keys: InviteKeys,
  record: Uint8Array,
  nonce: Uint8Array,
): Uint8Array {
  const sealed = crypto.seal(keys.copyKey.expose(), nonce, pad(record), keys.locator)
  return copyFrame.encode({ version: 1, nonce, sealed })
}

/** Opens a relay's copy; undefined when it was not sealed by who knows the link. */
export function openInviteCopy(
  crypto: CryptoProvider,
  keys: InviteKeys,
  copy: Uint8Array,
): Uint8Array | undefined {
  const decoded = copyFrame.decode(copy)
  if (!decoded.ok) return undefined
  const padded = crypto.open(keys.copyKey.expose(), decoded.value.nonce, decoded.value.sealed, keys.locator)
  return padded === undefined ? undefined : unpad(padded)
}

/** Whether a record is that of the link these keys come from. */
export const belongsTo = (record: InviteRecord, keys: InviteKeys): boolean =>
  equalBytes(record.inviteId, keys.inviteId)
