export {
  ackRequest,
  createLogRequest,
  createQueueRequest,
  deleteRequest,
  fetchRequest,
  lookupRequest,
  putRequest,
  readHello,
  readReply,
  recordRequest,
  subscribeRequest,
} from './client.ts'
export type { ClientSession, LogKeys, NumberedReply, QueueKind } from './client.ts'
export { logIdOf, newQueueKeys, queueEntropyBytes, recvIdOf, sendIdOf } from './capability.ts'
export type { MailboxSession, QueueKeys } from './capability.ts'
export { mailboxProtocol, mailboxVersion } from './frames.ts'
export type { DeliveredItem, MailboxOp, MailboxReply, MailboxTerms } from './frames.ts'
export { replyBytes, serveRequest } from './serve.ts'
export type { ServeDeps, ServeEffect, Served } from './serve.ts'
export type { MailboxReads } from './overlay.ts'
export { fullBucket, take } from './rate.ts'
export type { Bucket, Rate } from './rate.ts'
export { createMailboxServer, defaultCaps, defaultTerms } from './server.ts'
export type { MailboxCaps, MailboxCounters, MailboxServer, MailboxServerOptions } from './server.ts'
