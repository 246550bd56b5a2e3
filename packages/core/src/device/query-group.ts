import { lapsed, type AccountId } from '../identity/index.ts'
import { equalBytes, fromHex, toBase32 } from '../wire/index.ts'
import type { MemberView, OwnDeviceView, PolicyView, Queries } from './api.ts'
import { auditOf } from './audit.ts'
import type { Step } from './context.ts'
import { membershipOf } from './groups.ts'
import { requireConversation } from './lookup.ts'
import { stateOf, storedLog } from './logs.ts'
import { requireMe } from './me.ts'
import { contactRows, peerRows, type Conversation } from './tables.ts'
import { sureNow } from './timers.ts'
import { toldOfRemoval } from './told.ts'
import { contactName } from './contacts.ts'

/** What this account calls an account: its own name for itself, the alias or name of a contact. */
export function accountName(step: Step, account: Uint8Array): string {
  const { self } = requireMe(step)
  if (equalBytes(account, self.account)) return self.name
  const contact = step.tx.get(contactRows, account)
  return contact === undefined ? '' : contactName(contact)
}

const rankOf = { owner: 0, admin: 1, member: 2 } as const

/** Members by role, then name, then id. */
export function membersView(step: Step, conversation: Conversation): readonly MemberView[] {
  const { self } = requireMe(step)
  return [...membershipOf(step, conversation).members.values()]
    .map(({ account, role }): MemberView => ({
      accountId: toBase32(account),
      name: accountName(step, account),
      me: equalBytes(account, self.account),
      role,
      devices: devicesView(step, account),
    }))
    .sort(
      (a, b) =>
        rankOf[a.role] - rankOf[b.role] || compare(a.name, b.name) || compare(a.accountId, b.accountId),
    )
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function devicesView(step: Step, account: AccountId): MemberView['devices'] {
  const log = storedLog(step, account)
  if (log === undefined) return []
  return [...stateOf(step, log).active.values()].map((one) => ({
    deviceId: toBase32(one.device),
    name: deviceName(step, one.device),
    state: lapsed(one, sureNow(step)) ? 'expired' : 'active',
  }))
}

function deviceName(step: Step, device: Uint8Array): string {
  const { self } = requireMe(step)
  return equalBytes(device, self.device) ? self.deviceName : (step.tx.get(peerRows, device)?.name ?? '')
}

export const queryMembers = (step: Step, input: Queries['members']['in']): readonly MemberView[] =>
  membersView(step, requireConversation(step, input.conversationId))

export const queryPolicy = (step: Step, input: Queries['policy']['in']): PolicyView =>
  membershipOf(step, requireConversation(step, input.conversationId)).policy

export const queryAudit = (step: Step, input: Queries['audit']['in']): Queries['audit']['out'] =>
  auditOf(
    step,
    input.conversationId === undefined ? undefined : requireConversation(step, input.conversationId),
  )

/** This account's devices: every one its log ever had, oldest first. */
export function queryDevices(step: Step): readonly OwnDeviceView[] {
  const { self } = requireMe(step)
  const log = storedLog(step, self.account)
  if (log === undefined) return []
  const state = stateOf(step, log)
  const found: OwnDeviceView[] = []
  for (const { op } of log.entries) {
    const added = log.added.get(op.key)
    if (added === undefined || found.some(({ deviceId }) => deviceId === toBase32(fromHex(added.device))))
      continue
    const { device } = added.certificate
    const active = state.active.get(added.device)
    const forked = state.forked.some((proof) => equalBytes(proof.device, device))
    const lives = active !== undefined && !lapsed(active, sureNow(step))
    const thisDevice = equalBytes(device, self.device)
    const heardAtMs = step.tx.get(peerRows, device)?.heardAtMs ?? 0
    found.push({
      deviceId: toBase32(device),
      name: deviceName(step, device),
      addedAtMs: op.tsMs,
      addedBy: op.author.kind === 'device' ? toBase32(op.author.device) : null,
      lastSeenMs: thisDevice ? step.nowMs : heardAtMs === 0 ? null : heardAtMs,
      expiresAtMs: active?.notAfterMs ?? added.certificate.notAfterMs,
      state: lives ? 'active' : forked ? 'forked' : active !== undefined ? 'expired' : 'revoked',
      thisDevice,
      told: toldOfRemoval(step, device),
    })
  }
  return found.sort((a, b) => a.addedAtMs - b.addedAtMs)
}
