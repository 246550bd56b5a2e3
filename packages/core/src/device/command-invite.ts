import { Secret, sizes } from '../crypto/index.ts'
import { UsageError } from '../errors.ts'
import type { OpId } from '../group/index.ts'
import {
  createInvite,
  encodeInvite,
  formatInvite,
  inviteKeys,
  inviteStatus,
  revokeInvite,
  type InviteState,
} from '../identity/index.ts'
import { limits } from '../limits.ts'
import type { Commands, InviteView } from './api.ts'
import type { Step } from './context.ts'
import { conversationNow } from './conversations.ts'
import { requireGroup } from './command-group.ts'
import { groupOfInvite } from './group-invites.ts'
import { requireMember, writeGroupOp } from './group-ops.ts'
import { takesPart } from './groups.ts'
import { inviteView, publishInvite, putInviteState, stateOfInvite } from './invites.ts'
import { readId } from './lookup.ts'
import { requireMe } from './me.ts'
import { groupInviteRows, inviteRows, relayRows, type Invite } from './tables.ts'
import { sureNow } from './timers.ts'

/** Makes an invite and hands its record to the relays and the DHT; one into a group is an operation there first. */
export async function commandCreateInvite(
  step: Step,
  input: Commands['create-invite']['in'],
): Promise<InviteView> {
  requireRoom(step)
  const group = input.conversationId === undefined ? undefined : requireGroup(step, input.conversationId)
  if (group !== undefined) requireMember(step, group)
  const state = newInvite(step, input)
  if (group !== undefined) {
    const { publicKey } = inviteKeys(step.context.crypto, state).admit
    const { uses, expiresAtMs } = state
    const { id } = await writeGroupOp(step, group, { kind: 'invite', key: publicKey, uses, expiresAtMs })
    const { conversation } = conversationNow(step, group)
    step.tx.put(groupInviteRows, state.inviteId, { inviteId: state.inviteId, conversation, op: id })
  }
  const row: Invite = {
    inviteId: state.inviteId,
    state: encodeInvite(state),
    link: formatInvite(state),
    heldByRelay: false,
    heldByDht: false,
    published: 0,
  }
  step.tx.put(inviteRows, row.inviteId, row)
  publishInvite(step, row)
  return inviteView(step, row)
}

function requireRoom(step: Step): void {
  const open = step.tx
    .all(inviteRows)
    .filter((row) => inviteStatus(stateOfInvite(row), sureNow(step)) === 'open')
  if (open.length >= limits.openInvites)
    throw new UsageError('E_INVITES_FULL', 'too many invites are open', { hint: 'sotto invite revoke ID' })
}

function newInvite(step: Step, input: Commands['create-invite']['in']): InviteState {
  const { crypto, random, live } = step.context
  const host = step.tx.all(relayRows).find((relay) => relay.web !== null)?.web ?? null
  const direct = input.direct ?? host === null
  return createInvite(crypto, {
    account: requireMe(step).self.account,
    secret: new Secret(random.bytes(16)),
    editSeed: new Secret(random.bytes(sizes.seed)),
    host,
    addresses: direct ? directHints(live.addresses) : [],
    nowMs: step.nowMs,
    ...(input.expiresInMs === undefined ? {} : { lifeMs: input.expiresInMs }),
    ...(input.uses === undefined ? {} : { uses: input.uses }),
  })
}

/** Two addresses at most: one that is not loopback if there is one, and a WebSocket one for tabs. */
function directHints(addresses: readonly string[]): readonly string[] {
  const plain = addresses.filter(
    (address) => !address.includes('/p2p-circuit') && !address.includes('/webrtc'),
  )
  const far = plain.filter((address) => !address.includes('/127.0.0.1/') && !address.includes('/::1/'))
  const pool = far.length > 0 ? far : plain
  const tcp = pool.find((address) => !address.includes('/ws'))
  const ws = pool.find((address) => address.includes('/ws'))
  return [tcp, ws].filter((address) => address !== undefined).slice(0, limits.inviteAddresses)
}

/** Revokes an invite for good: its record says so from now on, and where it leads into a group, an operation there. */
export async function commandRevokeInvite(
  step: Step,
  input: Commands['revoke-invite']['in'],
): Promise<InviteView> {
  const row = step.tx.get(inviteRows, readId(input.inviteId, 'an invite id'))
  if (row === undefined) throw new UsageError('E_NOT_FOUND', 'there is no such invite')
  const invite = step.tx.get(groupInviteRows, row.inviteId)?.op
  if (invite !== undefined && !stateOfInvite(row).revoked) await closeInGroup(step, row.inviteId, invite)
  const now = step.tx.get(inviteRows, row.inviteId) ?? row
  return inviteView(step, putInviteState(step, revokeInvite(stateOfInvite(now))))
}

/** Whoever is no admin any longer has lost the say; a removal closed the link as well, or an admin may. */
async function closeInGroup(step: Step, inviteId: Uint8Array, invite: OpId): Promise<void> {
  const group = groupOfInvite(step, inviteId)
  if (group === undefined || !takesPart(step, group)) return
  if (requireMember(step, group).role === 'member') return
  await writeGroupOp(step, group, { kind: 'close', invite })
}
