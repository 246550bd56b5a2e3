import { limits, type MessageView } from '@sotto/core'
import { useEffect, useRef, useState, type KeyboardEvent, type RefObject } from 'react'
import { Button } from 'react-aria-components'
import { CloseIcon, SendIcon } from './icons.tsx'
import type { Model } from './model.ts'
import { errorWords, strings } from './strings.ts'
import { isOpen } from './timeline.ts'
import { useConnection } from './use-connection.ts'
import { useNames } from './use-names.ts'
import styles from './conversation.module.css'

const words = strings.composer
const warnAtBytes = 1_000
const drafts = new Map<string, string>()

/** What the next text is for: an answer to a message, or a message in other words. */
export interface Aim {
  readonly kind: 'reply' | 'edit'
  readonly message: MessageView
}

interface ComposerProps {
  readonly model: Model
  readonly conversationId: string
  readonly aim: Aim | undefined
  readonly onAim: (aim: Aim | undefined) => void
}

const bytesOf = (text: string): number => new TextEncoder().encode(text).length

/** The last message of this account's that can be put in other words. */
const lastOwn = (model: Model): MessageView | undefined =>
  model.history.get()?.messages.findLast((message) => message.author.me && isOpen(message))

/** Where a message is written: Enter sends, Shift and Enter makes a line. What was begun stays with its chat. */
export function Composer({ model, conversationId, aim, onAim }: ComposerProps) {
  const editing = aim?.kind === 'edit' ? aim.message : undefined
  const [text, setText] = useState(editing?.text ?? drafts.get(conversationId) ?? '')
  const [error, setError] = useState<string>()
  const input = useRef<HTMLTextAreaElement>(null)
  const offline = useConnection(model) === 'offline'
  const left = limits.textBytes - bytesOf(text)
  const usable = text.trim() !== '' && left >= 0
  useFocus(input, aim)
  const write = (value: string): void => {
    if (editing === undefined) drafts.set(conversationId, value)
    setText(value)
  }
  const send = async (): Promise<void> => {
    if (!usable) return
    setError(undefined)
    try {
      if (editing === undefined) {
        write('')
        const replyTo = aim === undefined ? {} : { replyTo: aim.message.messageId }
        await model.face.dispatch('send', { conversationId, text, ...replyTo })
      } else if (text !== editing.text)
        await model.face.dispatch('edit', { messageId: editing.messageId, text })
      onAim(undefined)
      model.refresh('history')
      model.refresh('conversations')
    } catch (failure) {
      write(text)
      setError(errorWords(failure))
    }
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing || event.shiftKey) return
    if (event.key === 'Enter') void send()
    else if (event.key === 'Escape' && aim !== undefined) onAim(undefined)
    else if (event.key === 'ArrowUp' && text === '' && aim === undefined) {
      const message = lastOwn(model)
      if (message === undefined) return
      onAim({ kind: 'edit', message })
    } else return
    event.preventDefault()
  }
  return (
    <form
      className={styles['composer']}
      onSubmit={(event) => {
        event.preventDefault()
        void send()
      }}
    >
      {aim !== undefined && <AimBar model={model} aim={aim} onCancel={() => onAim(undefined)} />}
      {error !== undefined && (
        <p className={styles['error']} role="alert">
          {error}
        </p>
      )}
      {left < warnAtBytes && (
        <p className={styles['count']} role="status" data-over={left < 0}>
          {left < 0 ? words.tooLong(-left) : words.left(left)}
        </p>
      )}
      <textarea
        ref={input}
        data-composer
        aria-label={words.label}
        placeholder={offline ? words.offline : words.placeholder}
        rows={1}
        dir="auto"
        value={text}
        onChange={(event) => write(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <Button
        type="submit"
        className="primary icon"
        aria-label={editing === undefined ? words.send : strings.message.save}
        isDisabled={!usable}
      >
        <SendIcon />
      </Button>
    </form>
  )
}

/** The field takes the focus where no keyboard pops up for it, and always once it was asked for. */
function useFocus(input: RefObject<HTMLTextAreaElement | null>, aim: Aim | undefined): void {
  useEffect(() => {
    const element = input.current
    if (element === null) return
    if (aim === undefined && !globalThis.matchMedia('(hover: hover)').matches) return
    element.focus()
    element.setSelectionRange(element.value.length, element.value.length)
    // Once for each composer: another aim makes another one.
  }, [])
}

interface AimBarProps {
  readonly model: Model
  readonly aim: Aim
  readonly onCancel: () => void
}

/** Says what the text below is for, and lets go of it. */
function AimBar({ model, aim: { kind, message }, onCancel }: AimBarProps) {
  const names = useNames(model)
  const { author } = message
  const name = author.me ? strings.notices.you : names.of(author.accountId)
  const edit = kind === 'edit'
  return (
    <div className={styles['aim']} role="status">
      <div>
        <strong>{edit ? strings.message.editing : strings.message.replying(name)}</strong>
        <p dir="auto">{message.text}</p>
      </div>
      <Button
        className="icon"
        aria-label={edit ? strings.message.cancelEdit : strings.message.cancelReply}
        onPress={onCancel}
      >
        <CloseIcon />
      </Button>
    </div>
  )
}
