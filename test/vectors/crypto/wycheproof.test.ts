/** C2SP Wycheproof, every file: what the provider offers runs on all of them, the rest on what Sotto uses. */
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import { expect } from 'chai'
import { createCipheriv, createDecipheriv, webcrypto } from 'node:crypto'
import { hkdf } from '../../../packages/core/src/crypto/hkdf.ts'
import type {
  CryptoProvider,
  DhPublicKey,
  KemCiphertext,
  KemPublicKey,
  SignPublicKey,
  Signature,
} from '../../../packages/core/src/crypto/index.ts'
import { providers } from '../../support/providers.ts'
import { fromHex, hex, readVectors } from '../../support/vectors.ts'

interface Case {
  readonly tcId: number
  readonly flags?: readonly string[]
  readonly result: 'valid' | 'invalid' | 'acceptable'
}
interface File<G, C> {
  readonly numberOfTests: number
  readonly testGroups: readonly (G & { readonly tests: readonly (C & Case)[] })[]
}
interface AeadCase {
  readonly key: string
  readonly iv: string
  readonly aad: string
  readonly msg: string
  readonly ct: string
  readonly tag: string
}

let seen = 0

/** Every case of a file, with its group; the file's own count is held to. */
function cases<C, G = unknown>(context: Mocha.Context, name: string): (C & Case & { readonly group: G })[] {
  const file = readVectors<File<G, C>>(context, `wycheproof/${name}_test.json`)
  const all = file.testGroups.flatMap((group) => group.tests.map((test) => ({ ...test, group })))
  expect(all.length).to.equal(file.numberOfTests)
  seen += all.length
  return all
}

const each = (ask: (crypto: CryptoProvider) => void): void => {
  for (const crypto of providers) ask(crypto)
}

/** What fails on a wrong own length throws; here that is a refusal like any other. */
function refused<T>(ask: () => T | undefined): boolean {
  try {
    return ask() === undefined
  } catch {
    return true
  }
}

