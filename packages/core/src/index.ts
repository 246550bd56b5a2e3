export { InvariantError, SottoError, UsageError, PortError } from './errors.ts'
export type { ErrorDetail, Fault, Verdict } from './errors.ts'
export { limits } from './limits.ts'
export type * from './device/api.ts'
