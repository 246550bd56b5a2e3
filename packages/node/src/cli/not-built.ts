import { UsageError } from '@sotto/core/ports'

/** Verbs that have their name already and their work not yet. */
export const notBuiltVerbs = ['search', 'backup'] as const

/** What they answer. */
export const notBuilt = (what: string): UsageError =>
  new UsageError('E_NOT_BUILT', `${what} is not built yet`, {
    hint: 'This version has text messages, to people and to groups.',
  })
