import { Secret, type CryptoProvider } from '../crypto/index.ts'
import { accepted, rejected, UsageError, type Verdict } from '../errors.ts'
import { limits } from '../limits.ts'
import { bool, bytes, equalBytes, fields, frame, list, nullable, text, uint } from '../wire/index.ts'
import { accountIdShape, type AccountId } from './ids.ts'
import { formatInvite, inviteKeys, type InviteLink } from './invite.ts'

/**
 * An invite as its maker keeps it.
 *
 *     open ──use by the last allowed account──▶ used
 *      │ ╲──the hour has come──▶ expired
 *      ╰──revoke (from any state)──▶ revoked
 */
export interface InviteState extends InviteLink {
  /** 32 bytes. */
  readonly inviteId: Uint8Array
  /** 32 random bytes, see `inviteEditKey`. */
  readonly editSeed: Secret
  readonly createdAtMs: number
  readonly expiresAtMs: number
  /** How many accounts may use it. */
  readonly uses: number
  /** Who did, in the order their first flights came in. */
  readonly usedBy: readonly AccountId[]
  readonly revoked: boolean
  /** Sequence number of its newest record. */
  readonly seq: number
}

/** Where an invite stands. */
export type InviteStatus = 'open' | 'used' | 'revoked' | 'expired'

/** Why an invite cannot be used. */
export type InviteRefusal = 'E_INVITE_USED' | 'E_INVITE_REVOKED' | 'E_INVITE_EXPIRED'

/** What a new invite is made of. */
export interface InviteTerms {
  readonly account: AccountId
  /** 16 fresh random bytes. */
  readonly secret: Secret
  /** 32 fresh random bytes. */
  readonly editSeed: Secret
  readonly host: string | null
  readonly addresses: readonly string[]
  readonly nowMs: number
  /** At most `limits.inviteMaxMs`; default `limits.inviteMs`. */
  readonly lifeMs?: number
  /** At most `limits.inviteUses`; default 1. */
  readonly uses?: number
}

/** Makes an invite; throws a UsageError for terms beyond the limits. */
export function createInvite(crypto: CryptoProvider, terms: InviteTerms): InviteState {
  const { account, secret, editSeed, host, addresses, nowMs, lifeMs = limits.inviteMs, uses = 1 } = terms
  within('E_INVITE_LIFE', lifeMs, limits.inviteMaxMs)
  within('E_INVITE_USES', uses, limits.inviteUses)
  if (editSeed.length !== 32) throw new UsageError('E_LENGTH', 'an edit seed has 32 bytes')
  const link: InviteLink = { account, secret, host, addresses }
  formatInvite(link)
  const { inviteId } = inviteKeys(crypto, link)
  const times = { createdAtMs: nowMs, expiresAtMs: nowMs + lifeMs }
  return { ...link, inviteId, editSeed, ...times, uses, usedBy: [], revoked: false, seq: 1 }
}

function within(code: string, value: number, max: number): void {
  if (!Number.isSafeInteger(value) || value < 1 || value > max)
    throw new UsageError(code, `must be a whole number from 1 to ${max}`)
}

/** Where an invite stands at a moment: what was done to it comes before what time did. */
export function inviteStatus(invite: InviteState, nowMs: number): InviteStatus {
  if (invite.revoked) return 'revoked'
  if (invite.usedBy.length >= invite.uses) return 'used'
  return nowMs >= invite.expiresAtMs ? 'expired' : 'open'
}

/**
 * Judges a first flight that proved knowledge of the invite. `atMs` is when it reached this device or its
 * relay. An account that used the invite before uses nothing up and is accepted again, for its first flight
 * rides on every message until it is answered. The accepted value is the state to store.
 */
export function useInvite(
  invite: InviteState,
  by: AccountId,
  atMs: number,
): Verdict<InviteState, InviteRefusal> {
  if (invite.usedBy.some((known) => equalBytes(known, by))) return accepted(invite)
  const status = inviteStatus(invite, atMs)
  switch (status) {
    case 'open':
      return accepted({ ...invite, usedBy: [...invite.usedBy, by], seq: invite.seq + 1 })
    case 'used':
      return rejected('E_INVITE_USED')
    case 'revoked':
      return rejected('E_INVITE_REVOKED')
    case 'expired':
      return rejected('E_INVITE_EXPIRED')
  }
}

/** The invite as used by exactly these accounts, for one into a group, whose members say who came by it. */
export const usedByThese = (invite: InviteState, usedBy: readonly AccountId[]): InviteState => {
  const same = usedBy.length === invite.usedBy.length
  const known = same && usedBy.every((one, at) => equalBytes(one, invite.usedBy[at] ?? one.subarray(1)))
  return known ? invite : { ...invite, usedBy, seq: invite.seq + 1 }
}

/** Revokes an invite for good; revoking again changes nothing. */
export const revokeInvite = (invite: InviteState): InviteState =>
  invite.revoked ? invite : { ...invite, revoked: true, seq: invite.seq + 1 }

/** The state before its record is published again with other content, such as fresh bundles. */
export const renewInvite = (invite: InviteState): InviteState => ({ ...invite, seq: invite.seq + 1 })

const stateFrame = frame(
  'invite-state',
  fields({
    account: accountIdShape,
    secret: bytes(16),
    host: nullable(text(limits.addressBytes)),
    addresses: list(text(limits.addressBytes), limits.inviteAddresses),
    inviteId: bytes(32),
    editSeed: bytes(32),
    createdAtMs: uint(),
    expiresAtMs: uint(),
    uses: uint(limits.inviteUses),
    usedBy: list(accountIdShape, limits.inviteUses),
    revoked: bool,
    seq: uint(),
  }),
)

/** The state as bytes for the sealed store; they hold the link's secret. */
export const encodeInvite = (invite: InviteState): Uint8Array =>
  stateFrame.encode({ ...invite, secret: invite.secret.expose(), editSeed: invite.editSeed.expose() })

/** Reads what `encodeInvite` wrote; undefined for other bytes. */
export function decodeInvite(input: Uint8Array): InviteState | undefined {
  const decoded = stateFrame.decode(input)
  if (!decoded.ok) return undefined
  const { secret, editSeed, ...rest } = decoded.value
  return { ...rest, secret: new Secret(secret), editSeed: new Secret(editSeed) }
}
