export { initiateEntropyBytes, sealEntropyBytes } from './entropy.ts'
export { decodeFirstFlight, replayKeyBytes } from './handshake-frame.ts'
export type { FirstFlight } from './handshake-frame.ts'
export { decodePairwise, encodePairwise } from './pairwise-codec.ts'
export {
  adopt,
  established,
  needsHandshake,
  newSession,
  noSessions,
  openFrom,
  requestPqStep,
  retire,
  sealTo,
} from './pairwise.ts'
export type {
  HandshakeNeed,
  NewSession,
  Opened,
  OpenFromFailure,
  Pairwise,
  RepairTrigger,
  Sealed,
} from './pairwise.ts'
export { acceptHandshake, openHandshake } from './pqxdh-respond.ts'
export type {
  AcceptedHandshake,
  HandshakeClaims,
  HandshakeFailure,
  OpenedHandshake,
} from './pqxdh-respond.ts'
export type { Initiated, InitiateOptions } from './pqxdh.ts'
export type { OpenFailure, OpenRefused } from './ratchet-open.ts'
export type { Session } from './session.ts'
export type { BundlePrekeys, OwnDevice } from './types.ts'
