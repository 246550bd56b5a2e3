import { useStore } from '@nanostores/react'
import { useEffect, useRef, useState } from 'react'
import type { Model } from './model.ts'
import { noticeWords } from './notices.ts'
import { strings } from './strings.ts'
import { useNames } from './use-names.ts'

/** Tells a screen reader, politely, of the message that came last, and of the last notice in the open chat. */
export function Announcer({ model }: { readonly model: Model }) {
  const message = useStore(model.arrived)
  const notice = useLastNotice(model)
  const text = message?.text ?? undefined
  return (
    <>
      <p className="unseen" role="status" aria-live="polite">
        {message !== undefined && text !== undefined
          ? strings.conversation.arrived(message.author.name, text)
          : ''}
      </p>
      <p className="unseen" role="status" aria-live="polite">
        {notice}
      </p>
    </>
  )
}

/** The newest line, once it came while the conversation was open: what stood there before is read, not told. */
function useLastNotice(model: Model): string {
  const around = useStore(model.around)
  const names = useNames(model)
  const known = useRef<{ readonly conversationId: string; readonly seq: number }>(undefined)
  const [told, setTold] = useState('')
  useEffect(() => {
    const last = around?.audit.at(-1)
    if (around === undefined) {
      setTold('')
      return
    }
    const { conversationId } = around
    const seq = last?.seq ?? 0
    if (known.current?.conversationId !== conversationId) setTold('')
    else if (last !== undefined && seq > known.current.seq) setTold(noticeWords(last, names))
    known.current = { conversationId, seq }
  }, [around, names])
  return told
}
