import {
  signAs,
  verifyAs,
  type CryptoProvider,
  type Signature,
  type SignKeyPair,
  type SignPublicKey,
} from '../crypto/index.ts'
import type { AccountId } from '../identity/index.ts'
import { concat } from '../wire/index.ts'
import type { ConversationId, OpId } from './op.ts'

/** What an admission is about: who comes in where, by which invite. */
export interface AdmitTerms {
  readonly conversation: ConversationId
  readonly invite: OpId
  readonly account: AccountId
}

const signatureType = 'membership-admit'

/** Proves to hold an invite's key, for one account in one conversation: it admits nobody else, nowhere else. */
export const admitProof = (crypto: CryptoProvider, key: SignKeyPair, about: AdmitTerms): Signature =>
  signAs(crypto, key, signatureType, about.conversation, concat(about.invite, about.account))

/** Whether a proof is one by the invite's key for exactly this admission. */
export const verifyAdmitProof = (
  crypto: CryptoProvider,
  key: SignPublicKey,
  about: AdmitTerms,
  proof: Signature,
): boolean =>
  verifyAs(crypto, key, signatureType, about.conversation, concat(about.invite, about.account), proof)
