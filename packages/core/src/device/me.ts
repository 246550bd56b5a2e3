import type { CryptoProvider } from '../crypto/index.ts'
import { invariant, UsageError } from '../errors.ts'
import { readCertificate } from '../identity/index.ts'
import { equalBytes } from '../wire/index.ts'
import type { Me, Step } from './context.ts'
import { onlyRow, selfRows, type Self } from './tables.ts'

const prepared = new WeakMap<Self, Me>()

/** The keys behind a self row; made once for each row. */
export function prepareMe(crypto: CryptoProvider, self: Self): Me {
  const known = prepared.get(self)
  if (known !== undefined) return known
  const certificate = readCertificate(crypto, self.certificate)
  invariant(certificate, 'E_SELF', 'the own certificate does not verify')
  const me: Me = {
    self,
    certificate,
    identity: crypto.signKeyPair(self.identitySeed.expose()),
    agreement: crypto.dhKeyPair(self.exchangeSeed.expose()),
    transport: crypto.signKeyPair(self.transportSeed.expose()),
    discovery: crypto.signKeyPair(self.discoverySeed.expose()),
  }
  prepared.set(self, me)
  return me
}

/** This device's keys, or undefined before the account exists. */
export function findMe(step: Step): Me | undefined {
  const self = step.tx.get(selfRows, onlyRow)
  return self === undefined ? undefined : prepareMe(step.context.crypto, self)
}

/** This device's keys. Throws a UsageError when there is no account yet. */
export function requireMe(step: Step): Me {
  const me = findMe(step)
  if (me === undefined)
    throw new UsageError('E_NO_ACCOUNT', 'this home has no account yet', { hint: 'sotto init --name NAME' })
  return me
}

/** Whether something is this account's own. */
export const isOwn = (step: Step, { account }: { readonly account: Uint8Array }): boolean =>
  equalBytes(account, requireMe(step).self.account)
