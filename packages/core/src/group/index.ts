export { admitProof, verifyAdmitProof } from './invite-proof.ts'
export { inviteStanding } from './invite-standing.ts'
export type { InviteStanding } from './invite-standing.ts'
export type { AdmitTerms } from './invite-proof.ts'
export type { Conflict } from './conflicts.ts'
export type { Fault } from './judge-gather.ts'
export { defaultPolicy, devicesOf, liveGrants, membershipAt, resolveMembership } from './membership.ts'
export type { GroupPolicy, Member, Membership } from './membership.ts'
export {
  conversationIdShape,
  lastSeenIn,
  lastSeenList,
  lastSeenOf,
  opIdShape,
  readMembershipOp,
} from './op.ts'
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
export { accountAt } from './pins.ts'
export { inPast } from './op-graph.ts'
export { isSpokenOf, mayCount, recordCounts } from './record-counts.ts'
export type { RecordVerdict } from './record-counts.ts'
export { issueCard, verifyCard } from './envelope.ts'
export type { Control, MemberCard, MemberCardTerms } from './envelope.ts'
export { acceptEpoch } from './epoch-accept.ts'
export type { EpochAccepted } from './epoch-accept.ts'
export { closeAll, createEpoch } from './epoch-create.ts'
export type { EpochCreated, EpochDraft } from './epoch-create.ts'
export { forgetHeld } from './epoch-held.ts'
export {
  seedAckFields,
  seedAckFrame,
  seedFields,
  seedFrame,
  seedRequestFields,
  seedRequestFrame,
} from './epoch-items.ts'
export type { Seed } from './epoch-items.ts'
export type { EpochRefusal } from './epoch-judge.ts'
export { queueReaderSeed, queueWriterSeed } from './epoch-keys.ts'
export { epochQueue } from './epoch-queue.ts'
export type { EpochQueue } from './epoch-queue.ts'
export type { RouteKeys } from './epoch-keys.ts'
export { open } from './epoch-open.ts'
export type {
  EnvelopeInput,
  EnvelopesOpened,
  HoldsRecord,
  JudgeRecords,
  OpenedEnvelope,
  OpenRefusal,
  SealedCandidate,
} from './epoch-open.ts'
export type { EpochExclusion, EpochReason } from './epoch-record.ts'
export { isLagging, sweepEpochs } from './epoch-retire.ts'
export type { EpochsSwept } from './epoch-retire.ts'
export { epochDue, preferredEpoch, usableForSending } from './epoch-rules.ts'
export type { EpochDue, EpochSituation } from './epoch-rules.ts'
export { chooseBase, seal, sealControl, sealRandomBytes } from './epoch-seal.ts'
export type { SealDraft, SealResult } from './epoch-seal.ts'
export { keepSeed, maySendSeed, onSeed, onSeedAck, pendingRoutes } from './epoch-seed.ts'
export type { SeedRefusal, SeedTaken } from './epoch-seed.ts'
export { noEpochs } from './epoch-state.ts'
export type { ConversationEpochs, EpochDevice, EpochNode, MembershipView, Recipient } from './epoch-state.ts'
export { epochChanges, epochRows, restoreEpochs } from './epoch-store.ts'
export type { EpochRow } from './epoch-store.ts'
export { epochTopics } from './epoch-topics.ts'
export type { EpochTopic } from './epoch-topics.ts'
export { holdBack, nothingHeld, stillHeld } from './hold-back.ts'
export type { HeldEnvelope, HoldBack } from './hold-back.ts'
export { conversationEpochs } from './key-agreement.ts'
export type { GroupKeyAgreement } from './key-agreement.ts'
