/** Epochs, seeds and envelopes of a member, against what a device has of a conversation. */
import { acceptEpoch, onSeed, open, type ConversationEpochs } from '../../../packages/core/src/group/index.ts'
import type { Verdict } from '../../../packages/core/src/errors.ts'
import { judgeWith } from '../../support/group-world.ts'
import { nodeProvider as crypto } from '../../support/session-world.ts'
import { drawFrom } from '../mutator.ts'
import { epochLies, EpochScene, type ToldEpoch } from './epoch-lies.ts'
import { answerOf, byTurns, Tally, type HostileCampaign } from './lie.ts'

const said = (verdict: Verdict<unknown>): string => {
  if (verdict.verdict === 'rejected') return verdict.reason
  return verdict.verdict === 'held' ? `held ${verdict.awaiting}` : 'accepted'
}

/** What Bob's device says to it; `leaves` is told what it has afterwards. */
function hear(scene: EpochScene, told: ToldEpoch, leaves: (state: ConversationEpochs) => void): string {
  const { world, bob } = scene
  switch (told.kind) {
    case 'envelope': {
      const judge = judgeWith(crypto, world.conversation)
      const { verdicts, state } = open(crypto, bob.state, [told], judge, world.nowMs)
      leaves(state)
      return said(verdicts[0]!)
    }
    case 'record':
      return said(acceptEpoch(crypto, bob.state, told.record, world.viewOf(bob), world.nowMs))
    case 'seed':
      return said(onSeed(crypto, bob.state, told.seed, told.from.address, world.nowMs))
  }
}

/** Signed and sealed by a member, told to another. */
export const epochCampaign: HostileCampaign = {
  room: 'group: epochs and envelopes',
  run: (inputs, seed) => {
    const draw = drawFrom(seed)
    const tally = new Tally('group: epochs and envelopes', epochLies)
    const turns = byTurns(epochLies, draw)
    const scene = new EpochScene(`hostile ${seed}`)
    const before = scene.bob.state
    while (tally.inputs < inputs) {
      const lie = turns.next().value
      const input = lie.tell(scene, draw)
      if (input === undefined) continue
      const leaves = (state: ConversationEpochs): void => {
        if (state !== before) tally.wrong(`${lie.name}: left a trace`)
      }
      tally.note(
        lie,
        answerOf(() => hear(scene, input, leaves)),
      )
    }
    const id = scene.world.send(scene.ada, 'after all that')
    scene.world.drain()
    if (scene.bob.delivered.get(id) !== 1) tally.wrong('what is genuine is not heard any more')
    return tally.finish()
  },
}
