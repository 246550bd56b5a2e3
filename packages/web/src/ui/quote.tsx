import { useStore } from '@nanostores/react'
import type { MessageView } from '@sotto/core'
import { useEffect, useState } from 'react'
import { Button } from 'react-aria-components'
import type { Model } from './model.ts'
import type { Names } from './names.ts'
import { saidOf } from './said.ts'
import { strings } from './strings.ts'
import styles from './message.module.css'

interface QuoteProps {
  readonly model: Model
  readonly messageId: string
  readonly names: Names
}

/** The message that is answered, above the answer; pressed, it is gone to. */
export function Quote({ model, messageId, names }: QuoteProps) {
  const message = useMessage(model, messageId)
  if (message === undefined) return <p className={styles['quote']} />
  if (message === null) return <p className={styles['quote']}>{strings.message.quoteGone}</p>
  const { author } = message
  const name = author.me ? strings.notices.you : names.of(author.accountId)
  return (
    <Button
      className={styles['quote'] ?? ''}
      aria-label={strings.message.quoted(name)}
      excludeFromTabOrder
      onPress={() => document.querySelector<HTMLElement>(`[data-message="${messageId}"]`)?.focus()}
    >
      <strong dir="auto">{name}</strong>
      <span dir="auto">{saidOf(message)}</span>
    </Button>
  )
}

/** A message from what is shown, else from the device; null when it is not here. */
function useMessage(model: Model, messageId: string): MessageView | null | undefined {
  const shown = useStore(model.history)?.messages.find((one) => one.messageId === messageId)
  const [found, setFound] = useState<MessageView | null>()
  const here = shown !== undefined
  useEffect(() => {
    if (here) return
    let gone = false
    model.face.view('message', { messageId }).then(
      (message) => {
        if (!gone) setFound(message)
      },
      () => {
        if (!gone) setFound(null)
      },
    )
    return () => {
      gone = true
    }
  }, [model, messageId, here])
  return shown ?? found
}
