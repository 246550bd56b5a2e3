import { useEffect, useRef, useState } from 'react'
import { Button } from 'react-aria-components'
import { errorWords, strings } from './strings.ts'
import styles from './dialog.module.css'

interface AskProps {
  /** On the first button. */
  readonly label: string
  /** Its name for those who do not see what stands beside it, when that is longer. */
  readonly name?: string
  readonly question: string
  /** On the second button, which does it. */
  readonly action: string
  readonly run: () => Promise<unknown>
}

/** A button that asks once before it does something that cannot be undone. */
export function Ask({ label, name, question, action, run }: AskProps) {
  const [step, setStep] = useState<'idle' | 'asked' | 'busy'>('idle')
  const [error, setError] = useState<string>()
  const second = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    if (step === 'asked') second.current?.focus()
  }, [step])
  const go = async (): Promise<void> => {
    setStep('busy')
    setError(undefined)
    try {
      await run()
      setStep('idle')
    } catch (failure) {
      setError(errorWords(failure))
      setStep('asked')
    }
  }
  if (step === 'idle')
    return (
      <Button className="plain small" aria-label={name ?? label} onPress={() => setStep('asked')}>
        {label}
      </Button>
    )
  return (
    <div className={styles['ask']} role="group" aria-label={name ?? label}>
      <p>{question}</p>
      {error !== undefined && <p role="alert">{error}</p>}
      <div className={styles['row']}>
        <Button ref={second} className="danger small" isDisabled={step === 'busy'} onPress={() => void go()}>
          {action}
        </Button>
        <Button className="plain small" isDisabled={step === 'busy'} onPress={() => setStep('idle')}>
          {strings.cancel}
        </Button>
      </div>
    </div>
  )
}
