import { useStore } from '@nanostores/react'
import type { InviteView } from '@sotto/core'
import { useEffect, useState } from 'react'
import { Button, FieldError, Form, Input, Label, TextField } from 'react-aria-components'
import type { Tab } from '../create-tab.ts'
import { Sheet } from './dialog.tsx'
import { InviteLink } from './invite-link.tsx'
import { addPatiently } from './invites.ts'
import type { Model } from './model.ts'
import { goTo } from './place.ts'
import { Scan } from './scan.tsx'
import { errorWords, strings } from './strings.ts'
import { dayOf } from './times.ts'
import styles from './dialog.module.css'

const words = strings.add

interface AddProps {
  readonly tab: Tab
  readonly role: 'own' | 'follower' | 'node'
  readonly model: Model
  readonly onClose: () => void
}

/** A contact is added from either side: my link goes to them, or theirs comes to me. */
export function AddDialog({ tab, role, model, onClose }: AddProps) {
  return (
    <Sheet title={words.title} onClose={onClose}>
      <div className={styles['columns']}>
        <Give tab={tab} role={role} model={model} />
        <Take tab={tab} model={model} />
      </div>
    </Sheet>
  )
}

/** A link for a contact that nobody has used. */
const isFree = ({ state, used, group }: InviteView): boolean =>
  state === 'open' && used === 0 && group === null

function Give({ tab, role, model }: Omit<AddProps, 'onClose'>) {
  const invite = useStore(model.invites).findLast(isFree)
  const [error, setError] = useState<string>()
  const run = (work: Promise<unknown>): void => {
    setError(undefined)
    work.then(
      () => model.refresh('invites'),
      (failure: unknown) => setError(errorWords(failure)),
    )
  }
  const make = (): void => run(model.face.dispatch('create-invite', {}))
  useFirstInvite(model, make)
  return (
    <section className={styles['part']}>
      <h3>{words.give}</h3>
      {error !== undefined && <p role="alert">{error}</p>}
      {invite === undefined ? (
        <p className="fine">{words.making}</p>
      ) : (
        <>
          <InviteLink
            tab={tab}
            role={role}
            invite={invite}
            lead={words.giveLead(dayOf(invite.expiresAtMs))}
          />
          <div className={styles['row']}>
            <Button className="plain small" onPress={make}>
              {words.another}
            </Button>
            <Button
              className="plain small"
              onPress={() =>
                run(model.face.dispatch('revoke-invite', { inviteId: invite.inviteId }).then(make))
              }
            >
              {words.revoke}
            </Button>
          </div>
        </>
      )}
    </section>
  )
}

/** A dialog without a link to give makes one. */
function useFirstInvite(model: Model, make: () => void): void {
  useEffect(() => {
    let gone = false
    void model.face.view('invites', {}).then(
      (invites) => {
        if (gone) return
        model.invites.set(invites)
        if (!invites.some(isFree)) make()
      },
      () => undefined,
    )
    return () => {
      gone = true
    }
    // Once for each dialog.
  }, [])
}

function Take({ tab, model }: { readonly tab: Tab; readonly model: Model }) {
  const [link, setLink] = useState('')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<string>()
  const open = async (): Promise<void> => {
    setBusy(true)
    setError(undefined)
    try {
      const { conversationId } = await addPatiently(tab, model, link)
      goTo({ conversationId, dialog: undefined })
    } catch (failure) {
      setError(errorWords(failure))
      setBusy(false)
    }
  }
  return (
    <Form
      className={styles['part'] ?? ''}
      onSubmit={(event) => {
        event.preventDefault()
        if (link.trim() !== '' && !busy) void open()
      }}
    >
      <h3>{words.have}</h3>
      <TextField
        className="field"
        value={link}
        onChange={setLink}
        isInvalid={error !== undefined}
        validationBehavior="aria"
        isDisabled={busy}
      >
        <Label>{words.paste}</Label>
        <Input autoComplete="off" spellCheck="false" />
        <FieldError>{error}</FieldError>
      </TextField>
      <Scan isDisabled={busy} onText={setLink} />
      <Button type="submit" className="plain wide" isDisabled={busy || link.trim() === ''}>
        {busy ? words.opening : words.open}
      </Button>
    </Form>
  )
}
