import type { MessageView } from '@sotto/core'
import { strings } from './strings.ts'

const words = strings.conversation

/** What a message says, or why there is nothing to read. */
export function saidOf({
  text,
  textMissing,
  deleted,
}: Pick<MessageView, 'text' | 'textMissing' | 'deleted'>): string {
  if (text !== null) return text
  if (deleted) return words.deleted
  return textMissing === 'nobody-has-it' ? words.lost : words.gone
}
