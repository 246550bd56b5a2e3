import type { MessageView } from '@sotto/core'
import { Button } from 'react-aria-components'
import type { Model } from './model.ts'
import type { Names } from './names.ts'
import { strings } from './strings.ts'
import styles from './message.module.css'

interface ReactionsProps {
  readonly model: Model
  readonly message: MessageView
  readonly names: Names
  readonly usable: boolean
}

/** Says a reaction, or takes it back when it is empty, and shows what came of it. */
export async function react(model: Model, messageId: string, emoji: string): Promise<void> {
  await model.face.dispatch('react', { messageId, emoji })
  model.refresh('history')
}

/** Who reacted with what. A press joins in, or takes the own one back. */
export function Reactions({ model, message, names, usable }: ReactionsProps) {
  if (message.reactions.length === 0) return null
  return (
    <div className={styles['reactions']}>
      {message.reactions.map(({ emoji, by }) => {
        const mine = by.some((accountId) => names.isMe(accountId))
        const who = by.map((id) => (names.isMe(id) ? strings.notices.you : names.of(id)))
        const label = strings.message.reacted(emoji, strings.message.names(who))
        return (
          <Button
            key={emoji}
            className={styles['reaction'] ?? ''}
            aria-label={label}
            aria-pressed={mine}
            isDisabled={!usable}
            excludeFromTabOrder
            onPress={() => void react(model, message.messageId, mine ? '' : emoji).catch(() => undefined)}
          >
            <span aria-hidden="true">{emoji}</span>
            <span aria-hidden="true">{by.length}</span>
          </Button>
        )
      })}
    </div>
  )
}
