export { admitRecord } from './admission.ts'
export type { AdmissionContext, AdmittedRecord, LinkedRecord, RecordRefusal } from './admission.ts'
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
