import type { AuditView, MemberView, OwnDeviceView, PolicyView } from '@sotto/core'
import { isoTime } from './duration.ts'

/** The JSON of groups and devices. Fields are only ever added. */
export const memberJson = (member: MemberView) => ({
  accountId: member.accountId,
  name: member.name,
  role: member.role,
  devices: member.devices.map(({ deviceId, name, state }) => ({ deviceId, name, state })),
})

/** A rule about history as it is typed: `from-join`, `all` or `days:N`. */
export const historyRule = (days: number | null): string =>
  days === null ? 'all' : days === 0 ? 'from-join' : `days:${days}`

export const policyJson = (policy: PolicyView) => ({
  history: historyRule(policy.historyDays),
  retainMs: policy.retentionMs,
  timerMs: policy.timerMs,
  adminsGrantAdmin: policy.adminsGrantAdmin,
  membersAdmit: policy.membersAdmit,
  adminsRedact: policy.adminsRedact,
})

export const auditJson = (line: AuditView) => ({
  at: isoTime(line.atMs),
  seq: line.seq,
  kind: line.kind,
  conversationId: line.conversationId,
  by: line.by,
  subject: line.subject,
  deviceId: line.deviceId,
  detail: line.detail,
  proof: line.proof,
})

export const deviceJson = (device: OwnDeviceView) => ({
  deviceId: device.deviceId,
  name: device.name,
  addedAt: isoTime(device.addedAtMs),
  addedBy: device.addedBy,
  lastSeen: device.lastSeenMs === null ? null : isoTime(device.lastSeenMs),
  expiresAt: isoTime(device.expiresAtMs),
  state: device.state,
  thisDevice: device.thisDevice,
  told: device.told,
})
