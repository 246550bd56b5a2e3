import { limits } from '@sotto/core'
import { useEffect, useRef, useState, type KeyboardEvent } from 'react'
import { Button } from 'react-aria-components'
import { SendIcon } from './icons.tsx'
import type { Model } from './model.ts'
import { errorWords, strings } from './strings.ts'
import { useConnection } from './use-connection.ts'
import styles from './conversation.module.css'

const words = strings.composer
const warnAtBytes = 1_000
const drafts = new Map<string, string>()

const bytesOf = (text: string): number => new TextEncoder().encode(text).length

/** Where a message is written: Enter sends, Shift and Enter makes a line. What was begun stays with its chat. */
export function Composer({
  model,
  conversationId,
}: {
  readonly model: Model
  readonly conversationId: string
}) {
  const [text, setText] = useState(drafts.get(conversationId) ?? '')
  const [error, setError] = useState<string>()
  const input = useRef<HTMLTextAreaElement>(null)
  const offline = useConnection(model) === 'offline'
  const left = limits.textBytes - bytesOf(text)
  const usable = text.trim() !== '' && left >= 0
  useEffect(() => {
    if (globalThis.matchMedia('(hover: hover)').matches) input.current?.focus()
  }, [])
  const write = (value: string): void => {
    drafts.set(conversationId, value)
    setText(value)
  }
  const send = async (): Promise<void> => {
    if (!usable) return
    setError(undefined)
    write('')
    try {
      await model.face.dispatch('send', { conversationId, text })
      model.refresh('history')
      model.refresh('conversations')
    } catch (failure) {
      write(text)
      setError(errorWords(failure))
    }
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    void send()
  }
  return (
    <form
      className={styles['composer']}
      onSubmit={(event) => {
        event.preventDefault()
        void send()
      }}
    >
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
      <Button type="submit" className="primary icon" aria-label={words.send} isDisabled={!usable}>
        <SendIcon />
      </Button>
    </form>
  )
}
