/**
 * A second, tiny implementation of an epoch's derivations and envelopes, to check the first one's vectors. It
 * shares no code with the group room and stands on other libraries: noble, and a CBOR writer of its own.
 */
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { ed25519 } from '@noble/curves/ed25519.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'

type Bytes = Uint8Array
export type Item = number | string | null | Bytes | readonly Item[]

const cat = (...parts: readonly Bytes[]): Bytes => Uint8Array.from(parts.flatMap((part) => [...part]))

function head(major: number, n: number): Bytes {
  if (n < 24) return Uint8Array.of((major << 5) | n)
  const size = n < 2 ** 8 ? 0 : n < 2 ** 16 ? 1 : n < 2 ** 32 ? 2 : 3
  const out = new Uint8Array(1 + 2 ** size)
  out[0] = (major << 5) | (24 + size)
  for (let i = out.length - 1, left = n; i > 0; i--, left = Math.floor(left / 256)) out[i] = left % 256
  return out
}

/** CBOR of integers, strings, null and arrays. */
export function cbor(item: Item): Bytes {
  if (item === null) return Uint8Array.of(0xf6)
  if (typeof item === 'number') return head(0, item)
  if (typeof item === 'string') return cat(head(3, item.length), new TextEncoder().encode(item))
  if (item instanceof Uint8Array) return cat(head(2, item.length), item)
  return cat(head(4, item.length), ...item.map(cbor))
}

const kdf = (salt: Bytes, ikm: Bytes, purpose: string, ...context: readonly Item[]): Bytes =>
  hkdf(sha256, ikm, salt, cbor(['sotto', 1, purpose, ...context]), 32)
const idOf = (type: string, content: Bytes): Bytes => sha256(cbor(['sotto', 1, 'id', type, content]))
const sign = (seed: Bytes, type: string, context: Bytes, content: Bytes): Bytes =>
  ed25519.sign(cbor(['sotto', 1, 'sig', type, context, content]), seed)

/** An epoch's terms, in the order of the page. */
export type SecondTerms = readonly [
  conversation: Bytes,
  parents: readonly Bytes[],
  heads: readonly Bytes[],
  excluded: readonly Item[],
  depth: number,
  route: Bytes | null,
  history: number,
  reason: number,
  account: Bytes,
  device: Bytes,
  base: number,
  timestampMs: number,
]

/** Secret, context, commitment, keys and record of an epoch. */
export function secondEpoch(terms: SecondTerms, random: Bytes, exporters: readonly Bytes[], seed: Bytes) {
  const sorted = exporters.toSorted((a, b) => Buffer.compare(a, b))
  const secret = kdf(new Uint8Array(32), cat(random, ...sorted), 'epoch-seed', terms[0])
  const context = idOf('epoch-context', cbor(terms))
  const part = (purpose: string, ...more: readonly Item[]): Bytes => kdf(context, secret, purpose, ...more)
  const commitment = part('epoch-commit')
  const statement = cbor([...terms, commitment])
  const id = idOf('epoch', statement)
  return {
    secret,
    context,
    id,
    record: cbor([statement, sign(seed, 'epoch', terms[0], id)]),
    exporter: part('epoch-exporter'),
    envelopeKey: part('epoch-envelope'),
    topic: part('epoch-topic'),
    queue: part('epoch-queue'),
    chain: (account: Bytes, device: Bytes) => part('epoch-chain', account, device),
  }
}

const lower = 'abcdefghijklmnopqrstuvwxyz234567'

/** Name of a topic on a day. */
export function secondTopicName(topic: Bytes, day: number): string {
  const bits = [...kdf(new Uint8Array(32), topic, 'topic', day)]
    .map((b) => b.toString(2).padStart(8, '0'))
    .join('')
  return (bits.padEnd(260, '0').match(/.{5}/g) ?? []).map((five) => lower[parseInt(five, 2)]).join('')
}

/** Padmé with a minimum of 512 and one marker byte. */
function pad(plain: Bytes): Bytes {
  const n = plain.length + 1
  const e = Math.floor(Math.log2(n))
  const step = 2 ** (e - Math.floor(Math.log2(e)) - 1)
  const out = new Uint8Array(n <= 512 ? 512 : Math.ceil(n / step) * step)
  out.set(plain)
  out[plain.length] = 0x80
  return out
}

/** An envelope around one generation of a chain, from its first key. */
export function secondEnvelope(
  epoch: { readonly id: Bytes; readonly envelopeKey: Bytes; readonly chain: Bytes },
  who: {
    readonly conversation: Bytes
    readonly account: Bytes
    readonly device: Bytes
    readonly index: number
  },
  generation: number,
  content: Bytes,
  slot: { readonly base: number; readonly seed: Bytes } | undefined,
  random: Bytes,
): Bytes {
  let key = epoch.chain
  for (let i = 0; i < generation; i++) key = hmac(sha256, key, Uint8Array.of(2))
  const messageKey = hmac(sha256, key, Uint8Array.of(1))
  const stated =
    slot && sign(slot.seed, 'slot', who.conversation, cbor([epoch.id, who.account, who.device, slot.base]))
  const sealed = cbor([content, slot === undefined ? null : [epoch.id, slot.base, stated!]])
  const ad = cbor([who.conversation, epoch.id, who.account, who.device, generation])
  const nonce = random.slice(0, 24)
  const inner = cat(nonce, xchacha20poly1305(messageKey, nonce, ad).encrypt(sealed))
  const x = cbor([1, epoch.id.slice(0, 8), who.index, generation, inner])
  const outerNonce = random.slice(24)
  return cbor([1, outerNonce, xchacha20poly1305(epoch.envelopeKey, outerNonce).encrypt(pad(x))])
}
