import { useStore } from '@nanostores/react'
import { lazy, Suspense, useState } from 'react'
import { Button, FieldError, Form, Input, Label, Text, TextField } from 'react-aria-components'
import { $invite } from './place.ts'
import type { Model } from './model.ts'
import { errorWords, strings } from './strings.ts'
import { Logo } from './logo.tsx'
import styles from './app.module.css'

const words = strings.welcome

const LinkOffer = lazy(async () => ({ default: (await import('./link-offer.tsx')).LinkOffer }))

/** The first screen: a new account, or the way to one on another device. */
export function Welcome({ model }: { readonly model: Model }) {
  const [links, setLinks] = useState(false)
  if (!links) return <Begin model={model} onLink={() => setLinks(true)} />
  return (
    <Suspense>
      <LinkOffer model={model} onBack={() => setLinks(false)} />
    </Suspense>
  )
}

/** One field. An invite link stays open behind it. */
function Begin({ model, onLink }: { readonly model: Model; readonly onLink: () => void }) {
  const invited = useStore($invite) !== undefined
  const [name, setName] = useState('')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<string>()
  const start = async (): Promise<void> => {
    setBusy(true)
    setError(undefined)
    try {
      await model.createAccount(name)
    } catch (failure) {
      setError(errorWords(failure))
      setBusy(false)
    }
  }
  return (
    <main className={styles['page']}>
      <div className={styles['card']}>
        <Logo />
        <h1>{invited ? words.invitedTitle : words.title}</h1>
        <p className={styles['lead']}>{invited ? words.invitedLead : words.lead}</p>
        <Form
          className={styles['form'] ?? ''}
          onSubmit={(event) => {
            event.preventDefault()
            if (name.trim() !== '' && !busy) void start()
          }}
        >
          <TextField
            className="field"
            value={name}
            onChange={setName}
            isInvalid={error !== undefined}
            validationBehavior="aria"
            isDisabled={busy}
            autoComplete="nickname"
            autoFocus
          >
            <Label>{words.name}</Label>
            <Input maxLength={128} spellCheck="false" />
            <Text slot="description">{words.nameHint}</Text>
            <FieldError>{error}</FieldError>
          </TextField>
          <Button type="submit" className="primary wide" isDisabled={busy || name.trim() === ''}>
            {invited ? words.join : words.start}
          </Button>
        </Form>
        <Button className="plain wide" isDisabled={busy} onPress={onLink}>
          {strings.link.start}
        </Button>
        <p className={styles['fine']}>{words.local}</p>
      </div>
    </main>
  )
}
