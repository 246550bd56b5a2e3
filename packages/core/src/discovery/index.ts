export { createValidator } from './validator.ts'
export type { RecordValidator, ValidatorOptions } from './validator.ts'
export { recordPrefix } from './value.ts'
export type { ValueFault } from './value.ts'
