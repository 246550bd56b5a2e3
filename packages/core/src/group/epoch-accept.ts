import type { CryptoProvider, Secret } from '../crypto/index.ts'
import { accepted, rejected, type Verdict } from '../errors.ts'
import { sameDevice } from '../identity/index.ts'
import { equalBytes } from '../wire/index.ts'
import { judgeRecord, type EpochRefusal } from './epoch-judge.ts'
import { keyEpoch } from './epoch-keyed.ts'
import { addNode, nodeOf } from './epoch-place.ts'
import { readEpoch } from './epoch-record.ts'
import { keyOf, type ConversationEpochs, type MembershipView } from './epoch-state.ts'

/** The state with the epoch in it; whether a seed that had waited keyed it; what to wipe after the commit. */
export interface EpochAccepted {
  readonly state: ConversationEpochs
  readonly epoch: Uint8Array
  readonly keyed: boolean
  readonly spent: readonly Secret[]
}

/**
 * Judges an epoch record, and keys it with the author's seed if that came before. Held when its heads
 * (`heads`) or its routing epoch (`route`) are not here, when its time is more than `limits.clockSkewMs` ahead
 * (`clock`), when its author began too many in an hour (`rate`), or when too many are known (`room`).
 */
export function acceptEpoch(
  crypto: CryptoProvider,
  state: ConversationEpochs,
  input: Uint8Array,
  view: MembershipView,
  nowMs: number,
): Verdict<EpochAccepted, EpochRefusal> {
  const record = readEpoch(crypto, input)
  if (record === undefined) return rejected('malformed')
  if (!equalBytes(record.terms.conversation, state.conversation)) return rejected('wrong-conversation')
  if (state.nodes.has(keyOf(record.id))) return accepted({ state, epoch: record.id, keyed: false, spent: [] })
  const judged = judgeRecord(crypto, state, record, view, nowMs)
  if (judged.verdict !== 'accepted') return judged
  const added = addNode(state, nodeOf(state, record, judged.value, nowMs), nowMs)
  return accepted(keyFromPending(crypto, added, record.id, nowMs))
}

/** Tries the seed the author sent ahead; seeds by others for this epoch go. */
function keyFromPending(
  crypto: CryptoProvider,
  state: ConversationEpochs,
  epoch: Uint8Array,
  nowMs: number,
): EpochAccepted {
  const waiting = state.pending.filter((seed) => equalBytes(seed.epoch, epoch))
  if (waiting.length === 0) return { state, epoch, keyed: false, spent: [] }
  const rest = { ...state, pending: state.pending.filter((seed) => !waiting.includes(seed)) }
  const secrets = waiting.map(({ secret }) => secret)
  const node = rest.nodes.get(keyOf(epoch))
  const genuine = node && waiting.find((seed) => sameDevice(seed.from, node.record.terms))
  if (node === undefined || genuine === undefined) return { state: rest, epoch, keyed: false, spent: secrets }
  const keyed = keyEpoch(crypto, rest, node, genuine.context, genuine.secret.expose(), nowMs)
  return keyed.ok
    ? { state: keyed.state, epoch, keyed: true, spent: [...secrets, ...keyed.spent] }
    : { state: rest, epoch, keyed: false, spent: secrets }
}
