import { useStore } from '@nanostores/react'
import type { RelayView, SelfView } from '@sotto/core'
import { useEffect, useState } from 'react'
import { Button, FieldError, Form, Input, Label, TextField } from 'react-aria-components'
import { Sheet } from './dialog.tsx'
import type { Model } from './model.ts'
import { errorWords, strings } from './strings.ts'
import { useConnection } from './use-connection.ts'
import main from './main.module.css'
import styles from './dialog.module.css'

const words = strings.connection
const refreshMs = 2_000

interface ConnectionProps {
  readonly role: 'own' | 'follower' | 'node'
  readonly model: Model
  readonly self: SelfView
  readonly onClose: () => void
}

/** How messages leave and arrive, where the device is, and what may go wrong with either. */
export function ConnectionDialog({ role, model, self, onClose }: ConnectionProps) {
  const status = useStore(model.status)
  const connection = useConnection(model)
  useEffect(() => {
    model.refresh('status')
    const timer = setInterval(() => model.refresh('status'), refreshMs)
    return () => clearInterval(timer)
  }, [model])
  const retry = (): void => {
    model.face.dispatch('retry-now', {}).then(
      () => model.refresh('status'),
      () => undefined,
    )
  }
  return (
    <Sheet title={words.title} onClose={onClose}>
      <p className={styles['state']}>
        <span className={main['dot']} data-connection={connection} />
        <strong>{words.words[connection]}</strong>
        <Button className="plain small" onPress={retry}>
          {words.tryNow}
        </Button>
      </p>
      {status !== undefined && status.warnings.length > 0 && (
        <section className={styles['part']} role="alert">
          <h3>{words.warnings}</h3>
          {status.warnings.map(({ code }) => (
            <p key={code}>{strings.errors[code] ?? strings.otherError(code)}</p>
          ))}
        </section>
      )}
      <dl className={styles['facts']}>
        <Fact name={words.peers} value={String(status?.peers ?? 0)} />
        <Fact name={words.outbox} value={String(status?.outbox ?? 0)} />
        <Fact name={words.held} value={String(status?.held ?? 0)} />
      </dl>
      <Relays model={model} relays={status?.relays ?? []} />
      <section className={styles['part']}>
        <h3>{words.where}</h3>
        <p>{words.role[role]}</p>
        {role !== 'node' && <Storage />}
        {role !== 'node' && <p className="fine">{words.host}</p>}
        <p className={styles['id']} aria-label={words.you} translate="no">
          {self.deviceId.slice(0, 8)}
        </p>
      </section>
    </Sheet>
  )
}

const Fact = ({ name, value }: { readonly name: string; readonly value: string }) => (
  <div>
    <dt>{name}</dt>
    <dd>{value}</dd>
  </div>
)

function Relays({ model, relays }: { readonly model: Model; readonly relays: readonly RelayView[] }) {
  return (
    <section className={styles['part']}>
      <h3>{words.relays}</h3>
      {relays.length === 0 && <p>{words.noRelays}</p>}
      <ul className={styles['relays']}>
        {relays.map((relay) => (
          <li key={relay.relayId}>
            <span className={styles['relay']} translate="no">
              {hostOf(relay.address)}
            </span>
            <span data-state={relay.state}>{words.relayState[relay.state]}</span>
          </li>
        ))}
      </ul>
      <AddRelay model={model} />
    </section>
  )
}

/** Host and port of a multiaddr, for people. */
function hostOf(address: string): string {
  const [, , host = '', , port = ''] = address.split('/')
  return port === '' ? host : `${host}:${port}`
}

function AddRelay({ model }: { readonly model: Model }) {
  const [address, setAddress] = useState('')
  const [error, setError] = useState<string>()
  const add = (): void => {
    setError(undefined)
    model.face.dispatch('add-relay', { address }).then(
      () => {
        setAddress('')
        model.refresh('status')
      },
      (failure: unknown) => setError(errorWords(failure)),
    )
  }
  return (
    <Form
      className={styles['inline'] ?? ''}
      onSubmit={(event) => {
        event.preventDefault()
        if (address.trim() !== '') add()
      }}
    >
      <TextField
        className="field"
        value={address}
        onChange={setAddress}
        isInvalid={error !== undefined}
        validationBehavior="aria"
      >
        <Label>{words.addRelay}</Label>
        <Input autoComplete="off" spellCheck="false" />
        <FieldError>{error}</FieldError>
      </TextField>
      <Button type="submit" className="plain" isDisabled={address.trim() === ''}>
        {words.addRelayDo}
      </Button>
    </Form>
  )
}

/** Whether the browser promised not to delete the device. */
function Storage() {
  const [kept, setKept] = useState<boolean>()
  useEffect(() => {
    void navigator.storage.persisted().then(setKept, () => setKept(false))
  }, [])
  if (kept === undefined) return null
  return (
    <p>
      {words.storage}: {kept ? words.kept : words.notKept}
    </p>
  )
}
