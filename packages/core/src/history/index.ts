export { admitRecord } from './admission.ts'
export type { AdmissionContext, AdmittedRecord, RecordRefusal } from './admission.ts'
export { requiredLinks } from './links.ts'
export type { LinkedRecord } from './links.ts'
export {
  decodeBody,
  decodeMessageBody,
  encodeBody,
  encodeMessageBody,
  fitsMessage,
  fitsReaction,
  fitsTimer,
} from './body.ts'
export type { Body } from './body.ts'
export { exportClosing, exportConversation, exportMessage, exportOpening, exportOrder } from './export.ts'
export type { ExportedConversation, ExportedRecord, JudgedRecord, MessageWithAbout } from './export.ts'
export { erasures, expiryOf } from './forgetting.ts'
export type { Erasure, HeldAbout, HeldMessage } from './forgetting.ts'
export { standingTimer } from './timer.ts'
export { effects, ownAlone, viewMessage } from './view.ts'
export type { MessageShown, PlacedRecord, Reaction, RecordAbout, SaidRecord, ViewRules } from './view.ts'
export { directConversationId, segmentId } from './conversation.ts'
export { compareEntries, comparePositions, insertInto, pageRecords, startsBefore } from './page.ts'
export type { Page, PageEntry, Position } from './page.ts'
export {
  acknowledge,
  covers,
  holds,
  missingCount,
  nothingReceived,
  receive,
  receiveFrom,
} from './received.ts'
export type { Received } from './received.ts'
export { recordKinds } from './record-frame.ts'
export {
  carriedRecord,
  incomingRecord,
  saltedBody,
  issueRecord,
  opensCommitment,
  readRecord,
  signRecord,
  verifyRecord,
} from './record.ts'
export type { RecordContent } from './record-frame.ts'
export type { CarriedRecord, IncomingRecord, RecordDraft, RecordHeader, SaltedBody } from './record.ts'
export { compareHeaders, emptySegment, growSegment, tipsOf } from './segment-set.ts'
export type {
  Arrival,
  AuthorOf,
  AuthorStanding,
  CountedRecord,
  SegmentGrowth,
  SegmentRefusal,
  SegmentSet,
} from './segment-set.ts'
export { initCrdt } from './automerge.ts'
export type { Crdt } from './automerge.ts'
export { openSegment, sealInSteps, sealSegment, SegmentDocument } from './segment-document.ts'
export type { SegmentPlace } from './segment-document.ts'
export { digestOf, summarise } from './sync-summary.ts'
export type { DeviceSummary, SegmentSummary } from './sync-summary.ts'
export { answerSync, askSync, differing, pushFor, syncAnswerFrame, syncAskFrame } from './sync-ask.ts'
export type { AskDetail, SyncAnswer, SyncAsk, SyncReply, SyncSide } from './sync-ask.ts'
export type { Sending, SyncVector } from './sync-compare.ts'
export { decodeRuns, encodeRuns, linksHeld, recordsOfRuns } from './sync-run.ts'
export type { DecodedRuns, LinksHeld, ReceivedRuns } from './sync-run.ts'
export { answerGaps, askGaps, syncGapsFrame } from './sync-gaps.ts'
export type { Gap, SyncGaps } from './sync-gaps.ts'
export { encodeBodies, matchBodies, syncBodiesAskFrame, syncBodiesFrame } from './sync-bodies.ts'
export { decodeIntent, encodeIntent, readKey } from './intent.ts'
export type { Intent } from './intent.ts'
export { NaturalDocument } from './natural-document.ts'
export type { IntentOp, NaturalView } from './natural-document.ts'
