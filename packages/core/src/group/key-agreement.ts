import { createEpoch } from './epoch-create.ts'
import { open } from './epoch-open.ts'
import { onSeed } from './epoch-seed.ts'
import { seal } from './epoch-seal.ts'

/**
 * What the rest of Sotto knows of group keys, so that another scheme can take the place of this one: begin a
 * new secret, take one, seal a record, open envelopes.
 */
export interface GroupKeyAgreement {
  readonly createEpoch: typeof createEpoch
  readonly onSeed: typeof onSeed
  readonly seal: typeof seal
  readonly open: typeof open
}

/** Conversation epochs: docs/protocol/epochs.md. */
export const conversationEpochs: GroupKeyAgreement = { createEpoch, onSeed, seal, open }
