import { useStore } from '@nanostores/react'
import type { ConversationView, MemberView } from '@sotto/core'
import { useEffect, useState } from 'react'
import { Button, FieldError, Form, Input, Label, TextField } from 'react-aria-components'
import type { Tab } from '../create-tab.ts'
import { Ask } from './ask.tsx'
import { Sheet } from './dialog.tsx'
import { GroupLink } from './group-link.tsx'
import { AddMembers, Members } from './group-members.tsx'
import { rightsOf } from './group-rights.ts'
import { Rules } from './group-rules.tsx'
import type { Model } from './model.ts'
import { conversationName } from './names.ts'
import { errorWords, strings } from './strings.ts'
import styles from './dialog.module.css'

const words = strings.group

interface GroupProps {
  readonly tab: Tab
  readonly role: 'own' | 'follower' | 'node'
  readonly model: Model
  readonly conversationId: string
  readonly onClose: () => void
}

/** Who is in the group, what may be done in it, and the way out. */
export function GroupDialog({ tab, role, model, conversationId, onClose }: GroupProps) {
  const conversation = useStore(model.conversations)?.find((one) => one.conversationId === conversationId)
  const around = useStore(model.around)
  useEffect(() => {
    model.refresh('around')
    model.refresh('contacts')
  }, [model])
  if (conversation === undefined || around?.conversationId !== conversationId) return null
  const { members, policy } = around
  const me = members.find((member) => member.me)
  const rights = rightsOf(conversation, me, policy)
  return (
    <Sheet title={conversationName(conversation)} onClose={onClose}>
      {!rights.mayWrite && <p role="status">{words.left}</p>}
      {rights.mayWrite && <Rename key={conversation.name} model={model} conversation={conversation} />}
      <Members model={model} conversationId={conversationId} members={members} rights={rights} />
      {rights.mayAdd && (
        <AddMembers
          model={model}
          conversationId={conversationId}
          members={members}
          historyDays={policy?.historyDays ?? null}
        />
      )}
      {rights.mayRule && <GroupLink tab={tab} role={role} model={model} conversationId={conversationId} />}
      {policy !== undefined && (
        <Rules model={model} conversationId={conversationId} policy={policy} rights={rights} />
      )}
      {rights.mayWrite && <Leave model={model} conversationId={conversationId} members={members} />}
    </Sheet>
  )
}

function Rename({ model, conversation }: { readonly model: Model; readonly conversation: ConversationView }) {
  const [name, setName] = useState(conversation.name)
  const [error, setError] = useState<string>()
  const { conversationId } = conversation
  const rename = (): void => {
    setError(undefined)
    model.face.dispatch('group-rename', { conversationId, name: name.trim() }).then(
      () => model.refresh('conversations'),
      (failure: unknown) => setError(errorWords(failure)),
    )
  }
  const changed = name.trim() !== '' && name.trim() !== conversation.name
  return (
    <Form
      className={styles['inline'] ?? ''}
      onSubmit={(event) => {
        event.preventDefault()
        if (changed) rename()
      }}
    >
      <TextField
        className="field"
        value={name}
        onChange={setName}
        isInvalid={error !== undefined}
        validationBehavior="aria"
      >
        <Label>{words.name}</Label>
        <Input maxLength={128} autoComplete="off" dir="auto" />
        <FieldError>{error}</FieldError>
      </TextField>
      <Button type="submit" className="plain" isDisabled={!changed}>
        {words.rename}
      </Button>
    </Form>
  )
}

interface LeaveProps {
  readonly model: Model
  readonly conversationId: string
  readonly members: readonly MemberView[]
}

/** The way out; a last owner names another one first. */
function Leave({ model, conversationId, members }: LeaveProps) {
  const others = members.filter(({ me }) => !me)
  const owns = members.some(({ me, role }) => me && role === 'owner')
  const held = owns && others.length > 0 && !others.some(({ role }) => role === 'owner')
  const leave = async (): Promise<void> => {
    await model.face.dispatch('group-leave', { conversationId })
    model.refresh('conversations')
    model.refresh('around')
  }
  return (
    <section className={styles['part']}>
      <h3>{words.leave}</h3>
      {held ? (
        <p className="fine">{words.lastOwner}</p>
      ) : (
        <Ask label={words.leave} question={words.leaveAsk} action={words.leaveDo} run={leave} />
      )}
    </section>
  )
}
