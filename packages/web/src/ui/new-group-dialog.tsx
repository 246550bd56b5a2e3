import { useStore } from '@nanostores/react'
import type { ContactView } from '@sotto/core'
import { useEffect, useState } from 'react'
import {
  Button,
  CheckboxButton,
  CheckboxField,
  CheckboxGroup,
  FieldError,
  Form,
  Input,
  Label,
  Text,
  TextField,
} from 'react-aria-components'
import { Avatar } from './avatar.tsx'
import { Sheet } from './dialog.tsx'
import { Tick } from './tick.tsx'
import type { Model } from './model.ts'
import { goTo } from './place.ts'
import { errorWords, strings } from './strings.ts'
import styles from './dialog.module.css'
import lists from './lists.module.css'

const words = strings.group.create

/** A name and who is to be in it; this account becomes the owner. */
export function NewGroupDialog({ model, onClose }: { readonly model: Model; readonly onClose: () => void }) {
  const contacts = useStore(model.contacts).filter(({ state }) => state === 'connected')
  const [name, setName] = useState('')
  const [members, setMembers] = useState<readonly string[]>([])
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<string>()
  useEffect(() => model.refresh('contacts'), [model])
  const open = async (): Promise<void> => {
    setBusy(true)
    setError(undefined)
    try {
      const { conversationId } = await model.face.dispatch('create-group', { name: name.trim(), members })
      model.refresh('conversations')
      goTo({ conversationId, dialog: undefined })
    } catch (failure) {
      setError(errorWords(failure))
      setBusy(false)
    }
  }
  const unverified = contacts.filter(
    ({ accountId, verified }) => members.includes(accountId) && !verified,
  ).length
  return (
    <Sheet title={words.title} onClose={onClose}>
      <Form
        className={styles['part'] ?? ''}
        onSubmit={(event) => {
          event.preventDefault()
          if (name.trim() !== '' && !busy) void open()
        }}
      >
        <TextField
          className="field"
          value={name}
          onChange={setName}
          isInvalid={error !== undefined}
          validationBehavior="aria"
          isDisabled={busy}
          autoFocus
        >
          <Label>{words.name}</Label>
          <Input maxLength={128} autoComplete="off" />
          <Text slot="description">{words.nameHint}</Text>
          <FieldError>{error}</FieldError>
        </TextField>
        {contacts.length === 0 ? (
          <p className="fine">{words.none}</p>
        ) : (
          <Who contacts={contacts} members={members} onChange={setMembers} />
        )}
        {unverified > 0 && (
          <p className="fine" role="status">
            {words.unverified(unverified)}
          </p>
        )}
        <Button type="submit" className="primary wide" isDisabled={busy || name.trim() === ''}>
          {busy ? words.making : words.make}
        </Button>
      </Form>
    </Sheet>
  )
}

interface WhoProps {
  readonly contacts: readonly ContactView[]
  readonly members: readonly string[]
  readonly onChange: (members: readonly string[]) => void
}

function Who({ contacts, members, onChange }: WhoProps) {
  return (
    <CheckboxGroup className={lists['choices'] ?? ''} value={[...members]} onChange={onChange}>
      <Label>{words.who}</Label>
      <div className={lists['scroll']}>
        {contacts.map(({ accountId, name }) => (
          <CheckboxField key={accountId} value={accountId}>
            <CheckboxButton className={lists['choice'] ?? ''}>
              <Avatar name={name} id={accountId} />
              <span dir="auto">{name === '' ? strings.chats.unnamed : name}</span>
              <Tick />
            </CheckboxButton>
          </CheckboxField>
        ))}
      </div>
    </CheckboxGroup>
  )
}
