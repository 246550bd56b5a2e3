export { blindPublic } from './blind.ts'
export { createProvider } from './guard.ts'
export { commitTo, idOf, kdf, kdfEach, kdfInfo, noSalt, signAs, signBlindedAs, verifyAs } from './labels.ts'
export { sizes } from './keys.ts'
export type {
  DhKeyPair,
  DhPublicKey,
  KemCiphertext,
  KemKeyPair,
  KemPublicKey,
  SignKeyPair,
  SignPublicKey,
  Signature,
} from './keys.ts'
export { nobleProvider } from './noble.ts'
export type { CryptoPrimitives } from './primitives.ts'
export type { CryptoProvider, PasswordCost } from './provider.ts'
export { Secret } from './secret.ts'
export { pad, paddedLength, unpad } from './pad.ts'
export { pakeKey, pakeSeedBytes, pakeShare, pakeShareBytes } from './pake.ts'
export type { PakeShare, PakeTerms } from './pake.ts'
export { decodeWords, encodeWords } from './words.ts'
export type { DecodedWords, WordsFailure } from './words.ts'
