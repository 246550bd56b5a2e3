export { admitRecord } from './admission.ts'
export type { AdmissionContext, AdmittedRecord, RecordRefusal } from './admission.ts'
export type { LinkedRecord } from './links.ts'
export { decodeMessageBody, encodeMessageBody, fitsMessage } from './body.ts'
export { directConversationId, segmentId } from './conversation.ts'
export { comparePositions, insertInto, pageRecords, startsBefore } from './page.ts'
export type { Page, Position } from './page.ts'
export { acknowledge, covers, holds, missingCount, nothingReceived, receive } from './received.ts'
export type { Received } from './received.ts'
export {
  carriedRecord,
  issueRecord,
  opensCommitment,
  readRecord,
  verifyRecord,
  recordKinds,
} from './record.ts'
export type { CarriedRecord, RecordContent, RecordDraft, RecordHeader } from './record.ts'
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
export { openSegment, sealSegment, SegmentDocument } from './segment-document.ts'
export type { SegmentPlace } from './segment-document.ts'
