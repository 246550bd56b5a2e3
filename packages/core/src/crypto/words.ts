import { entropyToMnemonic, mnemonicToEntropy } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { UsageError } from '../errors.ts'

const entropyBytes = 32
const wordCount = 24
const known = new Set(wordlist)

/** What is wrong with words somebody typed; `at` counts from 0. */
export type WordsFailure =
  | { readonly reason: 'count'; readonly words: number }
  | { readonly reason: 'unknown-word'; readonly at: number }
  | { readonly reason: 'checksum' }

/** Words read, or the reason why not. */
export type DecodedWords =
  { readonly ok: true; readonly value: Uint8Array } | ({ readonly ok: false } & WordsFailure)

/** The 24 English words of 32 bytes (BIP-39; eight bits of checksum). */
export function encodeWords(entropy: Uint8Array): readonly string[] {
  if (entropy.length !== entropyBytes)
    throw new UsageError('E_LENGTH', 'recovery words stand for 32 bytes', {
      detail: { expected: entropyBytes, actual: entropy.length },
    })
  return entropyToMnemonic(entropy, wordlist).split(' ')
}

/** Reads what `encodeWords` gave; case and white space do not matter. */
export function decodeWords(typed: string): DecodedWords {
  const words = typed
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
  if (words.length !== wordCount) return { ok: false, reason: 'count', words: words.length }
  const at = words.findIndex((word) => !known.has(word))
  if (at >= 0) return { ok: false, reason: 'unknown-word', at }
  try {
    return { ok: true, value: mnemonicToEntropy(words.join(' '), wordlist) }
  } catch {
    return { ok: false, reason: 'checksum' }
  }
}
