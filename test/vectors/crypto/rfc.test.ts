/** The examples the standards print, on every provider. */
import { argon2id } from '@noble/hashes/argon2.js'
import { expect } from 'chai'
import { blindPublic, blindSign } from '../../../packages/core/src/crypto/blind.ts'
import { hkdf } from '../../../packages/core/src/crypto/hkdf.ts'
import {
  Secret,
  encodeWords,
  type CryptoProvider,
  type DhPublicKey,
  type SignPublicKey,
} from '../../../packages/core/src/crypto/index.ts'
import { providers } from '../../support/providers.ts'
import { fromHex, hex } from '../../support/vectors.ts'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
const repeated = (byte: number, length: number): Uint8Array => new Uint8Array(length).fill(byte)

function describeProvider(crypto: CryptoProvider): void {
  it('FIPS 180-4: SHA-256', () => {
    expect(hex(crypto.sha256(utf8('abc')))).to.equal(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    )
    expect(hex(crypto.sha256(utf8('')))).to.equal(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    )
    expect(hex(crypto.sha256(repeated(0x61, 1_000_000)))).to.equal(
      'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0',
    )
  })

  it('RFC 4231: HMAC-SHA-256', () => {
    expect(hex(crypto.hmacSha256(repeated(0x0b, 20), utf8('Hi There')))).to.equal(
      'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
    )
    expect(hex(crypto.hmacSha256(utf8('Jefe'), utf8('what do ya want for nothing?')))).to.equal(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    )
    const longKey = utf8('Test Using Larger Than Block-Size Key - Hash Key First')
    expect(hex(crypto.hmacSha256(repeated(0xaa, 131), longKey))).to.equal(
      '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
    )
  })

  it('RFC 5869 A.1 to A.3: HKDF-SHA-256', () => {
    const range = (from: number, length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => from + i)
    expect(hex(hkdf(crypto, range(0, 13), repeated(0x0b, 22), range(0xf0, 10), 42))).to.equal(
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    )
    expect(hex(hkdf(crypto, range(0x60, 80), range(0, 80), range(0xb0, 80), 82))).to.equal(
      'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09' +
        'da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87',
    )
    expect(hex(hkdf(crypto, new Uint8Array(0), repeated(0x0b, 22), new Uint8Array(0), 42))).to.equal(
      '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    )
  })

  it('RFC 7748 §5.2: X25519, once and 1,000 times', () => {
    const mult = (scalar: Uint8Array, u: Uint8Array): Uint8Array | undefined =>
      crypto.dh({ secret: new Secret(scalar), publicKey: u as DhPublicKey }, u as DhPublicKey)
    const scalar = fromHex('a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4')
    const u = fromHex('e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c')
    expect(hex(mult(scalar, u)!)).to.equal('c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552')
    let [k, point]: [Uint8Array, Uint8Array] = [repeated(0, 32).with(0, 9), repeated(0, 32).with(0, 9)]
    const after: string[] = []
    for (let i = 1; i <= 1000; i++) {
      ;[k, point] = [mult(k, point)!, k]
      if (i === 1 || i === 1000) after.push(hex(k))
    }
    expect(after).to.deep.equal([
      '422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079',
      '684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51',
    ])
  })

  it('2: RFC 7748 §5.2: the example with bit 255 set is refused, not masked', () => {
    const u = fromHex('e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493')
    expect(crypto.dh(crypto.dhKeyPair(repeated(1, 32)), u as DhPublicKey)).to.equal(undefined)
  })

  it('RFC 7748 §6.1: Diffie-Hellman', () => {
    const alice = crypto.dhKeyPair(fromHex('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a'))
    const bob = crypto.dhKeyPair(fromHex('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb'))
    expect(hex(alice.publicKey)).to.equal('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a')
    expect(hex(bob.publicKey)).to.equal('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f')
    const shared = '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742'
    expect([hex(crypto.dh(alice, bob.publicKey)!), hex(crypto.dh(bob, alice.publicKey)!)]).to.deep.equal([
      shared,
      shared,
    ])
  })

  const signatures: [name: string, seed: string, publicKey: string, message: string, signature: string][] = [
    [
      'TEST 1',
      '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
      '',
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    ],
    [
      'TEST 2',
      '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
      '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
      '72',
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    ],
    [
      'TEST 3',
      'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
      'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
      'af82',
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
    ],
  ]
  for (const [name, seed, publicKey, message, signature] of signatures)
    it(`RFC 8032 §7.1 ${name}: Ed25519`, () => {
      const own = crypto.signKeyPair(fromHex(seed))
      expect(hex(own.publicKey)).to.equal(publicKey)
      expect(hex(crypto.sign(own, fromHex(message)))).to.equal(signature)
      expect(crypto.verify(own.publicKey, fromHex(message), crypto.sign(own, fromHex(message)))).to.equal(true)
    })

  it('draft-irtf-cfrg-xchacha-03 A.3.1: XChaCha20-Poly1305', () => {
    const text = utf8(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
    )
    const key = Uint8Array.from({ length: 32 }, (_, i) => 0x80 + i)
    const nonce = Uint8Array.from({ length: 24 }, (_, i) => 0x40 + i)
    const sealed = crypto.seal(key, nonce, text, fromHex('50515253c0c1c2c3c4c5c6c7'))
    expect(hex(sealed)).to.equal(
      'bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39' +
        'ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9' +
        '21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49',
    )
  })
}

for (const crypto of providers) describe(`standards on ${crypto.name}`, () => describeProvider(crypto))

describe('standards beside the providers', () => {
  it('RFC 9106 §5.3: Argon2id with four lanes, secret and data, on the oracle', () => {
    const tag = argon2id(repeated(1, 32), repeated(2, 16), {
      m: 32,
      t: 3,
      p: 4,
      key: repeated(3, 8),
      personalization: repeated(4, 12),
      dkLen: 32,
    })
    expect(hex(tag)).to.equal('0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659')
  })

  it('BIP-39: the words of the lowest and the highest 32 bytes', () => {
    expect(encodeWords(repeated(0, 32)).join(' ')).to.equal('abandon '.repeat(23) + 'art')
    expect(encodeWords(repeated(0xff, 32)).join(' ')).to.equal('zoo '.repeat(23) + 'vote')
  })

  const blinded = [
    {
      seed: 'd142b3b1d532b0a516353a0746a6d43a86cee8efaf6b14ae85c2199072f47d93',
      publicKey: 'cd875d3f46a8e8742cf4a6a9f9645d4153a394a5a0a8028c9041cd455d093cd5',
      blindKey: 'bb58c768d9b16571f553efd48207e64391e16439b79fe9409e70b38040c81302',
      blindedKey: '666443ce8f03fa09240db73a584efad5462ffe346b14fd78fb666b25db29902f',
      context: '',
      signature:
        '5458111c708ce05cb0a1608b08dc649937dc22cf1da045eb866f2face50be930e79b44d57e5215a82ac227bdccccca52bfe509b96efe8e723cb42b5f14be5f0e',
    },
    {
      seed: 'd1e5a0f806eb3c491566cef6d2d195e6bbf0a54c9de0e291a7ced050c63ea91c',
      publicKey: '8b37c949d39cddf4d2a0fc0da781ea7f85c7bfbdfeb94a3c9ecb5e8a3c24d65f',
      blindKey: '05b235297dff87c492835d562c6e03c0f36b9c306f2dcb3b5038c2744d4e8a70',
      blindedKey: '019b0a06107e01361facdad39ec16a9647c86c0086bc38825eb664b97d9c514d',
      context: 'd6bbaa0646f5617d3cbd1e22ef05e714d1ec7812efff793999667648b2cc54bc',
      signature:
        'f54214acb3c695c46b1e7aa2da947273cb19ec33d8215dde0f43a8f7250febb508f4a5007e3c96be6402074ec843d40358a281ff969c66c1724016208650dd09',
    },
  ]
  for (const [i, vector] of blinded.entries())
    it(`draft-irtf-cfrg-signature-key-blinding, Ed25519 vector ${i + 1}`, () => {
      const [crypto] = [providers[0]!]
      const own = crypto.signKeyPair(fromHex(vector.seed))
      expect(hex(own.publicKey)).to.equal(vector.publicKey)
      const [blindKey, context, message] = [fromHex(vector.blindKey), fromHex(vector.context), utf8('hello world')]
      const key = blindPublic(fromHex(vector.publicKey) as SignPublicKey, blindKey, context)!
      expect(hex(key)).to.equal(vector.blindedKey)
      const signature = blindSign(own, blindKey, context, message)
      expect(hex(signature)).to.equal(vector.signature)
      for (const provider of providers) expect(provider.verify(key, message, signature)).to.equal(true)
    })
})
