import { useStore } from '@nanostores/react'
import { useEffect, useRef, useState } from 'react'
import { Button, FieldError, Form, Input, Label, Text, TextField } from 'react-aria-components'
import { Compare } from './compare.tsx'
import { CopyIcon } from './icons.tsx'
import { Logo } from './logo.tsx'
import type { Model } from './model.ts'
import { QrCode } from './qr-code.tsx'
import { errorWords, strings } from './strings.ts'
import { timeOf } from './times.ts'
import app from './app.module.css'
import styles from './link.module.css'

const words = strings.link
const mismatch = { code: 'E_LINK_MISMATCH' }

interface Offer {
  readonly code: string
  readonly link: string
  readonly expiresAtMs: number
}

type Step =
  | { readonly at: 'name'; readonly error?: string }
  | { readonly at: 'making' }
  | { readonly at: 'shown'; readonly offer: Offer }
  | { readonly at: 'compare' | 'confirming'; readonly emoji: readonly string[] }
  | { readonly at: 'failed'; readonly error: string }

const titles: Readonly<Record<Step['at'], string>> = {
  name: words.nameTitle,
  making: words.nameTitle,
  shown: words.codeTitle,
  compare: words.compareTitle,
  confirming: words.compareTitle,
  failed: words.failedTitle,
}

/** First run of a device whose person has an account already: shows a code, compares, comes in. */
export function LinkOffer({ model, onBack }: { readonly model: Model; readonly onBack: () => void }) {
  const [name, setName] = useState(browserName)
  const [step, setStep] = useState<Step>({ at: 'name' })
  useLinkEvents(model, step, setStep)
  const show = async (): Promise<void> => {
    setStep({ at: 'making' })
    model.link.set(undefined)
    try {
      setStep({ at: 'shown', offer: await model.face.dispatch('link-offer', { deviceName: name.trim() }) })
    } catch (failure) {
      setStep({ at: 'name', error: errorWords(failure) })
    }
  }
  const answer = async (match: boolean): Promise<void> => {
    if (step.at !== 'compare') return
    setStep({ ...step, at: 'confirming' })
    try {
      await model.face.dispatch('link-confirm', { match })
      if (match) model.reload()
      else setStep({ at: 'failed', error: errorWords(mismatch) })
    } catch (failure) {
      setStep({ at: 'failed', error: errorWords(match ? failure : mismatch) })
    }
  }
  return (
    <main className={app['page']}>
      <div className={app['card']}>
        <Logo />
        <h1>{titles[step.at]}</h1>
        {(step.at === 'name' || step.at === 'making') && (
          <Name
            name={name}
            error={step.at === 'name' ? step.error : undefined}
            isBusy={step.at === 'making'}
            onName={setName}
            onShow={() => void show()}
          />
        )}
        {step.at === 'shown' && <Shown offer={step.offer} />}
        {(step.at === 'compare' || step.at === 'confirming') && (
          <Compare
            emoji={step.emoji}
            other={words.otherDevice}
            isBusy={step.at === 'confirming'}
            onAnswer={(match) => void answer(match)}
          />
        )}
        {step.at === 'failed' && (
          <>
            <p role="alert">{step.error}</p>
            <Button className="primary wide" autoFocus onPress={() => void show()}>
              {words.again}
            </Button>
          </>
        )}
        {step.at !== 'compare' && step.at !== 'confirming' && (
          <Button className="plain wide" isDisabled={step.at === 'making'} onPress={onBack}>
            {words.back}
          </Button>
        )}
      </div>
    </main>
  )
}

/** Follows what the device tells: compare, linked, failed; and the time the code is good for. */
function useLinkEvents(model: Model, step: Step, setStep: (step: Step) => void): void {
  const event = useStore(model.link)
  const heard = useRef(event)
  useEffect(() => {
    if (event === heard.current) return
    heard.current = event
    if (event === undefined) return
    if (event.state === 'compare') setStep({ at: 'compare', emoji: event.emoji })
    // What was said here before, "different", is said by the device as a failure too.
    else if (event.state === 'failed' && step.at !== 'failed')
      setStep({ at: 'failed', error: errorWords(event) })
  }, [event, step.at, setStep])
  const expiresAtMs = step.at === 'shown' ? step.offer.expiresAtMs : undefined
  useEffect(() => {
    if (expiresAtMs === undefined) return
    const expire = (): void => setStep({ at: 'failed', error: errorWords({ code: 'E_LINK_EXPIRED' }) })
    const timer = setTimeout(expire, Math.max(0, expiresAtMs - Date.now()))
    return () => clearTimeout(timer)
  }, [expiresAtMs, setStep])
}

interface NameProps {
  readonly name: string
  readonly error: string | undefined
  readonly isBusy: boolean
  readonly onName: (name: string) => void
  readonly onShow: () => void
}

function Name({ name, error, isBusy, onName, onShow }: NameProps) {
  return (
    <Form
      className={app['form'] ?? ''}
      onSubmit={(event) => {
        event.preventDefault()
        if (name.trim() !== '' && !isBusy) onShow()
      }}
    >
      <TextField
        className="field"
        value={name}
        onChange={onName}
        isInvalid={error !== undefined}
        validationBehavior="aria"
        isDisabled={isBusy}
        autoFocus
      >
        <Label>{words.name}</Label>
        <Input maxLength={128} autoComplete="off" spellCheck="false" />
        <Text slot="description">{words.nameHint}</Text>
        <FieldError>{error}</FieldError>
      </TextField>
      <Button type="submit" className="primary wide" isDisabled={isBusy || name.trim() === ''}>
        {isBusy ? words.showing : words.show}
      </Button>
    </Form>
  )
}

/** The code for typing, the link for pasting, its picture for cameras. */
function Shown({ offer }: { readonly offer: Offer }) {
  const [copied, setCopied] = useState(false)
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(offer.link)
    setCopied(true)
  }
  return (
    <>
      <ol className={styles['steps']}>
        {words.steps.map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ol>
      <output className={styles['code']} aria-label={words.code} translate="no">
        {offer.code}
      </output>
      <QrCode text={offer.link} label={words.qr} />
      <Button className="plain wide" onPress={() => void copy().catch(() => undefined)}>
        <CopyIcon />
        <span aria-live="polite">{copied ? strings.copied : strings.copy}</span>
      </Button>
      <p className={app['fine']}>{words.until(timeOf(offer.expiresAtMs))}</p>
      <p className={app['fine']}>{words.secret}</p>
      <p role="status">{words.waiting}</p>
    </>
  )
}

/** "Firefox on Linux": enough to tell two devices apart; the person may change it. */
function browserName(): string {
  const agent = navigator.userAgent
  const named = (names: readonly (readonly [mark: string, name: string])[], otherwise: string): string =>
    names.find(([mark]) => agent.includes(mark))?.[1] ?? otherwise
  const browser = named(
    [
      ['Firefox', 'Firefox'],
      ['Edg', 'Edge'],
      ['Chrome', 'Chromium'],
      ['Safari', 'Safari'],
    ],
    'Browser',
  )
  const system = named(
    [
      ['Android', 'Android'],
      ['iPhone', 'iPhone'],
      ['iPad', 'iPad'],
      ['Mac OS', 'Mac'],
      ['Windows', 'Windows'],
      ['CrOS', 'ChromeOS'],
      ['Linux', 'Linux'],
    ],
    '',
  )
  return system === '' ? browser : `${browser} · ${system}`
}
