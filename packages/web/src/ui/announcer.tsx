import { useStore } from '@nanostores/react'
import type { Model } from './model.ts'
import { strings } from './strings.ts'

/** Tells a screen reader, politely, of the message that came last. */
export function Announcer({ model }: { readonly model: Model }) {
  const message = useStore(model.arrived)
  const text = message?.text ?? undefined
  return (
    <p className="unseen" role="status" aria-live="polite">
      {message !== undefined && text !== undefined
        ? strings.conversation.arrived(message.author.name, text)
        : ''}
    </p>
  )
}
