/** A device that can hold sessions, made from a seed; in any environment. */
import type { CryptoProvider } from '../../packages/core/src/crypto/index.ts'
import {
  createAccount,
  findPrekeys,
  issueCertificate,
  noPrekeys,
  publishBundle,
  rotatePrekeys,
  type Account,
  type KeyBundle,
} from '../../packages/core/src/identity/index.ts'
import { seededRandom } from '../../packages/core/src/memory/index.ts'
import type { BundlePrekeys, OwnDevice } from '../../packages/core/src/session/index.ts'

/** A moment all session tests start at. */
export const startMs = 1_760_000_000_000
const hourMs = 3_600_000
export const dayMs = 24 * hourMs

export interface TestDevice {
  readonly account: Account
  readonly own: OwnDevice
  readonly bundle: KeyBundle
  readonly prekeys: BundlePrekeys
}

/** A device with its account, certificate and one published bundle, all from the seed. */
export function makeDevice(crypto: CryptoProvider, seed: string, suite = 1, minSuite = 1): TestDevice {
  const random = seededRandom(crypto, `device/${seed}`)
  const account = createAccount(crypto, crypto.signKeyPair(random.bytes(32)).publicKey, random.bytes(32))
  const keys = {
    identity: crypto.signKeyPair(random.bytes(32)),
    agreement: crypto.dhKeyPair(random.bytes(32)),
  }
  const certificate = issueCertificate(crypto, account.id, keys, {
    transportKey: crypto.signKeyPair(random.bytes(32)).publicKey,
    suite,
    minSuite,
    notBeforeMs: startMs,
    notAfterMs: startMs + 45 * dayMs,
  })
  const seeds = { dh: random.bytes(32), kem: random.bytes(64) }
  const rotated = rotatePrekeys(crypto, noPrekeys, seeds, startMs).prekeys
  const contact = { addresses: [], relays: [], intro: null }
  const { prekeys, bundle } = publishBundle(crypto, rotated, keys.identity, certificate, contact)
  const found = findPrekeys(prekeys, bundle.hash.subarray(0, 8))
  if (found === undefined) throw new Error('a published bundle is found')
  return { account, own: { certificate, keys }, bundle, prekeys: found }
}
