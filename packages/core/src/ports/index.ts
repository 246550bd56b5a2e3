export { InvariantError, PortError, SottoError, UsageError } from '../errors.ts'
export { limits } from '../limits.ts'
export type { Clock } from './clock.ts'
export type { Log, LogFields } from './log.ts'
export { writersOf } from './mailbox-store.ts'
export type {
  MailboxItem,
  MailboxQueue,
  MailboxStore,
  MailboxWrite,
  MailboxWriter,
  StoredRecord,
} from './mailbox-store.ts'
export type { Network, NetworkEvent, NetworkListener, Route, TopicVerdict } from './network.ts'
export type { Notifier } from './notifier.ts'
export type { Random } from './random.ts'
export type { Store, StoreEntry, StoreOp, StoreRange } from './store.ts'
export { networkError } from './network-error.ts'
export type { NetworkErrorCode } from './network-error.ts'
