export { admitProof } from './invite-proof.ts'
export type { AdmitTerms } from './invite-proof.ts'
export type { Conflict } from './conflicts.ts'
export type { Fault } from './judge-gather.ts'
export { defaultPolicy, devicesOf, membershipAt, resolveMembership } from './membership.ts'
export type { GroupPolicy, Member, Membership } from './membership.ts'
export { conversationIdShape, opIdShape, readMembershipOp } from './op.ts'
export type {
  ConversationId,
  KnownOpArgs,
  LastSeen,
  MembershipOp,
  OpArgs,
  OpId,
  PolicyChange,
  Role,
} from './op.ts'
export { addMembershipOps, dropParked, restoreOpSet } from './op-add.ts'
export type { AddedMembershipOps } from './op-add.ts'
export { issueCreate, issueOp, newestOps, writeOp } from './op-issue.ts'
export type { OpAuthor, OpPlace } from './op-issue.ts'
export { emptyOpSet, groupHeads, missingOpsFrom, opsOf } from './op-set.ts'
export type {
  AccountLogs,
  Awaiting,
  Conversation,
  OpDifference,
  OpRefusal,
  OpSet,
  ParkedOp,
} from './op-set.ts'
export { recordCounts } from './record-counts.ts'
export type { RecordVerdict } from './record-counts.ts'
