import type { CryptoProvider } from '../crypto/index.ts'
import { topicNames, type RouteKeys } from './epoch-keys.ts'
import type { ConversationEpochs } from './epoch-state.ts'

/** A topic this device listens on. */
export interface EpochTopic {
  readonly epoch: Uint8Array
  readonly route: RouteKeys
  /** Yesterday's, today's and tomorrow's name. */
  readonly names: readonly string[]
}

/** Topics of all routing epochs whose keys are here: each is subscribed to under three names. */
export const epochTopics = (
  crypto: CryptoProvider,
  state: ConversationEpochs,
  nowMs: number,
): readonly EpochTopic[] =>
  [...state.keys].flatMap(([key, { route }]) => {
    const node = state.nodes.get(key)
    if (route === undefined || node === undefined) return []
    return [{ epoch: node.record.id, route, names: topicNames(crypto, route.topic, nowMs) }]
  })
