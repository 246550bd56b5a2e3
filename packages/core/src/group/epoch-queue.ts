import type { CryptoProvider, SignKeyPair } from '../crypto/index.ts'
import { queueReaderSeed, queueWriterSeed } from './epoch-keys.ts'
import { keyOf, type ConversationEpochs } from './epoch-state.ts'

/** The keys of a routing epoch's log queue: one to read, and one to deposit with for each recipient, in their order. */
export interface EpochQueue {
  readonly read: SignKeyPair
  readonly writers: readonly SignKeyPair[]
  /** This device's own among the writers. */
  readonly own: SignKeyPair
}

/** The keys of an epoch's log queue; undefined when they are not here, or gone. */
export function epochQueue(
  crypto: CryptoProvider,
  state: ConversationEpochs,
  epoch: Uint8Array,
): EpochQueue | undefined {
  const node = state.nodes.get(keyOf(epoch))
  const secret = state.keys.get(keyOf(epoch))?.route?.queue
  if (node === undefined || secret === undefined) return undefined
  const read = crypto.signKeyPair(queueReaderSeed(crypto, secret))
  const writers = node.recipients.map((device) => crypto.signKeyPair(queueWriterSeed(crypto, secret, device)))
  const own = writers[node.self]
  return own === undefined ? undefined : { read, writers, own }
}
