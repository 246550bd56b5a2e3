export {
  accountSlot,
  dayOf,
  deviceSlot,
  openRecord,
  openRecords,
  publishingDays,
  readingDays,
  recordExpiry,
  recordKey,
  recordPlaintextBytes,
  sealRecord,
} from './blinded.ts'
export type { OpenedRecord, RecordDraft, RecordPlace, RecordResult } from './blinded.ts'
export { decodeHeads, encodeHeads } from './heads.ts'
export type { AccountHeads } from './heads.ts'
export { createValidator } from './validator.ts'
export type { RecordValidator, ValidatorOptions } from './validator.ts'
export { recordPrefix } from './value.ts'
export type { ValueFault } from './value.ts'
