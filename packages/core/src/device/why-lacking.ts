import { toHex } from '../wire/index.ts'
import type { Step } from './context.ts'
import { activeRemotes } from './conversations.ts'
import type { Conversation } from './tables.ts'

/** Why a text is not here: somebody may still have it, or all who take part were asked and do not. */
export function whyLacking(step: Step, conversation: Conversation): 'asked-for' | 'nobody-has-it' {
  const asked = step.context.live.wants.get(toHex(conversation.conversation))?.asked
  const all = activeRemotes(conversation).every(({ device }) => asked?.get(toHex(device)) === true)
  return all ? 'nobody-has-it' : 'asked-for'
}
