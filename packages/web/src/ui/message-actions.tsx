import { useStore } from '@nanostores/react'
import type { MessageView } from '@sotto/core'
import { useEffect, useRef, useState } from 'react'
import { Button, Form, Input, Label, TextField } from 'react-aria-components'
import { DeleteIcon, EditIcon, ReplyIcon } from './icons.tsx'
import type { Model } from './model.ts'
import { react } from './reactions.tsx'
import { errorWords, strings } from './strings.ts'
import styles from './message.module.css'

const words = strings.message
const common = ['👍', '❤️', '😂', '😮', '😢', '🙏']

/** What the person asked for when the actions opened. */
export type ActionsStart = 'first' | 'react' | 'delete'

interface ActionsProps {
  readonly model: Model
  readonly message: MessageView
  readonly start: ActionsStart
  readonly onClose: () => void
  readonly onReply: () => void
  readonly onEdit: () => void
}

/** What can be done with a message, below it. Esc closes. */
export function MessageActions({ model, message, start, onClose, onReply, onEdit }: ActionsProps) {
  const mayDelete = useMayDelete(model, message)
  const [asks, setAsks] = useState(start === 'delete' && mayDelete)
  const [error, setError] = useState<string>()
  const panel = useRef<HTMLDivElement>(null)
  useEffect(() => {
    panel.current?.querySelector<HTMLElement>('button, input')?.focus()
  }, [asks])
  // Braces: what scrolling gives back is no way to end the effect.
  useEffect(() => {
    panel.current?.scrollIntoView({ block: 'nearest' })
  }, [asks, error])
  const run = (work: Promise<unknown>): void => {
    setError(undefined)
    work.then(onClose, (failure: unknown) => setError(errorWords(failure)))
  }
  const remove = async (): Promise<void> => {
    await model.face.dispatch('delete', { messageId: message.messageId })
    model.refresh('history')
    model.refresh('conversations')
  }
  return (
    <div className={styles['actions']} ref={panel} role="group" aria-label={words.actions}>
      {error !== undefined && <p role="alert">{error}</p>}
      {asks ? (
        <>
          <p>{words.deleteAsk}</p>
          <div className={styles['buttons']}>
            <Button className="danger small" onPress={() => run(remove())}>
              {words.deleteDo}
            </Button>
            <Button className="plain small" onPress={onClose}>
              {strings.cancel}
            </Button>
          </div>
        </>
      ) : (
        <>
          <Emoji onReact={(emoji) => run(react(model, message.messageId, emoji))} />
          <div className={styles['buttons']}>
            <Button className="plain small" onPress={onReply}>
              <ReplyIcon />
              {words.reply}
            </Button>
            {message.author.me && (
              <Button className="plain small" onPress={onEdit}>
                <EditIcon />
                {words.edit}
              </Button>
            )}
            {mayDelete && (
              <Button className="plain small" onPress={() => setAsks(true)}>
                <DeleteIcon />
                {words.delete}
              </Button>
            )}
          </div>
        </>
      )}
    </div>
  )
}

/** An own message, or another's where the rules let admins do so. */
function useMayDelete(model: Model, { author }: MessageView): boolean {
  const around = useStore(model.around)
  const role = around?.members.find(({ me }) => me)?.role
  return author.me || (around?.policy?.adminsRedact === true && (role === 'owner' || role === 'admin'))
}

/** A few that are always there, and a field for any other. */
function Emoji({ onReact }: { readonly onReact: (emoji: string) => void }) {
  const [own, setOwn] = useState('')
  return (
    <div className={styles['emoji']}>
      {common.map((emoji) => (
        <Button
          key={emoji}
          className="icon"
          aria-label={words.reactWith(emoji)}
          onPress={() => onReact(emoji)}
        >
          {emoji}
        </Button>
      ))}
      <Form
        className={styles['own'] ?? ''}
        onSubmit={(event) => {
          event.preventDefault()
          if (own.trim() !== '') onReact(own.trim())
        }}
      >
        <TextField className="field" value={own} onChange={setOwn}>
          <Label className="unseen">{words.reactOwn}</Label>
          <Input autoComplete="off" placeholder={words.reactOwn} />
        </TextField>
        <Button type="submit" className="plain small" isDisabled={own.trim() === ''}>
          {words.react}
        </Button>
      </Form>
    </div>
  )
}
