import { idOf, sizes, type CryptoProvider, type Signature, type SignPublicKey } from '../crypto/index.ts'
import {
  accountIdShape,
  addressKey,
  deviceIdShape,
  logOpIdShape,
  type AccountId,
  type LogOpId,
} from '../identity/index.ts'
import { limits } from '../limits.ts'
import {
  bool,
  bytes,
  bytesBetween,
  fields,
  frame,
  list,
  nullable,
  openOneOf,
  toHex,
  uint,
  type Infer,
  type Shape,
} from '../wire/index.ts'

/** The operations of a conversation's membership (docs/protocol/group.md §2): their frame, and how it is read. */

declare const brand: unique symbol

/** A membership operation: the id of its body, 32 bytes. A grant's id is the capability it gives. */
export type OpId = Uint8Array & { readonly [brand]: 'membership-op-id' }
/** A conversation: the id of its `create`, or of its two accounts when it is direct. 32 bytes. */
export type ConversationId = Uint8Array & { readonly [brand]: 'conversation-id' }
/** What an account may do, the most first. */
export type Role = 'owner' | 'admin' | 'member'

const roleNames: readonly Role[] = ['owner', 'admin', 'member']
/** Position of a role: 0 owner, 1 admin, 2 member. */
export const rankOf = (role: Role): number => roleNames.indexOf(role)

const roleNumber = uint(roleNames.length - 1)
const roleShape: Shape<Role> = {
  write: (to, role) => {
    roleNumber.write(to, rankOf(role))
  },
  read: (from) => roleNames[roleNumber.read(from)] ?? 'member',
}

/** Shapes for the frames of other rooms. */
export const opIdShape = bytes<OpId>(sizes.hash)
export const conversationIdShape = bytes<ConversationId>(sizes.hash)

const headsShape = list(logOpIdShape, limits.deviceLogHeads)

const lastSeenShape = fields({
  device: deviceIdShape,
  /** Its newest record that still counts, and its number. Null: none does. */
  record: nullable(fields({ aseq: uint(), id: bytes(sizes.hash) })),
  /** Its newest operation that still counts, and its number. Null: none does. */
  op: nullable(fields({ oseq: uint(), id: opIdShape })),
})

/** How far one device's words reach, as somebody saw them. */
export type LastSeen = Infer<typeof lastSeenShape>

/** Shape of a list of them. */
export const lastSeenList = list(lastSeenShape, limits.frontierDevices)

const policyShape = openOneOf({
  /** Who joins sees the days before: 0 none (from the join on), null all. Fixed for what is written under it. */
  history: [1, { days: nullable(uint(limits.historyDays)) }],
  /** Everybody forgets what is older, milliseconds; null keeps. */
  retention: [2, { ms: nullable(uint()) }],
  /** Life of new messages, milliseconds; null for ever. */
  timer: [3, { ms: nullable(uint()) }],
  /** Whether admins may make admins; an owner's to say. */
  adminsGrantAdmin: [4, { allowed: bool }],
  /** Whether any member may let in who holds an invite. */
  membersAdmit: [5, { allowed: bool }],
  /** Whether admins may redact what others wrote. */
  adminsRedact: [6, { allowed: bool }],
})

/** One setting of a conversation and its new value. */
export type PolicyChange = Exclude<Infer<typeof policyShape>, { readonly kind: 'unknown' }>

const argsShape = openOneOf({
  /** Opens a conversation; its author's account owns it. 32 random bytes make it one of its kind. */
  create: [1, { nonce: bytes(sizes.hash) }],
  /** A role for an account, whose device log is known up to these heads. */
  grant: [2, { account: accountIdShape, role: roleShape, heads: headsShape }],
  /** Ends an account's grants; of its words those named stay. */
  revoke: [3, { account: accountIdShape, frontier: lastSeenList }],
  /** Ends an account's grants above a role and gives it that role. */
  demote: [4, { account: accountIdShape, role: roleShape }],
  /** Ends the author's own grants. */
  leave: [5, {}],
  /** A link: whoever proves to hold its key may be admitted, so many accounts, until then. */
  invite: [
    6,
    { key: bytes<SignPublicKey>(sizes.signPublic), uses: uint(limits.inviteUses), expiresAtMs: uint() },
  ],
  /** A member's role for who proved to hold an invite's key. */
  admit: [
    7,
    {
      invite: opIdShape,
      account: accountIdShape,
      heads: headsShape,
      proof: bytes<Signature>(sizes.signature),
    },
  ],
  policy: [8, { change: policyShape }],
  /** What is known of an account's devices, and how far the words of those that are out reach. */
  deviceset: [9, { account: accountIdShape, heads: headsShape, last: lastSeenList }],
  /** Opens a segment of the history. */
  seg: [10, { depth: uint() }],
  /** An edit of a shared document: what it says is the history room's business. */
  meta: [11, { intent: bytesBetween(1, limits.metaIntentBytes), after: list(opIdShape, limits.groupOpDeps) }],
  /** Revokes an invite: it admits nobody whose admission its author had not seen. */
  close: [12, { invite: opIdShape }],
})

