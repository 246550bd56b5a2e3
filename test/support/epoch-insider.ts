/** What a current member can do beyond the rules: seal at any generation of any chain, for it derives them all. */
import { generationAssociated, sealedFrame, sealEnvelope } from '../../packages/core/src/group/envelope.ts'
import type { SlotBase } from '../../packages/core/src/group/epoch-items.ts'
import { open, preferredEpoch, type ConversationEpochs } from '../../packages/core/src/group/index.ts'
import { epochTagBytes } from '../../packages/core/src/group/packed.ts'
import { messageKey, nextKey } from '../../packages/core/src/group/sender-chain.ts'
import { concat, toHex } from '../../packages/core/src/wire/index.ts'
import { judgeWith, type GroupWorld, type SimDevice } from './group-world.ts'

/** What a state makes of one envelope, and the state after it. */
export const verdictOf = (
  world: GroupWorld,
  state: ConversationEpochs,
  envelope: Uint8Array,
  nowMs = world.nowMs,
): { state: ConversationEpochs; verdict: string } => {
  const opened = open(world.crypto, state, [{ envelope }], judgeWith(world.crypto, world.conversation), nowMs)
  const [verdict] = opened.verdicts
  if (verdict === undefined) throw new Error('no verdict')
  if (verdict.verdict === 'accepted') return { state: opened.state, verdict: verdict.value.kind }
  return {
    state: opened.state,
    verdict: verdict.verdict === 'held' ? `held ${verdict.awaiting}` : verdict.reason,
  }
}

/** An envelope as any member can make it: sealed at a generation of another device's chain. */
export function forge(
  world: GroupWorld,
  insider: ConversationEpochs,
  victim: SimDevice,
  ahead: number,
  content: Uint8Array,
  slot: SlotBase | null = null,
): { envelope: Uint8Array; generation: number } {
  const node = preferredEpoch(insider, world.viewOf(victim), world.nowMs)!
  const index = node.recipients.findIndex(({ device }) => toHex(device) === toHex(victim.address.device))
  const chain = insider.keys.get(node.key)!.chains[index]!
  let key = chain.key.expose()
  for (let i = 0; i < ahead; i++) key = nextKey(world.crypto, key)
  const generation = chain.count + ahead
  const nonce = world.bytes(24)
  const associated = generationAssociated(world.conversation, node.record.id, victim.address, generation)
  const sealed = world.crypto.seal(
    messageKey(world.crypto, key),
    nonce,
    sealedFrame.encode({ content, slot }),
    associated,
  )
  const topic = insider.keys.get(node.key)!.route!.envelope.expose()
  const tag = node.record.id.slice(0, epochTagBytes)
  const inner = concat(nonce, sealed)
  return {
    envelope: sealEnvelope(
      world.crypto,
      topic,
      { kind: 'message', tag, index, generation, inner },
      world.bytes(24),
    ),
    generation,
  }
}
