import { useStore } from '@nanostores/react'
import type { AuditView, ConversationView, MessageView } from '@sotto/core'
import { useEffect, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react'
import { Button } from 'react-aria-components'
import { Message } from './message.tsx'
import type { Model, OpenHistory } from './model.ts'
import type { Names } from './names.ts'
import { isAlert, noticeWords, remedyOf } from './notices.ts'
import { goTo } from './place.ts'
import { errorWords, strings } from './strings.ts'
import { timelineOf } from './timeline.ts'
import { dayOf, timeOf } from './times.ts'
import { useNames } from './use-names.ts'
import styles from './conversation.module.css'

const words = strings.conversation

interface MessagesProps {
  readonly model: Model
  readonly name: string
  readonly conversation: ConversationView
  readonly onReply: (message: MessageView) => void
  readonly onEdit: (message: MessageView) => void
}

const noLines: readonly AuditView[] = []

/** What was said and what happened. One message takes the Tab key; the arrows go from one to the next. */
export function Messages({ model, name, conversation, onReply, onEdit }: MessagesProps) {
  const history = useStore(model.history)
  const around = useStore(model.around)
  const audit = around?.audit ?? noLines
  const mayRule = around?.members.some(({ me, role }) => me && role !== 'member') === true
  const names = useNames(model)
  const items = useMemo(() => timelineOf(history, audit), [history, audit])
  const scroller = useScrollToNewest(history, items.length)
  const [chosen, setChosen] = useState<string>()
  const messages = history?.messages ?? []
  const stop = messages.some(({ messageId }) => messageId === chosen) ? chosen : messages.at(-1)?.messageId
  const pending = conversation.contactState === 'pending'
  return (
    <div
      className={styles['messages']}
      ref={scroller}
      role="log"
      aria-live="off"
      aria-label={words.log(name)}
      tabIndex={messages.length === 0 ? 0 : -1}
      onKeyDown={walk}
    >
      {history?.more === true && (
        <Button className="plain small" onPress={() => model.showEarlier()}>
          {words.earlier}
        </Button>
      )}
      {history?.more === false && !(pending && conversation.kind === 'group') && (
        <p className={styles['begin']}>{beginWords(conversation, name)}</p>
      )}
      {pending && <p className={styles['begin']}>{pendingWords(conversation, name)}</p>}
      {items.map((item) => {
        switch (item.kind) {
          case 'day':
            return <Day key={`day ${item.atMs}`} atMs={item.atMs} />
          case 'notice':
            return (
              <Notice
                key={`line ${item.line.seq}`}
                model={model}
                line={item.line}
                names={names}
                mayRule={mayRule}
              />
            )
          case 'message': {
            const { message, follows } = item
            return (
              <Message
                key={message.messageId}
                model={model}
                message={message}
                kind={conversation.kind}
                follows={follows}
                names={names}
                isStop={message.messageId === stop}
                canWrite={conversation.contactState !== 'left' && conversation.contactState !== 'blocked'}
                onChoose={setChosen}
                onReply={onReply}
                onEdit={onEdit}
              />
            )
          }
        }
      })}
      {history !== undefined && history.missing > 0 && (
        <p className={styles['gap']} role="status">
          {words.missing(history.missing)}
        </p>
      )}
    </div>
  )
}

function pendingWords({ join }: ConversationView, name: string): string {
  if (join === null) return words.pending(name)
  const refused = join.refused === null ? undefined : strings.group.join.refused[join.refused]
  return refused ?? strings.group.join.waiting(join.by)
}

function beginWords({ kind }: ConversationView, name: string): string {
  if (kind === 'notes') return words.emptyNotes
  return kind === 'group' ? words.emptyGroup(name) : words.empty(name)
}

const Day = ({ atMs }: { readonly atMs: number }) => (
  <p className={styles['day']}>
    <span>{dayOf(atMs)}</span>
  </p>
)

/** One line on devices, members or rules, where it happened. */
interface NoticeProps {
  readonly model: Model
  readonly line: AuditView
  readonly names: Names
  readonly mayRule: boolean
}

function Notice({ model, line, names, mayRule }: NoticeProps) {
  const mine = line.kind.startsWith('device-') && names.isMe(line.subject)
  return (
    <div className={styles['notice']} role="note" data-kind={line.kind} data-alert={isAlert(line)}>
      <p>
        {noticeWords(line, names)}{' '}
        <time dateTime={new Date(line.atMs).toISOString()}>{timeOf(line.atMs)}</time>
      </p>
      {mine && (
        <Button className="plain small" onPress={() => goTo({ dialog: 'devices' })}>
          {strings.devices.alertSee}
        </Button>
      )}
      {mayRule && <Remedy model={model} line={line} names={names} />}
    </div>
  )
}

/** What whoever may do it can do about a conflict, with one tap. */
function Remedy({ model, line, names }: Omit<NoticeProps, 'mayRule'>) {
  const [error, setError] = useState<string>()
  const remedy = remedyOf(line, names)
  const { conversationId, subject } = line
  if (remedy === undefined || conversationId === null || subject === null) return null
  const run = (): void => {
    setError(undefined)
    model.face.dispatch(remedy, { conversationId, accountId: subject }).then(
      () => model.refresh('around'),
      (failure: unknown) => setError(errorWords(failure)),
    )
  }
  return (
    <>
      <Button className="plain small" onPress={run}>
        {remedy === 'group-add' ? strings.notices.letIn : strings.notices.removeAgain}
      </Button>
      {error !== undefined && <span role="alert">{error}</span>}
    </>
  )
}

/** Arrow keys, Home and End on a message go to another one. */
function walk(event: KeyboardEvent<HTMLDivElement>): void {
  if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return
  if (!(event.target instanceof HTMLElement) || !event.target.matches('[data-message]')) return
  const all = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-message]')]
  const at = all.indexOf(event.target)
  const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 }[event.key]
  if (to === undefined) return
  event.preventDefault()
  all[to]?.focus()
}

const nearBottom = 120

/** Stays with the newest message unless the person has scrolled up to read. */
function useScrollToNewest(history: OpenHistory | undefined, items: number) {
  const scroller = useRef<HTMLDivElement>(null)
  const stays = useRef(true)
  useEffect(() => {
    const element = scroller.current
    if (element === null) return
    let [whole, seen] = [element.scrollHeight, element.clientHeight]
    const follow = (): void => {
      const { activeElement: at } = document
      // Whoever is at a message stays there.
      if (at !== element && element.contains(at))
        (at?.closest('[role=group]') ?? at)?.scrollIntoView({ block: 'nearest' })
      else if (stays.current) element.scrollTop = element.scrollHeight
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
  const lastId = useRef(last?.messageId)
  useLayoutEffect(() => {
    const element = scroller.current
    const sent = last?.author.me === true && last.messageId !== lastId.current
    lastId.current = last?.messageId
    if (element !== null && (stays.current || sent)) element.scrollTop = element.scrollHeight
  }, [history, last, items])
  return scroller
}
