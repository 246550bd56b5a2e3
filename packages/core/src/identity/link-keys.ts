import {
  idOf,
  kdf,
  noSalt,
  Secret,
  sizes,
  type CryptoProvider,
  type DhPublicKey,
  type KemCiphertext,
  type KemPublicKey,
  type SignPublicKey,
} from '../crypto/index.ts'
import { concat, encodeCbor } from '../wire/index.ts'
import { emojiOf, type LinkEmoji } from './link-emoji.ts'
import { linkMessageFrame, type LinkMessage } from './link-frame.ts'

/** Which of the two ways in. */
export type LinkWay = 'link' | 'code'

/** The public part of a password exchange; a link has none. */
export interface LinkExchange {
  readonly locator: string
  readonly session: Uint8Array
  readonly shareOld: Uint8Array
  readonly shareNew: Uint8Array
}

/** Everything both ends have said before the new one reveals its nonce. */
export interface LinkTerms {
  /** Transport key of the new device. */
  readonly transportKey: SignPublicKey
  readonly exchange: LinkExchange | null
  readonly ephemeralNew: DhPublicKey
  readonly kemKey: KemPublicKey
  readonly commitment: Uint8Array
  readonly ephemeralOld: DhPublicKey
  readonly ciphertext: KemCiphertext
  readonly nonceOld: Uint8Array
}

/** The hash under which everything is derived: any change of any public value gives other keys and pictures. */
export function linkTranscript(crypto: CryptoProvider, terms: LinkTerms): Uint8Array {
  const { exchange } = terms
  const password =
    exchange === null ? null : [exchange.locator, exchange.session, exchange.shareOld, exchange.shareNew]
  return idOf(
    crypto,
    'link-transcript',
    encodeCbor([
      terms.transportKey,
      password,
      terms.ephemeralNew,
      terms.kemKey,
      terms.commitment,
      terms.ephemeralOld,
      terms.ciphertext,
      terms.nonceOld,
    ]),
  )
}

/** What an exchange of passwords is about: the draft's channel identifier. */
export const linkChannelId = (transportKey: SignPublicKey, locator: string): Uint8Array =>
  encodeCbor(['sotto', 1, 'link', transportKey, locator])

/** The commitment to a nonce, and the hash of a KEM key that a link carries. */
export const commitToNonce = (crypto: CryptoProvider, nonce: Uint8Array): Uint8Array =>
  idOf(crypto, 'link-nonce', nonce)
export const hashKemKey = (crypto: CryptoProvider, kemKey: KemPublicKey): Uint8Array =>
  idOf(crypto, 'link-kem', kemKey)

/** The three secrets together; `dh` and `kem` are overwritten. */
export function linkRoot(
  crypto: CryptoProvider,
  way: LinkWay,
  secret: Secret,
  dh: Uint8Array,
  kem: Uint8Array,
): Secret {
  const known = kdf(crypto, noSalt, secret.expose(), 'link-secret', [way])
  const root = new Secret(concat(known, dh, kem))
  for (const part of [known, dh, kem]) part.fill(0)
  return root
}

const nothing = new Uint8Array(0)

/** The tag that proves the old device's knowledge: of nothing, under a key for this alone. */
export function proveRoot(crypto: CryptoProvider, transcript: Uint8Array, root: Secret): Uint8Array {
  const key = kdf(crypto, transcript, root.expose(), 'link-proof')
  return crypto.seal(key, nonceOf(0), nothing, transcript)
}

/** Whether `proveRoot` of the same transcript and root made this tag. */
export function provesRoot(
  crypto: CryptoProvider,
  transcript: Uint8Array,
  root: Secret,
  proof: Uint8Array,
): boolean {
  const key = kdf(crypto, transcript, root.expose(), 'link-proof')
  return crypto.open(key, nonceOf(0), proof, transcript) !== undefined
}

interface Direction {
  readonly key: Secret
  /** Messages so far: the next one's nonce. */
  readonly count: number
}

/** The two keys of a channel; a message opens only in its place. */
export interface LinkChannel {
  readonly send: Direction
  readonly receive: Direction
}

/** The channel after the reveal, at one of its ends. */
export function linkChannel(
  crypto: CryptoProvider,
  transcript: Uint8Array,
  root: Secret,
  nonceNew: Uint8Array,
  end: 'old' | 'new',
): LinkChannel {
  const direction = (purpose: string): Direction => ({
    key: new Secret(kdf(crypto, transcript, root.expose(), purpose, [nonceNew])),
    count: 0,
  })
  const [fromOld, fromNew] = [direction('link-from-old'), direction('link-from-new')]
  return end === 'old' ? { send: fromOld, receive: fromNew } : { send: fromNew, receive: fromOld }
}

/** The pictures of a transcript and both nonces. */
export const linkEmojiOf = (
  crypto: CryptoProvider,
  transcript: Uint8Array,
  nonceNew: Uint8Array,
  nonceOld: Uint8Array,
): readonly LinkEmoji[] => emojiOf(kdf(crypto, transcript, concat(nonceNew, nonceOld), 'link-emoji', [], 5))

/** Seals the next message. */
export function sealLinkMessage(
  crypto: CryptoProvider,
  channel: LinkChannel,
  message: LinkMessage,
): { readonly channel: LinkChannel; readonly sealed: Uint8Array } {
  const { key, count } = channel.send
  const plaintext = linkMessageFrame.encode(message)
  const sealed = crypto.seal(key.expose(), nonceOf(count), plaintext, nothing)
  plaintext.fill(0)
  return { channel: { ...channel, send: { key, count: count + 1 } }, sealed }
}

/** Opens the next message: undefined when it does not open, `malformed` when nobody should have sealed it. */
export function openLinkMessage(
  crypto: CryptoProvider,
  channel: LinkChannel,
  sealed: Uint8Array,
): { readonly channel: LinkChannel; readonly message: LinkMessage } | 'unreadable' | 'malformed' {
  const { key, count } = channel.receive
  const plaintext = crypto.open(key.expose(), nonceOf(count), sealed, nothing)
  if (plaintext === undefined) return 'unreadable'
  const decoded = linkMessageFrame.decode(plaintext)
  if (!decoded.ok) return 'malformed'
  return { channel: { ...channel, receive: { key, count: count + 1 } }, message: decoded.value }
}

/** 24 bytes of a counter, big-endian. */
function nonceOf(count: number): Uint8Array {
  const nonce = new Uint8Array(sizes.aeadNonce)
  for (let i = nonce.length - 1, rest = count; rest > 0; i--, rest = Math.floor(rest / 256))
    nonce[i] = rest & 255
  return nonce
}
