import type { ConversationView, MessageView } from '@sotto/core'
import { useRef, useState, type KeyboardEvent } from 'react'
import { Button } from 'react-aria-components'
import { LadderIcon, MoreIcon } from './icons.tsx'
import { MessageActions, type ActionsStart } from './message-actions.tsx'
import type { Model } from './model.ts'
import type { Names } from './names.ts'
import { Quote } from './quote.tsx'
import { Reactions } from './reactions.tsx'
import { saidOf } from './said.ts'
import { strings } from './strings.ts'
import { isOpen } from './timeline.ts'
import { timeOf } from './times.ts'
import styles from './message.module.css'

const words = strings.conversation

interface MessageProps {
  readonly model: Model
  readonly message: MessageView
  readonly kind: ConversationView['kind']
  readonly follows: boolean
  readonly names: Names
  /** The one message the Tab key stops at. */
  readonly isStop: boolean
  readonly canWrite: boolean
  readonly onChoose: (messageId: string) => void
  readonly onReply: (message: MessageView) => void
  readonly onEdit: (message: MessageView) => void
}

const keyStarts: Readonly<Record<string, ActionsStart>> = { Enter: 'first', e: 'react', d: 'delete' }

/** One message with what it answers, what was said about it, and what can be done with it. */
export function Message(props: MessageProps) {
  const { model, message, kind, follows, names, isStop, canWrite, onChoose, onReply, onEdit } = props
  const { author, messageId } = message
  const [start, setStart] = useState<ActionsStart>()
  const article = useRef<HTMLElement>(null)
  const usable = canWrite && isOpen(message)
  const close = (): void => {
    setStart(undefined)
    article.current?.focus()
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape' && start !== undefined) close()
    else if (event.target !== article.current || !usable || !isPlain(event)) return
    else if (event.key.toLowerCase() === 'r') onReply(message)
    else {
      const asked = keyStarts[event.key === 'Enter' ? event.key : event.key.toLowerCase()]
      if (asked === undefined) return
      setStart(asked)
    }
    event.preventDefault()
  }
  const name = author.me ? author.name : names.of(author.accountId)
  return (
    <article
      ref={article}
      className={styles['message']}
      data-mine={author.me}
      data-follows={follows}
      data-message={messageId}
      tabIndex={isStop ? 0 : -1}
      onFocus={() => onChoose(messageId)}
      onKeyDown={onKeyDown}
      aria-keyshortcuts={usable ? 'R E D' : undefined}
    >
      <div className={styles['line']}>
        <div className={styles['bubble']}>
          <span
            className={kind === 'group' && !author.me && !follows ? styles['author'] : 'unseen'}
            dir="auto"
          >
            {name}
          </span>
          {message.replyTo !== null && <Quote model={model} messageId={message.replyTo} names={names} />}
          <Said message={message} name={name} />
          <Meta message={message} kind={kind} />
        </div>
        {usable && (
          <Button
            className={`icon ${styles['more'] ?? ''}`}
            aria-label={strings.message.actions}
            aria-expanded={start !== undefined}
            excludeFromTabOrder={!isStop}
            onPress={() => setStart(start === undefined ? 'first' : undefined)}
          >
            <MoreIcon />
          </Button>
        )}
      </div>
      <Reactions model={model} message={message} names={names} usable={usable} />
      {start !== undefined && usable && (
        <MessageActions
          model={model}
          message={message}
          start={start}
          onClose={close}
          onReply={() => {
            setStart(undefined)
            onReply(message)
          }}
          onEdit={() => {
            setStart(undefined)
            onEdit(message)
          }}
        />
      )}
    </article>
  )
}

const isPlain = (event: KeyboardEvent): boolean =>
  !event.ctrlKey && !event.altKey && !event.metaKey && !event.shiftKey

/** The text, or why there is none; what counts for nothing stays folded. */
function Said({ message, name }: { readonly message: MessageView; readonly name: string }) {
  const { text, outside } = message
  const body = (
    <p className={text === null ? styles['gone'] : styles['text']} dir={text === null ? undefined : 'auto'}>
      {saidOf(message)}
    </p>
  )
  if (outside === null) return body
  return (
    <details className={styles['outside']}>
      <summary>{words.outside[outside](name)}</summary>
      <p className="fine">{words.outsideLead}</p>
      {body}
    </details>
  )
}

function Meta({ message, kind }: { readonly message: MessageView; readonly kind: ConversationView['kind'] }) {
  const { state } = message
  const ladder =
    state === null
      ? ''
      : kind === 'notes' && state === 'delivered'
        ? strings.notes.delivered
        : strings.ladder[state]
  return (
    <footer className={styles['meta']}>
      {message.late && <span>{words.late}</span>}
      {message.edited && <span>{words.edited}</span>}
      <time dateTime={new Date(message.sentAtMs).toISOString()}>{timeOf(message.sentAtMs)}</time>
      {state !== null && (
        <span className={styles['ladder']} data-state={state} role="img" aria-label={ladder} title={ladder}>
          <LadderIcon state={state} />
        </span>
      )}
    </footer>
  )
}
