import { useStore } from '@nanostores/react'
import { useCallback, useEffect, useRef, useState } from 'react'
import { Button } from 'react-aria-components'
import type { Tab } from '../create-tab.ts'
import { Sheet } from './dialog.tsx'
import { addPatiently } from './invites.ts'
import type { Model } from './model.ts'
import { forgetInvite, goTo } from './place.ts'
import { errorWords, strings } from './strings.ts'
import styles from './dialog.module.css'

const words = strings.invite

interface InviteProps {
  readonly tab: Tab
  readonly model: Model
  readonly link: string
}

/**
 * The page was opened with an invite. Whoever has just chosen a name has said yes; others are asked. Once the
 * record is fetched, the conversation opens under the inviter's name.
 */
export function InviteDialog({ tab, model, link }: InviteProps) {
  const known = useStore(model.conversations)
  const [step, setStep] = useState<'ask' | 'looking' | 'failed'>('ask')
  const [error, setError] = useState('')
  const [final, setFinal] = useState(false)
  const begun = useRef(false)
  const take = useCallback(async (): Promise<void> => {
    setStep('looking')
    try {
      const { conversationId } = await addPatiently(tab, model, link)
      forgetInvite()
      goTo({ conversationId })
    } catch (failure) {
      setError(errorWords(failure))
      setFinal(!isRetryable(failure))
      setStep('failed')
    }
  }, [tab, model, link])
  useEffect(() => {
    if (begun.current || known?.every(({ kind }) => kind === 'notes') !== true) return
    begun.current = true
    void take()
  }, [known, take])
  const title = { ask: words.title, looking: words.looking, failed: words.failed }[step]
  return (
    <Sheet title={title} onClose={forgetInvite}>
      <div className={styles['part']} aria-live="polite">
        {step === 'ask' && <p>{words.lead}</p>}
        {step === 'looking' && (
          <>
            <p>{words.lookingLead}</p>
            <progress className={styles['progress']} aria-label={words.looking} />
          </>
        )}
        {step === 'failed' && <p role="alert">{error}</p>}
        <div className={styles['row']}>
          {(step === 'ask' || (step === 'failed' && !final)) && (
            <Button className="primary" onPress={() => void take()}>
              {step === 'ask' ? words.accept : strings.tryAgain}
            </Button>
          )}
          <Button className="plain" onPress={forgetInvite}>
            {step === 'failed' ? strings.close : words.later}
          </Button>
        </div>
      </div>
    </Sheet>
  )
}

const isRetryable = (failure: unknown): boolean =>
  typeof failure === 'object' && failure !== null && 'retryable' in failure && failure.retryable === true
