import { useStore } from '@nanostores/react'
import type { ConversationView, MessageView } from '@sotto/core'
import { useEffect, useLayoutEffect, useRef } from 'react'
import { Button } from 'react-aria-components'
import { Avatar } from './avatar.tsx'
import { Composer } from './composer.tsx'
import { BackIcon, ChatIcon, LadderIcon } from './icons.tsx'
import type { Model, OpenHistory } from './model.ts'
import { goTo } from './place.ts'
import { strings } from './strings.ts'
import { dayOf, sameDay, timeOf } from './times.ts'
import main from './main.module.css'
import styles from './conversation.module.css'

const words = strings.conversation

export function NothingChosen() {
  return (
    <main className={`${styles['pane'] ?? ''} ${styles['nothing'] ?? ''}`}>
      <ChatIcon />
      <h2>{words.choose}</h2>
      <p>{words.chooseLead}</p>
    </main>
  )
}

interface ConversationProps {
  readonly model: Model
  readonly conversationId: string
}

/** One conversation: whom with, what was said, and where to write. */
export function Conversation({ model, conversationId }: ConversationProps) {
  const conversation = useStore(model.conversations)?.find((one) => one.conversationId === conversationId)
  const history = useStore(model.history)
  if (conversation === undefined) return <main className={styles['pane']} />
  const name = conversation.name === '' ? strings.chats.unnamed : conversation.name
  return (
    <main className={styles['pane']} aria-label={name}>
      <header className={main['bar']}>
        <Button
          className={`icon ${styles['back'] ?? ''}`}
          aria-label={strings.back}
          onPress={() => goTo({ conversationId: undefined })}
        >
          <BackIcon />
        </Button>
        <Avatar name={name} id={conversation.accountId ?? conversation.conversationId} />
        <div className={main['who']}>
          <strong dir="auto">{name}</strong>
          {conversation.contactState === 'pending' && <span className="fine">{words.pendingLine}</span>}
        </div>
      </header>
      <Messages model={model} name={name} history={history} conversation={conversation} />
      <Foot model={model} conversation={conversation} />
    </main>
  )
}

function Foot({ model, conversation }: { readonly model: Model; readonly conversation: ConversationView }) {
  const { accountId } = conversation
  if (conversation.contactState !== 'blocked' || accountId === null)
    return <Composer model={model} conversationId={conversation.conversationId} />
  return (
    <div className={styles['blocked']}>
      <p>{words.blocked}</p>
      <Button
        className="plain"
        onPress={() => void model.face.dispatch('unblock', { accountId }).catch(() => undefined)}
      >
        {words.unblock}
      </Button>
    </div>
  )
}

interface MessagesProps {
  readonly model: Model
  readonly name: string
  readonly history: OpenHistory | undefined
  readonly conversation: ConversationView
}

function Messages({ model, name, history, conversation }: MessagesProps) {
  const scroller = useScrollToNewest(history)
  return (
    <div
      className={styles['messages']}
      ref={scroller}
      role="log"
      aria-live="off"
      aria-label={words.log(name)}
      tabIndex={0}
    >
      {history?.more === true && (
        <Button className="plain small" onPress={() => model.showEarlier()}>
          {words.earlier}
        </Button>
      )}
      {history?.more === false && <p className={styles['begin']}>{words.empty(name)}</p>}
      {conversation.contactState === 'pending' && <p className={styles['begin']}>{words.pending(name)}</p>}
      {history?.messages.map((message, index) => (
        <Line key={message.messageId} message={message} before={history.messages[index - 1]} />
      ))}
      {history !== undefined && history.missing > 0 && (
        <p className={styles['gap']} role="status">
          {words.missing(history.missing)}
        </p>
      )}
    </div>
  )
}

const nearBottom = 120

/** Stays with the newest message unless the person has scrolled up to read. */
function useScrollToNewest(history: OpenHistory | undefined) {
  const scroller = useRef<HTMLDivElement>(null)
  const stays = useRef(true)
  useEffect(() => {
    const element = scroller.current
    if (element === null) return
    let [whole, seen] = [element.scrollHeight, element.clientHeight]
    const follow = (): void => {
      if (stays.current) element.scrollTop = element.scrollHeight
      ;[whole, seen] = [element.scrollHeight, element.clientHeight]
    }
    // A scroll that comes with a change of size is the layout's doing, not the person's.
    const note = (): void => {
      const { scrollHeight, clientHeight, scrollTop } = element
      if (scrollHeight === whole && clientHeight === seen)
        stays.current = scrollHeight - scrollTop - clientHeight < nearBottom
      else follow()
    }
    const observer = new ResizeObserver(follow)
    element.addEventListener('scroll', note, { passive: true })
    observer.observe(element)
    return () => {
      element.removeEventListener('scroll', note)
      observer.disconnect()
    }
  }, [])
  const last = history?.messages.at(-1)
  useLayoutEffect(() => {
    const element = scroller.current
    if (element !== null && (stays.current || last?.author.me === true))
      element.scrollTop = element.scrollHeight
  }, [history, last])
  return scroller
}

const togetherMs = 5 * 60_000

function Line({
  message,
  before,
}: {
  readonly message: MessageView
  readonly before: MessageView | undefined
}) {
  const newDay = before === undefined || !sameDay(before.sentAtMs, message.sentAtMs)
  const follows =
    !newDay && before.author.me === message.author.me && message.sentAtMs - before.sentAtMs < togetherMs
  return (
    <>
      {newDay && (
        <p className={styles['day']}>
          <span>{dayOf(message.sentAtMs)}</span>
        </p>
      )}
      <article
        className={styles['bubble']}
        data-mine={message.author.me}
        data-follows={follows}
        data-message={message.messageId}
      >
        <span className="unseen">{message.author.name}</span>
        <p className={message.text === null ? styles['gone'] : styles['text']} dir="auto">
          {message.text ?? (message.deleted ? words.deleted : words.gone)}
        </p>
        <footer className={styles['meta']}>
          {message.late && <span>{words.late}</span>}
          {message.edited && <span>{words.edited}</span>}
          <time dateTime={new Date(message.sentAtMs).toISOString()}>{timeOf(message.sentAtMs)}</time>
          {message.state !== null && (
            <span
              className={styles['ladder']}
              data-state={message.state}
              role="img"
              aria-label={strings.ladder[message.state]}
              title={strings.ladder[message.state]}
            >
              <LadderIcon state={message.state} />
            </span>
          )}
        </footer>
      </article>
    </>
  )
}
