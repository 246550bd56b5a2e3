import {
  pakeShareBytes,
  sizes,
  type DhPublicKey,
  type KemCiphertext,
  type KemPublicKey,
  type PakeShare,
} from '../crypto/index.ts'
import { limits } from '../limits.ts'
import { bytes, bytesBetween, frame, list, oneOf, text, uint, type Infer } from '../wire/index.ts'
import { certificateShape } from './certificate.ts'

/** Protocol of the one channel on which a device is linked; the old device opens it. */
export const linkProtocol = '/sotto/link/1'

/** Bytes of the session id of a password exchange, and of either end's nonce. */
export const linkSessionBytes = 16
export const linkNonceBytes = 32

/** Bytes of items one page carries at most; an item alone may fill it. */
export const linkPageBytes = 60 * 1024
/** Items of one kind in a page. */
export const linkPageItems = 1_024

const sealedShape = bytesBetween(sizes.aeadTag, limits.frameBytes)
const share = bytes<PakeShare>(pakeShareBytes)
const ephemeral = bytes<DhPublicKey>(sizes.dhPublic)
const kemKey = bytes<KemPublicKey>(sizes.kemPublic)

const linkShape = oneOf({
  /** Old device, with a link: begin. */
  ask: [1, {}],
  /** Old device, with a code: begin. */
  exchange: [2, { session: bytes(linkSessionBytes), share }],
  /** New device, to `ask`: the key whose hash is in the link. */
  key: [3, { kemKey }],
  /** New device, to `exchange`: its share, and what a link would hold. */
  opening: [4, { share, ephemeral, kemKey, commitment: bytes(sizes.hash) }],
  /** Old device: its halves of the key agreement, its nonce, and the proof that it knows the secret. */
  answer: [
    5,
    {
      ephemeral,
      ciphertext: bytes<KemCiphertext>(sizes.kemCiphertext),
      nonce: bytes(linkNonceBytes),
      proof: bytes(sizes.aeadTag),
    },
  ],
  /** New device: the nonce it committed to, and its first message. */
  reveal: [6, { nonce: bytes(linkNonceBytes), sealed: sealedShape }],
  /** Either: a message under the channel key. */
  sealed: [7, { sealed: sealedShape }],
  /** Either: the channel ends here. */
  refused: [8, { reason: uint(255) }],
})

/** Everything that crosses a channel of `linkProtocol`. */
export const linkFrame = frame('link', linkShape)
export type LinkFrame = Infer<typeof linkShape>

const bundleShape = bytesBetween(0, limits.bundleBytes)

const messageShape = oneOf({
  /** New device: what it calls itself. */
  name: [1, { name: text(limits.nameBytes) }],
  /** Old device, after its person confirmed: the account, and the time on its clock. */
  account: [2, { genesis: bytesBetween(1, 128), name: text(limits.nameBytes), nowMs: uint() }],
  /** New device, after its person confirmed. */
  certificate: [3, { certificate: certificateShape }],
  /** Old device, after the add is stored: a part of the log, or of the contacts' introductions. */
  page: [
    4,
    {
      ops: list(bytesBetween(1, limits.deviceLogOpBytes), linkPageItems),
      introductions: list(bytesBetween(1, linkPageBytes), linkPageItems),
    },
  ],
  /** New device: the next one. */
  next: [5, {}],
  /** Old device: the rest; `discoverySeed` is that of the key the account's devices share. */
  last: [6, { discoverySeed: bytes(sizes.seed), bundle: bundleShape }],
  /** New device, after it has stored everything. */
  joined: [7, { bundle: bundleShape }],
  /** Old device, after it has stored the bundle. */
  finished: [8, {}],
})

/** What is said under the channel key. */
export const linkMessageFrame = frame('link-message', messageShape, limits.frameBytes - 64)
export type LinkMessage = Infer<typeof messageShape>

const reasons = {
  /** Bytes that are no frame. */
  malformed: 1,
  /** A frame that has no place here. */
  unexpected: 2,
  /** Five minutes are over. */
  expired: 3,
  /** The link or code has led to an exchange already. */
  used: 4,
  /** Too many exchanges failed. */
  burned: 5,
  /** The other end does not know the link's or code's secret. */
  'wrong-secret': 6,
  /** A key or nonce is not the one the new device was bound to. */
  changed: 7,
  /** A public value no key comes from. */
  'bad-key': 8,
  /** A message that does not open: altered, repeated, lost or out of order. */
  unreadable: 9,
  'bad-account': 10,
  'bad-certificate': 11,
  /** The log does not count the new device as active. */
  'not-added': 12,
  'too-large': 13,
  /** Another channel is at it. */
  busy: 14,
  /** A person said no. */
  cancelled: 15,
  /** The channel is gone. */
  closed: 16,
  /** A reason of a later version. */
  other: 255,
} as const

/** Why linking went no further. */
export type LinkRefusal = keyof typeof reasons

const byNumber = new Map<number, LinkRefusal>(
  Object.entries(reasons).map(([reason, number]) => [number, reason as LinkRefusal]),
)

/** The frame that ends a channel; also for a caller that has another channel at work (`busy`). */
export const encodeLinkRefusal = (reason: LinkRefusal): Uint8Array =>
  linkFrame.encode({ kind: 'refused', reason: reasons[reason] })

/** The reason of a `refused` frame. */
export const linkRefusalOf = (number: number): LinkRefusal => byNumber.get(number) ?? 'other'

/** Which way the first frame of a channel goes by; undefined when it is none. */
export function openingWay(input: Uint8Array): 'link' | 'code' | undefined {
  const decoded = linkFrame.decode(input)
  if (!decoded.ok) return undefined
  return decoded.value.kind === 'ask' ? 'link' : decoded.value.kind === 'exchange' ? 'code' : undefined
}
