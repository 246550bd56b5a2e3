import { toHex } from '../wire/index.ts'
import { closersOf, faultOf } from './judge.ts'
import type { Membership } from './membership.ts'
import type { OpId } from './op.ts'

/** Where an invite of a group stands for whoever would be admitted by it now. */
export interface InviteStanding {
  /** Closed: revoked, or made before a removal; void: whoever made it had lost the right to. */
  readonly state: 'open' | 'used' | 'closed' | 'void'
  readonly uses: number
  readonly expiresAtMs: number
  /** Accounts that came by it and count, in the order in which they do; hexadecimal ids. */
  readonly usedBy: readonly string[]
}

/** Reads the standing of an invite off everything known; undefined for what is no invite here. */
export function inviteStanding({ judge }: Membership, id: OpId): InviteStanding | undefined {
  const invite = judge.set.byId.get(toHex(id))
  if (invite?.op.args.kind !== 'invite') return undefined
  const { uses, expiresAtMs } = invite.op.args
  const usedBy = [...(judge.uses.get(invite.op.key)?.keys() ?? [])]
  const terms = { uses, expiresAtMs, usedBy }
  if (faultOf(judge, invite) !== null) return { ...terms, state: 'void' }
  if (closersOf(judge, invite, () => false).length > 0) return { ...terms, state: 'closed' }
  return { ...terms, state: usedBy.length < uses ? 'open' : 'used' }
}
