export { createAccount, genesisFrame, readGenesis, recoveryKeys, suite } from './account.ts'
export type { Account, Genesis, RecoveryKeys } from './account.ts'
export { bundlesConflict, bundleTag, issueBundle, readBundle } from './bundle.ts'
export type { BundleRefusal, BundleTerms, IntroQueue, KemPrekey, KeyBundle, SignedPrekey } from './bundle.ts'
export {
  certificateBytes,
  certificateShape,
  deviceIdOf,
  issueCertificate,
  lapsedAt,
  readCertificate,
} from './certificate.ts'
export type { CertificateTerms, DeviceCertificate, DeviceKeys } from './certificate.ts'
export type {
  Accusation,
  ActiveDevice,
  AddedOps,
  Contest,
  DeviceLog,
  ForkProof,
  HeldOp,
  LogOpRefusal,
  LogState,
} from './device-log.ts'
export { accountIdShape, addressKey, deviceIdShape, logOpIdShape, sameDevice } from './ids.ts'
export type { AccountId, DeviceAddress, DeviceId, LogOpId } from './ids.ts'
export { formatInvite, inviteEditKey, inviteKeys, parseInvite } from './invite.ts'
export type { InviteKeys, InviteLink, InviteLinkFault, ParsedInvite } from './invite.ts'
export { openInvite } from './invite-open.ts'
export type { InviteFindings, InviteResult, OpenedGroup, OpenedInvite } from './invite-open.ts'
export { openInviteCopy, sealInviteCopy, writeInviteRecord } from './invite-record.ts'
export type { InviteRecord, InviteRecordTerms, WayTerms } from './invite-record.ts'
export {
  createInvite,
  decodeInvite,
  encodeInvite,
  inviteStatus,
  renewInvite,
  revokeInvite,
  usedByThese,
  useInvite,
} from './invite-state.ts'
export type { InviteRefusal, InviteState, InviteStatus, InviteTerms } from './invite-state.ts'
export { approvalEntropyBytes, approvalReceives, beginApproval } from './link-approval.ts'
export { confirmApproval, deliverApproval } from './link-approval-hand.ts'
export type { ApprovalAccount, ApprovalDelivery } from './link-approval-hand.ts'
export { endApproval } from './link-approval-state.ts'
export type { ApprovalEvent, ApprovalStep, ApprovalTarget, LinkApproval } from './link-approval-state.ts'
export type { LinkCode } from './link-code.ts'
export { linkEmoji } from './link-emoji.ts'
export type { LinkEmoji } from './link-emoji.ts'
export { encodeLinkRefusal, linkPageBytes, linkProtocol, openingWay } from './link-frame.ts'
export type { LinkRefusal } from './link-frame.ts'
export type { LinkWay } from './link-keys.ts'
export { beginOffer, offerEntropyBytes, offerReceives, offerText } from './link-offer.ts'
export { completeOffer, confirmOffer } from './link-offer-join.ts'
export { endOffer } from './link-offer-state.ts'
export type { LinkDelivery, LinkOffer, OfferDevice, OfferEvent, OfferStep } from './link-offer-state.ts'
export { linkCandidates, publishingLinkPlaces, readingLinkPlaces, writeLinkRecord } from './link-place.ts'
export type { LinkContact, LinkPlace } from './link-place.ts'
export type { LinkEnd, LinkEnded, LinkStep } from './link-step.ts'
export { parseLinkInput } from './link-text.ts'
export type { DeviceLink, LinkInputFault, ParsedLinkInput } from './link-text.ts'
export { addOps, logHeads, logOps, missingFrom, restoreLog } from './log-add.ts'
export type { LogDifference } from './log-add.ts'
export { emptyLog } from './log-admit.ts'
export { effectiveNotAfter, lapsed, lapseOf, mayReceiveSeeds, mayRenew, ownRenewDue } from './log-expiry.ts'
export type { Lapse, OwnPresence, OwnRenewal, RenewalAdvice } from './log-expiry.ts'
export { readForkProof } from './log-fork.ts'
export { addArgs, readLogOp, signDeviceOp, signRecoveryOp } from './log-op.ts'
export type { KnownLogOpArgs, LogOp, LogOpArgs, LogOpAuthor, LogPlace } from './log-op.ts'
export {
  decodePrekeys,
  encodePrekeys,
  expirePrekeys,
  findPrekeys,
  noPrekeys,
  prekeysDue,
  publishBundle,
  rotatePrekeys,
} from './prekeys.ts'
export type {
  BundleContact,
  IssuedBundle,
  OwnPrekeys,
  Prekeys,
  PrekeysChange,
  PrekeySeeds,
} from './prekeys.ts'
export { judgeBundle, resolveAt, resolveLog, speaksUnder } from './log-state.ts'
export { cutBefore, writeDeviceOp, writeRecoveryOp } from './log-write.ts'
export { deviceState, safetyNumber } from './safety-number.ts'
export type { SeenAccount } from './safety-number.ts'
export { peerIdOf } from './peer-id.ts'