const bodyShape = fields({
  /** Null in a `create`, which has no id yet. */
  conversation: nullable(conversationIdShape),
  args: argsShape,
  /** What its author knew and no other known operation names; ascending. Its own last one is among them. */
  deps: list(opIdShape, limits.groupOpDeps),
  /** The grant it rests on. */
  cap: nullable(opIdShape),
  account: accountIdShape,
  device: deviceIdShape,
  /** Heads of the author's own device log; ascending. */
  accountHeads: headsShape,
  /** Counts the device's operations in the conversation, from 1. */
  oseq: uint(limits.groupOpsPerDevice),
  tsMs: uint(),
})

const bodyFrame = frame('membership-op-body', bodyShape, limits.groupOpBytes)

const opFrame = frame(
  'membership-op',
  fields({
    body: bytesBetween(1, limits.groupOpBytes),
    signature: bytes<Signature>(sizes.signature),
  }),
  limits.groupOpBytes,
)

/** What an operation does. */
export type OpArgs = Infer<typeof argsShape>
/** What an operation of this version does. */
export type KnownOpArgs = Exclude<OpArgs, { readonly kind: 'unknown' }>
/** The content of an operation. */
export type OpBody = Infer<typeof bodyShape>

/** A decoded operation with its exact bytes. Decoding proves nothing: `addMembershipOps` verifies. */
export interface MembershipOp extends Omit<OpBody, 'conversation'> {
  readonly bytes: Uint8Array
  readonly body: Uint8Array
  readonly signature: Signature
  readonly id: OpId
  /** Hexadecimal of `id`. */
  readonly key: string
  /** The conversation it belongs to; its own id when it is the `create`. */
  readonly conversation: ConversationId
  /** Hexadecimal of the author's account. */
  readonly byAccount: string
  /** Hexadecimal of the author's device. */
  readonly byDevice: string
  /** `addressKey` of the author. */
  readonly by: string
}

/** Type under which operations are signed, in the context of their conversation. */
export const opSignatureType = 'membership-op'

/** Bytes of a body, as they are signed. Throws when a value does not fit the frame: a caller's bug. */
export const encodeOpBody = bodyFrame.encode
/** Bytes of an operation. */
export const encodeOp = (body: Uint8Array, signature: Signature): Uint8Array =>
  opFrame.encode({ body, signature })

/** The id of an operation by its body. */
export const opIdOf = (crypto: CryptoProvider, body: Uint8Array): OpId =>
  idOf(crypto, 'membership-op', body) as OpId

/** Reads an operation without judging it; undefined for bytes that are none. */
export function readMembershipOp(crypto: CryptoProvider, input: Uint8Array): MembershipOp | undefined {
  const outer = opFrame.decode(input)
  if (!outer.ok) return undefined
  const body = bodyFrame.decode(outer.value.body)
  if (!body.ok) return undefined
  const { deps, accountHeads, args, account, device } = body.value
  if (!ascending(deps) || !ascending(accountHeads) || !ascending(namedHeads(args))) return undefined
  if ((args.kind === 'create') !== (body.value.conversation === null)) return undefined
  const id = opIdOf(crypto, outer.value.body)
  return {
    ...outer.value,
    ...body.value,
    ...{ bytes: input, id, key: toHex(id) },
    conversation: body.value.conversation ?? (id as Uint8Array as ConversationId),
    ...{ byAccount: toHex(account), byDevice: toHex(device), by: addressKey({ account, device }) },
  }
}

/** Heads of a device log that an operation pins for the account it is about. */
export const namedHeads = (args: OpArgs): readonly LogOpId[] =>
  args.kind === 'grant' || args.kind === 'admit' || args.kind === 'deviceset' ? args.heads : []

/** Every account whose device log an operation pins, with the heads. */
export function pinsOf(
  op: Pick<MembershipOp, 'account' | 'accountHeads' | 'args'>,
): readonly { readonly account: AccountId; readonly heads: readonly LogOpId[] }[] {
  const own = { account: op.account, heads: op.accountHeads }
  const { args } = op
  return args.kind === 'grant' || args.kind === 'admit' || args.kind === 'deviceset'
    ? [own, { account: args.account, heads: args.heads }]
    : [own]
}

/** A device's place in a `frontier` or a `deviceset`; undefined when it is not named. */
export const lastSeenOf = (list: readonly LastSeen[], device: string): LastSeen | undefined =>
  list.find((one) => toHex(one.device) === device)

/** What an operation names of devices' newest words. */
export const lastSeenIn = (args: OpArgs): readonly LastSeen[] =>
  args.kind === 'revoke' ? args.frontier : args.kind === 'deviceset' ? args.last : []

/** Ids are in byte order without repeats, so that one set has one encoding. */
const ascending = (ids: readonly Uint8Array[]): boolean =>
  ids.every((id, i) => {
    const before = ids[i - 1]
    return before === undefined || toHex(before) < toHex(id)
  })
