import { useStore } from '@nanostores/react'
import type { ConversationView, RequestView, SelfView } from '@sotto/core'
import { useState } from 'react'
import { Button, GridList, GridListItem } from 'react-aria-components'
import { Avatar } from './avatar.tsx'
import { AddIcon, ChatIcon, DevicesIcon, GroupIcon, LadderIcon } from './icons.tsx'
import type { Model } from './model.ts'
import { conversationName } from './names.ts'
import { $place, goTo } from './place.ts'
import { saidOf } from './said.ts'
import { errorWords, strings } from './strings.ts'
import { shortTime } from './times.ts'
import { useConnection } from './use-connection.ts'
import styles from './main.module.css'

const words = strings.chats

/** Who I am, how I am connected, and everybody I talk to. */
export function Sidebar({ model, self }: { readonly model: Model; readonly self: SelfView }) {
  const requests = useStore(model.requests)
  const conversations = useStore(model.conversations)
  return (
    <nav className={styles['sidebar']} aria-label={words.title}>
      <header className={styles['bar']}>
        <Avatar name={self.name} id={self.accountId} />
        <div className={styles['who']}>
          <strong dir="auto">{self.name}</strong>
          <ConnectionButton model={model} />
        </div>
        <Button
          className="icon"
          aria-label={strings.devices.open}
          onPress={() => goTo({ dialog: 'devices' })}
        >
          <DevicesIcon />
        </Button>
        <Button
          className="icon"
          aria-label={strings.group.create.title}
          onPress={() => goTo({ dialog: 'new-group' })}
        >
          <GroupIcon />
        </Button>
        <Button className="icon" aria-label={words.add} onPress={() => goTo({ dialog: 'add' })}>
          <AddIcon />
        </Button>
      </header>
      {requests.length > 0 && <Requests model={model} requests={requests} />}
      {conversations !== undefined && conversations.length > 0 && <Chats conversations={conversations} />}
      {conversations?.every(({ kind }) => kind === 'notes') === true && <NoChats />}
    </nav>
  )
}

function ConnectionButton({ model }: { readonly model: Model }) {
  const connection = useConnection(model)
  return (
    <Button
      className={styles['connection'] ?? ''}
      aria-label={`${strings.connection.short[connection]}. ${strings.connection.details}`}
      onPress={() => goTo({ dialog: 'connection' })}
    >
      <span className={styles['dot']} data-connection={connection} />
      <span aria-live="polite">{strings.connection.short[connection]}</span>
    </Button>
  )
}

function Requests({ model, requests }: { readonly model: Model; readonly requests: readonly RequestView[] }) {
  return (
    <section className={styles['requests']} aria-label={strings.requests.title}>
      <h2>{strings.requests.title}</h2>
      {requests.map((request) => (
        <Request key={request.requestId} model={model} request={request} />
      ))}
      <p className="fine">{strings.requests.quiet}</p>
    </section>
  )
}

const groupName = ({ name }: { readonly name: string }): string =>
  name === '' ? strings.group.unnamed : name

function Request({ model, request }: { readonly model: Model; readonly request: RequestView }) {
  const [error, setError] = useState<string>()
  const name = request.name === '' ? words.unnamed : request.name
  const answer = (command: 'accept-request' | 'ignore-request') => (): void => {
    model.face.dispatch(command, { requestId: request.requestId }).then(
      () => {
        model.refresh('requests')
        model.refresh('conversations')
      },
      (failure: unknown) => setError(errorWords(failure)),
    )
  }
  return (
    <div className={styles['request']}>
      <p>
        <strong dir="auto">{name}</strong>{' '}
        {request.group === null
          ? strings.requests.lead
          : strings.requests.wantsInto(groupName(request.group))}
      </p>
      {error !== undefined && <p role="alert">{error}</p>}
      <div className={styles['answers']}>
        <Button className="primary small" onPress={answer('accept-request')}>
          {request.group === null ? strings.requests.accept : strings.requests.letIn}
        </Button>
        <Button className="plain small" onPress={answer('ignore-request')}>
          {strings.requests.ignore}
        </Button>
      </div>
    </div>
  )
}

function Chats({ conversations }: { readonly conversations: readonly ConversationView[] }) {
  const { conversationId } = useStore($place)
  const newestFirst = [...conversations].sort(
    (a, b) => (b.last?.receivedAtMs ?? Infinity) - (a.last?.receivedAtMs ?? Infinity) || 0,
  )
  return (
    <GridList
      className={styles['chats'] ?? ''}
      aria-label={words.label}
      selectionMode="single"
      selectionBehavior="replace"
      disallowEmptySelection
      selectedKeys={conversationId === undefined ? [] : [conversationId]}
      onSelectionChange={(keys) => {
        const [key] = keys
        if (typeof key === 'string' && keys !== 'all') goTo({ conversationId: key })
      }}
      items={newestFirst.map((conversation) => ({ ...conversation, id: conversation.conversationId }))}
    >
      {(conversation) => (
        <GridListItem className={styles['chat'] ?? ''} textValue={conversationName(conversation)}>
          <Row conversation={conversation} />
        </GridListItem>
      )}
    </GridList>
  )
}

function NoChats() {
  return (
    <div className={styles['empty']}>
      <ChatIcon />
      <h2>{words.empty}</h2>
      <p>{words.emptyLead}</p>
      <Button className="primary" onPress={() => goTo({ dialog: 'add' })}>
        {words.add}
      </Button>
    </div>
  )
}

function Row({ conversation }: { readonly conversation: ConversationView }) {
  const { last, unread } = conversation
  const name = conversationName(conversation)
  return (
    <>
      <Avatar name={name} id={conversation.accountId ?? conversation.conversationId} />
      <span className={styles['rowName']} dir="auto">
        {name}
      </span>
      <span className={styles['rowTime']}>{last === null ? '' : shortTime(last.sentAtMs)}</span>
      <span className={styles['rowLast']}>
        {last?.state && conversation.contactState !== 'left' && (
          <span className={styles['rowMark']} role="img" aria-label={strings.ladder[last.state]}>
            <LadderIcon state={last.state} />
          </span>
        )}
        <span className={styles['rowText']} dir="auto">
          {lastLine(conversation, name)}
        </span>
      </span>
      {unread > 0 && (
        <span className={styles['unread']} role="img" aria-label={words.unread(unread)}>
          {unread > 99 ? '99+' : unread}
        </span>
      )}
    </>
  )
}

function lastLine({ last, contactState, kind }: ConversationView, name: string): string {
  if (contactState === 'blocked') return words.blocked
  if (contactState === 'left') return strings.group.leftLine
  if (last === null) {
    if (kind === 'notes') return strings.notes.line
    if (kind === 'group') return contactState === 'pending' ? strings.group.join.line : words.noMessages
    return contactState === 'pending' ? words.pending(name) : words.noMessages
  }
  const text = saidOf(last)
  if (kind !== 'group') return text
  return words.by(last.author.me ? strings.notices.you : last.author.name || words.unnamed, text)
}
