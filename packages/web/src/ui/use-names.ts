import { useStore } from '@nanostores/react'
import { useMemo } from 'react'
import type { Model } from './model.ts'
import { namesIn, type Names } from './names.ts'

/** The names of everybody in the open conversation, or who was. */
export function useNames(model: Model): Names {
  const self = useStore(model.self)
  const contacts = useStore(model.contacts)
  const members = useStore(model.around)?.members
  const messages = useStore(model.history)?.messages
  return useMemo(
    () => namesIn({ self, contacts, members: members ?? [], messages: messages ?? [] }),
    [self, contacts, members, messages],
  )
}
