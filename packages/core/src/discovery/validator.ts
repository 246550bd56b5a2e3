import type { CryptoProvider } from '../crypto/index.ts'
import { UsageError } from '../errors.ts'
import { limits } from '../limits.ts'
import { utf8, equalBytes } from '../wire/index.ts'
import { Marks } from './marks.ts'
import { checkValue, compareMarks, recordPrefix, type Mark, type ValueFault } from './value.ts'

/** What a DHT node asks before it stores or believes a value. Holds no secret. */
export interface RecordValidator {
  /** Undefined when the value may be stored under the key; else why not. An accepted value raises the mark. */
  validate(key: string | Uint8Array, value: Uint8Array): ValueFault | undefined
  /** The index of the value to keep: highest seq, then lower hash. 0 when none is good. */
  select(key: string | Uint8Array, values: readonly Uint8Array[]): number
  /** Keys whose newest value is remembered. */
  readonly marks: number
}

/** How a validator is built; `nowMs` is this node's wall clock. */
export interface ValidatorOptions {
  readonly maxMarks?: number
}

/**
 * Builds a node's validator. It refuses a value older than one it has accepted for the key, whatever the
 * store beneath does with puts, and remembers the `maxMarks` keys used last.
 */
export function createValidator(
  crypto: CryptoProvider,
  nowMs: () => number,
  options: ValidatorOptions = {},
): RecordValidator {
  const maxMarks = options.maxMarks ?? limits.dhtMarks
  if (!Number.isSafeInteger(maxMarks) || maxMarks < 1)
    throw new UsageError('E_RANGE', 'a validator remembers at least one key')
  const marks = new Marks(maxMarks)

  const markOf = (key: string, input: Uint8Array): Mark | ValueFault => {
    const checked = checkValue(crypto, key, input, nowMs())
    return checked.ok ? { seq: checked.value.seq, hash: checked.hash } : checked.reason
  }

  return {
    validate: (rawKey, input) => {
      const key = textKey(rawKey)
      if (key === undefined) return 'wrong-key'
      const mark = markOf(key, input)
      if (typeof mark === 'string') return mark
      return marks.raise(key, mark) ? undefined : 'rollback'
    },
    select: (rawKey, values) => {
      const key = textKey(rawKey)
      if (key === undefined) return 0
      let best: { readonly at: number; readonly mark: Mark } | undefined
      for (const [at, input] of values.entries()) {
        const mark = markOf(key, input)
        if (typeof mark === 'string') continue
        if (best === undefined || compareMarks(mark, best.mark) < 0) best = { at, mark }
      }
      return best?.at ?? 0
    },
    get marks() {
      return marks.size
    },
  }
}

const keyLength = recordPrefix.length + 52

/** A key as text; undefined when it cannot be one of ours. */
function textKey(key: string | Uint8Array): string | undefined {
  if (typeof key === 'string') return key.length === keyLength ? key : undefined
  if (key.length !== keyLength) return undefined
  const text = String.fromCharCode(...key)
  return equalBytes(utf8(text), key) ? text : undefined
}
