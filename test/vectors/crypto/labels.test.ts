/** Our own known answers: what the wire depends on must not change unnoticed. Binary values are hex. */
import { expect } from 'chai'
import { readFileSync } from 'node:fs'
import {
  blindPublic,
  commitTo,
  encodeWords,
  idOf,
  kdf,
  noSalt,
  pad,
  signAs,
  signBlindedAs,
  type CryptoProvider,
} from '../../../packages/core/src/crypto/index.ts'
import { providers } from '../../support/providers.ts'
import { fromHex, hex } from '../../support/vectors.ts'

interface Vectors {
  readonly inputs: Readonly<
    Record<'seed' | 'kemSeed' | 'blindKey' | 'blindContext' | 'context' | 'content' | 'type' | 'purpose', string>
  >
  readonly outputs: Readonly<Record<string, string>>
}

const { inputs, outputs } = JSON.parse(
  readFileSync(new URL('./labels.json', import.meta.url), 'utf8'),
) as Vectors
const { type, purpose } = inputs
const [seed, kemSeed, context, content] = [
  fromHex(inputs.seed),
  fromHex(inputs.kemSeed),
  fromHex(inputs.context),
  fromHex(inputs.content),
]
const [blindKey, blindContext] = [fromHex(inputs.blindKey), fromHex(inputs.blindContext)]

function compute(crypto: CryptoProvider): Record<string, string> {
  const own = crypto.signKeyPair(seed)
  const kem = crypto.kemKeyPair(kemSeed)
  const made = crypto.kemEncapsulate(kem.publicKey, seed)!
  return {
    kdf: hex(kdf(crypto, noSalt, seed, purpose, [context, 7, 'text'], 64)),
    signPublic: hex(own.publicKey),
    signAs: hex(signAs(crypto, own, type, context, content)),
    idOf: hex(idOf(crypto, type, content)),
    commitTo: hex(commitTo(crypto, seed, content)),
    blindPublic: hex(blindPublic(own.publicKey, blindKey, blindContext)!),
    signBlindedAs: hex(signBlindedAs(own, blindKey, blindContext, type, context, content)),
    dhPublic: hex(crypto.dhKeyPair(seed).publicKey),
    kemPublicHash: hex(crypto.sha256(kem.publicKey)),
    kemCiphertextHash: hex(crypto.sha256(made.ciphertext)),
    kemSharedSecret: hex(made.sharedSecret),
    seal: hex(crypto.seal(seed, seed.subarray(0, 24), content, context)),
    argon2id: hex(crypto.argon2id(content, seed.subarray(0, 16), { memoryKiB: 256, passes: 3 })),
    padHash: hex(crypto.sha256(pad(content))),
    words: encodeWords(seed).join(' '),
  }
}

describe('known answers of the labels', () => {
  for (const crypto of providers)
    it(`on ${crypto.name}`, () => {
      expect(compute(crypto)).to.deep.equal(outputs)
    })
})
