import type { AuditView } from '@sotto/core'
import type { Names } from './names.ts'
import { strings } from './strings.ts'

const words = strings.notices

/** A line of the audit in words: who, which device, and where it matters what to do. */
export function noticeWords(line: AuditView, names: Names): string {
  const [family = ''] = line.kind.split('-', 1)
  switch (family) {
    case 'device':
      return deviceWords(line, names)
    case 'conflict':
      return conflictWords(line, names)
    default:
      return memberWords(line, names)
  }
}

const alerts = new Set([
  'device-added',
  'device-forked',
  'device-rolled-back',
  'account-recovered',
  'membership-damaged',
  'membership-lost',
])

/** Lines a person has to act on, or may want to. */
export const isAlert = ({ kind }: AuditView): boolean => alerts.has(kind) || conflict(kind)

const conflict = (kind: string): boolean => kind.startsWith('conflict-')

function deviceWords(line: AuditView, names: Names): string {
  const mine = names.isMe(line.subject)
  const who = mine ? words.you : names.of(line.subject)
  const whose = mine ? words.your : words.whose(names.of(line.subject))
  const device = names.device(line.deviceId)
  switch (line.kind) {
    case 'device-added':
      return mine ? words.ownDeviceAdded(device) : words.deviceAdded(who, device)
    case 'device-revoked':
      return words.deviceRevoked(who, device)
    case 'device-expired':
      return words.deviceExpired(whose, device)
    case 'device-forked':
      return words.deviceForked(whose, device)
    case 'device-rolled-back':
      return words.deviceRolledBack(whose, device)
    default:
      return words.other(line.kind)
  }
}

function memberWords(line: AuditView, names: Names): string {
  const who = names.isMe(line.by) ? words.you : names.of(line.by)
  const whom = names.isMe(line.subject) ? words.youObject : names.of(line.subject)
  const subject = names.isMe(line.subject) ? words.you : names.of(line.subject)
  switch (line.kind) {
    case 'member-added':
      if (line.by === null) return words.joined(subject)
      return line.by === line.subject ? words.opened(subject) : words.added(who, whom)
    case 'member-removed':
      return line.by === null ? words.gone(subject) : words.removed(who, whom)
    case 'member-left':
      return words.left(subject)
    case 'role-changed': {
      const role = words.roleWords[line.detail] ?? line.detail
      return line.by === null ? words.roleNow(whom, role) : words.roleChanged(who, whom, role)
    }
    case 'account-recovered':
      return names.isMe(line.subject) ? words.ownRecovered : words.recovered(subject)
    case 'policy-changed':
      return words.policyChanged(who, words.policyWords[line.detail] ?? words.policyOther)
    case 'membership-damaged':
      return words.membershipDamaged
    case 'membership-repaired':
      return words.membershipRepaired
    case 'membership-lost':
      return words.membershipLost
    default:
      return words.other(line.kind)
  }
}

const personOf = (id: string | null, names: Names): string =>
  names.isMe(id) ? words.youObject : names.of(id)

/** What an owner or admin may do about a conflict, with one tap, as long as it still stands. */
export function remedyOf(line: AuditView, names: Names): 'group-add' | 'group-remove' | undefined {
  const { kind, subject, detail } = line
  if (subject === null || names.isMe(subject)) return undefined
  const inside = names.isMember(subject)
  if (kind === 'conflict-removal-undone' && detail !== '' && inside) return 'group-remove'
  const out = kind === 'conflict-ejected' || kind === 'conflict-link-used-twice'
  return out && !inside ? 'group-add' : undefined
}

function conflictWords({ kind, subject, by, detail }: AuditView, names: Names): string {
  const who = names.isMe(subject) ? words.you : names.of(subject)
  const whom = names.isMe(subject) ? words.youObject : who
  switch (kind) {
    case 'conflict-removal-undone':
      return detail === ''
        ? words.removalUndone(whom, personOf(by, names))
        : words.back(who, personOf(by, names), personOf(detail, names))
    case 'conflict-removal-incomplete':
      return words.removalIncomplete(who)
    case 'conflict-ejected':
      return words.ejected(who)
    case 'conflict-link-used-twice':
      return words.linkUsedTwice(who)
    case 'conflict-policy-overruled':
      return words.policyOverruled
    case 'conflict-equivocation':
      return words.equivocation
    case 'conflict-no-owner':
      return words.noOwner
    case 'conflict-account-contested':
      return words.contested(whom)
    case 'conflict-account-accused':
      return words.accused(whom)
    case 'conflict-update-needed':
      return words.updateNeeded
    case 'conflict-waiting':
      return words.waiting
    default:
      return words.other(kind)
  }
}