describe('Wycheproof', () => {
  it('1: X25519, low-order and non-canonical keys refused', function () {
    const computed = { valid: 0, refused: 0 }
    for (const test of cases<{ public: string; private: string; shared: string }>(this, 'x25519'))
      each((crypto) => {
        const own = crypto.dhKeyPair(fromHex(test.private))
        const shared = crypto.dh(own, fromHex(test.public) as DhPublicKey)
        const flags = test.flags ?? []
        const bad = flags.includes('ZeroSharedSecret') || flags.includes('NonCanonicalPublic')
        const expected = bad ? undefined : test.shared
        expect(shared && hex(shared), `${crypto.name} ${test.tcId}`).to.equal(expected)
        computed[bad ? 'refused' : 'valid']++
      })
    expect(computed).to.deep.equal({ valid: 474 * providers.length, refused: 44 * providers.length })
  })

  it('3: Ed25519', function () {
    type Group = { publicKey: { pk: string } }
    for (const { tcId, msg, sig, result, group } of cases<{ msg: string; sig: string }, Group>(this, 'ed25519'))
      each((crypto) => {
        const valid = crypto.verify(
          fromHex(group.publicKey.pk) as SignPublicKey,
          fromHex(msg),
          fromHex(sig) as Signature,
        )
        expect(valid, `${crypto.name} ${tcId}`).to.equal(result === 'valid')
      })
  })

  it('4: XChaCha20-Poly1305', function () {
    for (const { tcId, key, iv, aad, msg, ct, tag, result } of cases<AeadCase>(this, 'xchacha20_poly1305'))
      each((crypto) => {
        const [k, n, ad] = [fromHex(key), fromHex(iv), fromHex(aad)]
        const opened = crypto.open(k, n, fromHex(ct + tag), ad)
        expect(opened && hex(opened), `${crypto.name} ${tcId}`).to.equal(result === 'valid' ? msg : undefined)
        if (result === 'valid') expect(hex(crypto.seal(k, n, fromHex(msg), ad))).to.equal(ct + tag)
        else if (n.length !== 24) expect(refused(() => crypto.seal(k, n, fromHex(msg), ad))).to.equal(true)
      })
  })

  it('ChaCha20-Poly1305, the cipher under the extended nonce of long texts', function () {
    for (const { tcId, key, iv, aad, msg, ct, tag, result } of cases<AeadCase>(this, 'chacha20_poly1305')) {
      if (iv.length !== 24) continue
      const [k, n, ad] = [fromHex(key), fromHex(iv), fromHex(aad)]
      const options = { authTagLength: 16 }
      const opened = (): string => {
        const cipher = createDecipheriv('chacha20-poly1305', k, n, options)
        cipher.setAAD(ad, { plaintextLength: ct.length / 2 }).setAuthTag(fromHex(tag))
        return hex(cipher.update(fromHex(ct))) + hex(cipher.final())
      }
      if (result !== 'valid') expect(opened, String(tcId)).to.throw()
      else {
        expect(opened(), String(tcId)).to.equal(msg)
        const cipher = createCipheriv('chacha20-poly1305', k, n, options)
        cipher.setAAD(ad, { plaintextLength: msg.length / 2 })
        expect(hex(cipher.update(fromHex(msg))) + hex(cipher.final())).to.equal(ct)
        expect(hex(cipher.getAuthTag())).to.equal(tag)
      }
    }
  })

  it('AES-GCM, the cipher of a key that WebCrypto will not give out', async function () {
    for (const { tcId, key, iv, aad, msg, ct, tag, result } of cases<AeadCase>(this, 'aes_gcm')) {
      const k = await webcrypto.subtle.importKey('raw', fromHex(key), 'AES-GCM', false, ['decrypt', 'encrypt'])
      const parameters = { name: 'AES-GCM', iv: fromHex(iv), additionalData: fromHex(aad) }
      const opened = await webcrypto.subtle.decrypt(parameters, k, fromHex(ct + tag)).catch(() => undefined)
      // Nonces that are not 12 bytes long nobody uses here: a platform may refuse them, not misread them.
      if (opened === undefined && iv.length !== 24) continue
      expect(opened && hex(new Uint8Array(opened)), String(tcId)).to.equal(result === 'valid' ? msg : undefined)
      if (result !== 'valid') continue
      const sealed = await webcrypto.subtle.encrypt(parameters, k, fromHex(msg))
      expect(hex(new Uint8Array(sealed)), String(tcId)).to.equal(ct + tag)
    }
  })

  it('HKDF-SHA-256', function () {
    type C = { ikm: string; salt: string; info: string; size: number; okm: string }
    for (const { tcId, ikm, salt, info, size, okm, result } of cases<C>(this, 'hkdf_sha256'))
      each((crypto) => {
        const derive = (): Uint8Array => hkdf(crypto, fromHex(salt), fromHex(ikm), fromHex(info), size)
        if (result === 'valid') expect(hex(derive()), `${crypto.name} ${tcId}`).to.equal(okm)
        else expect(derive, `${crypto.name} ${tcId}`).to.throw()
      })
  })

  it('HMAC-SHA-256', function () {
    for (const { tcId, key, msg, tag, result } of cases<{ key: string; msg: string; tag: string }>(
      this,
      'hmac_sha256',
    ))
      each((crypto) => {
        const mac = hex(crypto.hmacSha256(fromHex(key), fromHex(msg))).slice(0, tag.length)
        expect(mac === tag, `${crypto.name} ${tcId}`).to.equal(result === 'valid')
      })
  })

  it('ML-KEM-768: key generation from a seed', function () {
    for (const { tcId, seed, ek, dk } of cases<{ seed: string; ek: string; dk: string }>(this, 'mlkem_768_keygen_seed')) {
      expect(hex(ml_kem768.keygen(fromHex(seed)).secretKey), String(tcId)).to.equal(dk)
      each((crypto) =>
        expect(hex(crypto.kemKeyPair(fromHex(seed)).publicKey), `${crypto.name} ${tcId}`).to.equal(ek),
      )
    }
  })

  it('5: ML-KEM-768: encapsulation, keys that are not reduced refused', function () {
    type C = { ek: string; m: string; c: string; K: string }
    for (const { tcId, ek, m, c, K, result } of cases<C>(this, 'mlkem_768_encaps'))
      each((crypto) => {
        const made = crypto.kemEncapsulate(fromHex(ek) as KemPublicKey, fromHex(m))
        const expected = result === 'valid' ? [c, K] : undefined
        expect(made && [hex(made.ciphertext), hex(made.sharedSecret)], `${crypto.name} ${tcId}`).to.deep.equal(
          expected,
        )
      })
  })

  it('5: ML-KEM-768: decapsulation, wrong lengths refused, wrong ciphertexts answered', function () {
    type C = { seed: string; ek?: string; c: string; K: string }
    for (const { tcId, seed, ek, c, K, result } of cases<C>(this, 'mlkem_768'))
      each((crypto) => {
        const label = `${crypto.name} ${tcId}`
        const open = (): Uint8Array | undefined =>
          crypto.kemDecapsulate(crypto.kemKeyPair(fromHex(seed)), fromHex(c) as KemCiphertext)
        if (result === 'invalid') return expect(refused(open), label).to.equal(true)
        if (ek !== undefined) expect(hex(crypto.kemKeyPair(fromHex(seed)).publicKey), label).to.equal(ek)
        return expect(hex(open()!), label).to.equal(K)
      })
  })

  it('ML-KEM-768: expanded keys, which only the oracle takes', function () {
    type C = { dk: string; c: string; K: string }
    for (const { tcId, dk, c, K, result } of cases<C>(this, 'mlkem_768_semi_expanded_decaps')) {
      const open = (): Uint8Array => ml_kem768.decapsulate(fromHex(c), fromHex(dk))
      if (result === 'valid') expect(hex(open()), String(tcId)).to.equal(K)
      else expect(open, String(tcId)).to.throw()
    }
  })

  it('were 2,452 cases', function () {
    readVectors(this, 'wycheproof/x25519_test.json')
    expect(seen).to.equal(2452)
  })
})
