import type { Model } from './model.ts'
import { $place, goTo, leave } from './place.ts'
import { strings } from './strings.ts'

interface Binding {
  /** As the sheet shows it. */
  readonly keys: string
  readonly words: string
  readonly matches?: (event: KeyboardEvent) => boolean
  readonly run?: (model: Model) => void
}

const plain = (event: KeyboardEvent): boolean => !event.ctrlKey && !event.altKey && !event.metaKey
const ctrl = (event: KeyboardEvent, key: string): boolean =>
  (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === key
const alt = (event: KeyboardEvent, key: string): boolean =>
  event.altKey && !event.ctrlKey && !event.shiftKey && event.key.toLowerCase() === key
const writing = (event: KeyboardEvent): boolean =>
  event.target instanceof HTMLElement && /^(INPUT|TEXTAREA)$/.test(event.target.tagName)

/** Every shortcut: this table feeds the handler and the sheet. */
export const bindings: readonly Binding[] = [
  {
    keys: 'Alt + ↓',
    words: strings.keys.next,
    matches: (event) => alt(event, 'arrowdown'),
    run: (model) => step(model, 1),
  },
  {
    keys: 'Alt + ↑',
    words: strings.keys.previous,
    matches: (event) => alt(event, 'arrowup'),
    run: (model) => step(model, -1),
  },
  {
    keys: 'Ctrl + M',
    words: strings.keys.composer,
    matches: (event) => ctrl(event, 'm'),
    run: focusComposer,
  },
  {
    keys: 'Alt + N',
    words: strings.keys.add,
    matches: (event) => alt(event, 'n'),
    run: () => goTo({ dialog: 'add' }),
  },
  {
    keys: 'Alt + G',
    words: strings.keys.group,
    matches: (event) => alt(event, 'g'),
    run: () => goTo({ dialog: 'new-group' }),
  },
  {
    keys: 'Esc',
    words: strings.keys.close,
    // A dialog closes itself.
    matches: (event) => event.key === 'Escape' && plain(event) && $place.get().dialog === undefined,
    run: () => {
      if ($place.get().conversationId !== undefined) leave()
    },
  },
  {
    keys: 'Ctrl + /',
    words: strings.keys.sheet,
    matches: (event) => ctrl(event, '/') || (event.key === '?' && plain(event) && !writing(event)),
    run: () => goTo({ dialog: 'keys' }),
  },
  { keys: 'Enter', words: strings.keys.send },
  { keys: 'Shift + Enter', words: strings.keys.line },
  { keys: '↑', words: strings.keys.editLast },
  { keys: '↑ ↓', words: strings.keys.messages },
  { keys: 'R', words: strings.keys.reply },
  { keys: 'E', words: strings.keys.react },
  { keys: 'D', words: strings.keys.remove },
]

/** Listens until the result is called. */
export function bindKeys(model: Model): () => void {
  const hear = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing) return
    const binding = bindings.find(({ matches }) => matches?.(event))
    if (binding?.run === undefined) return
    event.preventDefault()
    binding.run(model)
  }
  document.addEventListener('keydown', hear)
  return () => document.removeEventListener('keydown', hear)
}

function step(model: Model, by: number): void {
  const conversations = model.conversations.get() ?? []
  const now = conversations.findIndex((one) => one.conversationId === $place.get().conversationId)
  const next = now < 0 ? (by > 0 ? 0 : conversations.length - 1) : now + by
  const target = conversations[next]
  if (target !== undefined) goTo({ conversationId: target.conversationId, dialog: undefined })
}

function focusComposer(): void {
  document.querySelector<HTMLTextAreaElement>('textarea[data-composer]')?.focus()
}
