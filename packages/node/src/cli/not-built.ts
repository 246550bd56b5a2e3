import { UsageError } from '@sotto/core/ports'

/** Verbs that have their name already and their work not yet. */
export const notBuiltVerbs = [
  'group',
  'devices',
  'edit',
  'delete',
  'react',
  'export',
  'search',
  'backup',
  'audit',
] as const

/** What they answer. */
export const notBuilt = (what: string): UsageError =>
  new UsageError('E_NOT_BUILT', `${what} is not built yet`, {
    hint: 'This version has one-to-one text messages.',
  })
