import { useStore } from '@nanostores/react'
import type { ConversationView } from '@sotto/core'
import { useState } from 'react'
import { Button } from 'react-aria-components'
import { Avatar } from './avatar.tsx'
import { Composer, type Aim } from './composer.tsx'
import { BackIcon, ChatIcon, InfoIcon } from './icons.tsx'
import { Messages } from './messages.tsx'
import type { Model } from './model.ts'
import { conversationName } from './names.ts'
import { goTo } from './place.ts'
import { strings } from './strings.ts'
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
  const [aim, setAim] = useState<Aim>()
  if (conversation === undefined) return <main className={styles['pane']} />
  const name = conversationName(conversation)
  return (
    <main className={styles['pane']} aria-label={name}>
      <Head conversation={conversation} name={name} />
      <Messages
        model={model}
        name={name}
        conversation={conversation}
        onReply={(message) => setAim({ kind: 'reply', message })}
        onEdit={(message) => setAim({ kind: 'edit', message })}
      />
      <Foot model={model} conversation={conversation} aim={aim} onAim={setAim} />
    </main>
  )
}

function Head({ conversation, name }: { readonly conversation: ConversationView; readonly name: string }) {
  const { accountId, conversationId, contactState, kind } = conversation
  return (
    <header className={main['bar']}>
      <Button
        className={`icon ${styles['back'] ?? ''}`}
        aria-label={strings.back}
        onPress={() => goTo({ conversationId: undefined })}
      >
        <BackIcon />
      </Button>
      <Avatar name={name} id={accountId ?? conversationId} />
      <div className={main['who']}>
        <strong dir="auto">{name}</strong>
        <HeadLine conversation={conversation} />
      </div>
      {kind === 'group' && contactState !== 'pending' && (
        <Button className="icon" aria-label={strings.group.open} onPress={() => goTo({ dialog: 'group' })}>
          <InfoIcon />
        </Button>
      )}
    </header>
  )
}

function HeadLine({
  conversation: { kind, contactState, members },
}: {
  readonly conversation: ConversationView
}) {
  const line =
    contactState === 'pending'
      ? kind === 'group'
        ? strings.group.join.line
        : words.pendingLine
      : contactState === 'left'
        ? strings.group.leftLine
        : { direct: undefined, notes: strings.notes.line, group: strings.group.members(members) }[kind]
  return line === undefined ? null : <span className="fine">{line}</span>
}

/** A group that was asked to let this account in: nothing can be written yet. */
function Asking({ model, conversationId }: { readonly model: Model; readonly conversationId: string }) {
  const stop = (): void => {
    model.face.dispatch('group-leave', { conversationId }).then(
      () => {
        goTo({ conversationId: undefined })
        model.refresh('conversations')
      },
      () => undefined,
    )
  }
  return (
    <div className={styles['blocked']}>
      <p>{strings.group.join.line}</p>
      <Button className="plain" onPress={stop}>
        {strings.group.join.stop}
      </Button>
    </div>
  )
}

interface FootProps {
  readonly model: Model
  readonly conversation: ConversationView
  readonly aim: Aim | undefined
  readonly onAim: (aim: Aim | undefined) => void
}

function Foot({ model, conversation, aim, onAim }: FootProps) {
  const { accountId, contactState, conversationId, join } = conversation
  if (join !== null) return <Asking model={model} conversationId={conversationId} />
  if (contactState === 'left')
    return (
      <div className={styles['blocked']}>
        <p>{strings.group.left}</p>
      </div>
    )
  if (contactState !== 'blocked' || accountId === null)
    return (
      <Composer
        key={aim === undefined ? 'new' : `${aim.kind} ${aim.message.messageId}`}
        model={model}
        conversationId={conversationId}
        aim={aim}
        onAim={onAim}
      />
    )
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
