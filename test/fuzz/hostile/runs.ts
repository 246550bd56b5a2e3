/** Lean frames as a member writes them, against the codec, segment sets, documents and sealed files. */
import { decodeRuns, linksHeld, recordsOfRuns } from '../../../packages/core/src/history/index.ts'
import { crypto } from '../../core/history/segment-world.ts'
import { runEquivocations, runLies } from './run-lies.ts'
import { segmentCampaign, type SegmentTarget } from './segment-target.ts'

/** What the reader says, or what the set does with the records written again. */
function hear(target: SegmentTarget, frame: Uint8Array): string {
  const decoded = decodeRuns(frame)
  if (decoded === undefined) return 'malformed'
  const { arrivals } = recordsOfRuns(crypto, decoded, linksHeld(target.set, 'liar'))
  return arrivals.length === 0 ? 'lost' : target.grow(arrivals)
}

export const runCampaign = segmentCampaign({
  ...{ room: 'history: lean codec', lies: runLies, equivocations: runEquivocations, hear },
})
