import { kdf, noSalt, type CryptoProvider } from '../crypto/index.ts'
import { compareBytes, concat, encodeCbor, type Cbor } from '../wire/index.ts'
import type { AccountId, LogOpId } from './ids.ts'

/**
 * The safety number of two accounts: 60 digits that both sides compute alike and that no change of devices
 * moves (docs/protocol/identity.md §8).
 */
export function safetyNumber(crypto: CryptoProvider, a: AccountId, b: AccountId): string {
  const [first, second] = compareBytes(a, b) <= 0 ? [a, b] : [b, a]
  return digits(kdf(crypto, noSalt, concat(first, second), 'safety-number', [], 60))
}

/** An account as one side sees it: its id and the heads of its device log. */
export interface SeenAccount {
  readonly account: AccountId
  readonly heads: readonly LogOpId[]
}

/**
 * The device state of two accounts: 30 digits, equal when both sides see the same device logs. It changes
 * with every device; a difference that lasts after both have synced is an equivocation.
 */
export function deviceState(crypto: CryptoProvider, a: SeenAccount, b: SeenAccount): string {
  const sides = [a, b].sort((x, y) => compareBytes(x.account, y.account))
  const content: Cbor = sides.map(({ account, heads }) => [account, [...heads].sort(compareBytes)])
  return digits(kdf(crypto, noSalt, encodeCbor(content), 'dev-state', [], 30))
}

/** Each five bytes, big-endian, modulo 100,000 give five digits. */
function digits(bytes: Uint8Array): string {
  let out = ''
  for (let at = 0; at < bytes.length; at += 5) {
    let value = 0
    for (const byte of bytes.subarray(at, at + 5)) value = value * 256 + byte
    out += String(value % 100_000).padStart(5, '0')
  }
  return out
}
