import { PortError, SottoError } from '../../src/errors.ts'

const noSpace = /no space left|not enough space|disk full|quota/i
const codes: Readonly<Record<string, string>> = {
  LEVEL_LOCKED: 'E_STORE_LOCKED',
  LEVEL_CORRUPTION: 'E_STORE_CORRUPT',
  LEVEL_DATABASE_NOT_OPEN: 'E_STORE_CLOSED',
  LEVEL_ITERATOR_NOT_OPEN: 'E_STORE_CLOSED',
}

const told: Readonly<Record<string, readonly [message: string, hint: string]>> = {
  E_STORE_LOCKED: ['Another process has this store open.', 'Close the other Sotto that uses this profile.'],
  E_STORE_CORRUPT: ['The database is damaged.', 'Restore a backup, or link this device again.'],
  E_STORE_CLOSED: ['The store is closed.', ''],
  E_STORE_FULL: ['The disk is full.', 'Free some space; nothing was lost.'],
  E_STORE_IO: ['The disk did not do what it was told.', 'Check the disk, then start Sotto again.'],
}

const retryable = new Set(['E_STORE_LOCKED', 'E_STORE_FULL'])

/** The PortError for whatever a database threw; the innermost cause decides. */
export function storeError(error: unknown): SottoError {
  if (error instanceof SottoError) return error
  const code = codeOf(error)
  const [message, hint] = told[code] ?? ['', '']
  return new PortError(code, message, { cause: error, hint, retryable: retryable.has(code) })
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'E_STORE_IO'
  if (error.cause instanceof Error) return codeOf(error.cause)
  if (noSpace.test(error.message) || noSpace.test(error.name)) return 'E_STORE_FULL'
  const { code } = error as { code?: unknown }
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'E_STORE_FULL'
  return typeof code === 'string' ? (codes[code] ?? 'E_STORE_IO') : 'E_STORE_IO'
}

/** Runs work on a database; what it throws becomes a PortError. */
export async function asStore<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw storeError(error)
  }
}
