import { useStore } from '@nanostores/react'
import type { HistoryChoice } from '@sotto/core'
import { useEffect, useRef, useState } from 'react'
import {
  Button,
  FieldError,
  Form,
  Input,
  Label,
  RadioButton,
  RadioField,
  RadioGroup,
  TextField,
} from 'react-aria-components'
import { Compare } from './compare.tsx'
import { Sheet } from './dialog.tsx'
import type { Model } from './model.ts'
import { goTo } from './place.ts'
import { Scan } from './scan.tsx'
import { errorWords, strings } from './strings.ts'
import styles from './dialog.module.css'
import lists from './lists.module.css'

const words = strings.link
const someDays = 30
const mismatch = { code: 'E_LINK_MISMATCH' }

type Step =
  | { readonly at: 'enter'; readonly error?: string }
  | { readonly at: 'finding' }
  | {
      readonly at: 'compare' | 'confirming'
      readonly emoji: readonly string[]
      readonly deviceName: string
    }
  | { readonly at: 'done'; readonly deviceName: string }

/** At a device of the account: takes in the device behind a code, once a person has compared the pictures. */
export function ApproveDialog({ model, onClose }: { readonly model: Model; readonly onClose: () => void }) {
  const [step, setStep] = useState<Step>({ at: 'enter' })
  const [code, setCode] = useState('')
  const [history, setHistory] = useState('all')
  useFailure(model, step, setStep)
  const find = async (): Promise<void> => {
    setStep({ at: 'finding' })
    model.link.set(undefined)
    try {
      const found = await model.face.dispatch('link-approve', {
        code: code.trim(),
        history: choiceOf(history),
      })
      setStep({ at: 'compare', ...found })
    } catch (failure) {
      setStep({ at: 'enter', error: errorWords(failure) })
    }
  }
  const answer = async (match: boolean): Promise<void> => {
    if (step.at !== 'compare') return
    const { deviceName } = step
    setStep({ ...step, at: 'confirming' })
    try {
      await model.face.dispatch('link-confirm', { match })
      model.refresh('devices')
      if (match) setStep({ at: 'done', deviceName: deviceName === '' ? strings.devices.unnamed : deviceName })
      else setStep({ at: 'enter', error: errorWords(mismatch) })
    } catch (failure) {
      setStep({ at: 'enter', error: errorWords(match ? failure : mismatch) })
    }
  }
  const close = (): void => {
    // Whoever leaves while the pictures are shown has not said that they match.
    if (step.at === 'compare')
      void model.face.dispatch('link-confirm', { match: false }).catch(() => undefined)
    onClose()
  }
  const titles = { compare: words.compareTitle, confirming: words.compareTitle, done: words.doneTitle }
  const title = step.at === 'enter' || step.at === 'finding' ? words.approveTitle : titles[step.at]
  return (
    <Sheet title={title} onClose={close}>
      <div className={styles['part']}>
        {(step.at === 'enter' || step.at === 'finding') && (
          <Enter
            code={code}
            history={history}
            error={step.at === 'enter' ? step.error : undefined}
            isBusy={step.at === 'finding'}
            onCode={setCode}
            onHistory={setHistory}
            onFind={() => void find()}
          />
        )}
        {(step.at === 'compare' || step.at === 'confirming') && (
          <Compare
            emoji={step.emoji}
            other={step.deviceName === '' ? words.otherDevice : step.deviceName}
            isBusy={step.at === 'confirming'}
            onAnswer={(match) => void answer(match)}
          />
        )}
        {step.at === 'done' && (
          <>
            <p role="status">
              {words.done(step.deviceName)} {words.doneLead}
            </p>
            <Button className="primary" autoFocus onPress={() => goTo({ dialog: 'devices' })}>
              {words.finish}
            </Button>
          </>
        )}
      </div>
    </Sheet>
  )
}

/** The other device may give up at any time. */
function useFailure(model: Model, step: Step, setStep: (step: Step) => void): void {
  const event = useStore(model.link)
  const heard = useRef(event)
  useEffect(() => {
    if (event === heard.current) return
    heard.current = event
    if (event?.state === 'failed' && (step.at === 'compare' || step.at === 'confirming'))
      setStep({ at: 'enter', error: errorWords(event) })
  }, [event, step, setStep])
}

function choiceOf(history: string): HistoryChoice {
  if (history === 'days') return { days: someDays }
  return history === 'none' ? 'none' : 'all'
}

interface EnterProps {
  readonly code: string
  readonly history: string
  readonly error: string | undefined
  readonly isBusy: boolean
  readonly onCode: (code: string) => void
  readonly onHistory: (history: string) => void
  readonly onFind: () => void
}

function Enter({ code, history, error, isBusy, onCode, onHistory, onFind }: EnterProps) {
  const choices = [
    ['all', words.historyAll],
    ['days', words.historyDays(someDays)],
    ['none', words.historyNone],
  ] as const
  return (
    <Form
      className={styles['part'] ?? ''}
      onSubmit={(event) => {
        event.preventDefault()
        if (code.trim() !== '' && !isBusy) onFind()
      }}
    >
      <p>{words.approveLead}</p>
      <TextField
        className="field"
        value={code}
        onChange={onCode}
        isInvalid={error !== undefined}
        validationBehavior="aria"
        isDisabled={isBusy}
        autoFocus
      >
        <Label>{words.enter}</Label>
        <Input autoComplete="off" autoCapitalize="characters" spellCheck="false" />
        <FieldError>{error}</FieldError>
      </TextField>
      <Scan isDisabled={isBusy} onText={onCode} />
      <RadioGroup className={lists['choices'] ?? ''} value={history} onChange={onHistory} isDisabled={isBusy}>
        <Label>{words.history}</Label>
        {choices.map(([value, label]) => (
          <RadioField key={value} value={value}>
            <RadioButton className={lists['choice'] ?? ''}>
              <span className={lists['dot']} aria-hidden="true" />
              <span>{label}</span>
            </RadioButton>
          </RadioField>
        ))}
      </RadioGroup>
      <Button type="submit" className="primary wide" isDisabled={isBusy || code.trim() === ''}>
        <span aria-live="polite">{isBusy ? words.finding : words.find}</span>
      </Button>
    </Form>
  )
}
