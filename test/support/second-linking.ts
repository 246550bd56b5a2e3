/**
 * Linking once more, after docs/protocol/linking.md alone: the new device's side of a run whose frames are given.
 * No code of the room's; of its libraries only the CBOR writer.
 */
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { ristretto255, ristretto255_hasher, x25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import { decode, encode } from 'cborg'
import { createHash, hkdfSync } from 'node:crypto'

const concat = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))
const ascii = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'ascii'))
const zeros = (length: number): Uint8Array => new Uint8Array(length)

const kdf = (
  salt: Uint8Array,
  ikm: Uint8Array,
  purpose: string,
  context: readonly unknown[] = [],
  length = 32,
): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', ikm, salt, encode(['sotto', 1, purpose, ...context]), length))

const idOf = (type: string, content: Uint8Array): Uint8Array =>
  new Uint8Array(
    createHash('sha256')
      .update(encode(['sotto', 1, 'id', type, content]))
      .digest(),
  )

/** A counter as 24 bytes, big-endian. */
const nonceOf = (count: number): Uint8Array => {
  const nonce = Buffer.alloc(24)
  nonce.writeUIntBE(count, 18, 6)
  return new Uint8Array(nonce)
}

const scalarOf = (bytes: Uint8Array): bigint =>
  BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`) % ristretto255.Point.Fn.ORDER

/** The password exchange's responder: share and key. */
function respond(
  password: Uint8Array,
  channel: Uint8Array,
  session: Uint8Array,
  seed: Uint8Array,
  initiator: Uint8Array,
): { readonly share: Uint8Array; readonly key: Uint8Array } {
  const counted = (...parts: readonly Uint8Array[]): Uint8Array =>
    concat(...parts.flatMap((part) => [Uint8Array.of(part.length), part]))
  const label = ascii('CPaceRistretto255')
  const filler = zeros(128 - 1 - counted(password).length - counted(label).length)
  const text = counted(label, password, filler, channel, session)
  const generator = ristretto255_hasher.deriveToCurve!(sha512(text))
  const scalar = scalarOf(seed)
  const share = generator.multiply(scalar).toBytes()
  const product = ristretto255.Point.fromBytes(initiator).multiply(scalar).toBytes()
  const empty = zeros(0)
  const key = sha512(
    concat(
      counted(ascii('CPaceRistretto255_ISK'), session, product),
      counted(initiator, empty, share, empty),
    ),
  )
  return { share, key }
}

/** A run as the second implementation sees it. */
export interface SecondRun {
  /** The new device's frames up to the reveal, the sealed part of it left out. */
  readonly reply: readonly unknown[]
  readonly nonce: Uint8Array
  readonly provesSecret: boolean
  /** Numbers of the six pictures. */
  readonly emoji: readonly number[]
  /** Everything said under the channel key, decoded, in order. */
  readonly said: readonly { readonly from: 'old' | 'new'; readonly message: readonly unknown[] }[]
}

/** What goes in: the offer's entropy, what is shown, and every frame that crossed the channel. */
export interface SecondInput {
  readonly entropy: Uint8Array
  readonly transportKey: Uint8Array
  /** XXX-XXXXX, or a link. */
  readonly text: string
  readonly frames: readonly { readonly from: 'old' | 'new'; readonly frame: Uint8Array }[]
}

/** Plays the new device's side. */
export function secondRun({ entropy, transportKey, text, frames }: SecondInput): SecondRun {
  const part = (from: number, length: number): Uint8Array => entropy.slice(from, from + length)
  const [linkSecret, ephemeral, kemSeed] = [part(0, 16), part(21, 32), part(53, 64)]
  const [nonce, pakeSeed] = [part(117, 32), part(149, 32)]
  const kem = ml_kem768.keygen(kemSeed)
  const own = x25519.getPublicKey(ephemeral)
  const commitment = idOf('link-nonce', nonce)
  const values = frames.map(({ frame }) => decode(frame, { useMaps: true }) as readonly unknown[])
  const [opens, , answer, reveal] = values as [unknown[], unknown[], Uint8Array[], Uint8Array[]]

  let secret = linkSecret
  let exchange: readonly unknown[] | null = null
  let reply: readonly unknown[] = [3, kem.publicKey]
  if (opens[0] === 2) {
    const [, session, shareOld] = opens as [number, Uint8Array, Uint8Array]
    const [locator, password] = text.split('-') as [string, string]
    const channel = encode(['sotto', 1, 'link', transportKey, locator])
    const seed = kdf(zeros(32), pakeSeed, 'link-pake', [2], 64)
    const { share, key } = respond(ascii(password), channel, session, seed, shareOld)
    secret = key
    exchange = [locator, session, shareOld, share]
    reply = [4, share, own, kem.publicKey, commitment]
  }

  const [, ephemeralOld, ciphertext, nonceOld, proof] = answer as unknown as [
    number,
    ...[Uint8Array, Uint8Array, Uint8Array, Uint8Array],
  ]
  const transcript = idOf(
    'link-transcript',
    encode([transportKey, exchange, own, kem.publicKey, commitment, ephemeralOld, ciphertext, nonceOld]),
  )
  const known = kdf(zeros(32), secret, 'link-secret', [exchange === null ? 'link' : 'code'])
  const root = concat(
    known,
    x25519.getSharedSecret(ephemeral, ephemeralOld),
    ml_kem768.decapsulate(ciphertext, kem.secretKey),
  )
  const expected = xchacha20poly1305(kdf(transcript, root, 'link-proof'), nonceOf(0), transcript).encrypt(
    zeros(0),
  )
  const digest = kdf(transcript, concat(nonce, nonceOld), 'link-emoji', [], 5)
  const bits = BigInt(`0x${Buffer.from(digest).toString('hex')}`) >> 4n

  const counts = { old: 0, new: 0 }
  const said = frames.flatMap(({ from }, i) => {
    const value = values[i] as readonly unknown[]
    const sealed = (value[0] === 6 ? value[2] : value[0] === 7 ? value[1] : undefined) as
      Uint8Array | undefined
    if (sealed === undefined) return []
    const key = kdf(transcript, root, `link-from-${from}`, [nonce])
    const plaintext = xchacha20poly1305(key, nonceOf(counts[from]++)).decrypt(sealed)
    return [{ from, message: decode(plaintext, { useMaps: true }) as readonly unknown[] }]
  })
  return {
    reply,
    nonce: (reveal as unknown as [number, Uint8Array])[1],
    provesSecret: Buffer.compare(expected, proof) === 0,
    emoji: Array.from({ length: 6 }, (_, i) => Number((bits >> BigInt(30 - 6 * i)) & 63n)),
    said,
  }
}
