/**
 * A second, tiny implementation of handshake and ratchet, to check the first one's vectors. It shares no code
 * with the session room and stands on other libraries: noble throughout, a CBOR writer of its own. It keeps
 * to the happy path: in-order messages, no limits, no failures as values.
 */
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { ed25519, x25519 } from '@noble/curves/ed25519.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { ml_kem768 as kem } from '@noble/post-quantum/ml-kem.js'

type Bytes = Uint8Array
type Item = number | string | null | Bytes | readonly Item[]

const cat = (...parts: readonly Bytes[]): Bytes => Uint8Array.from(parts.flatMap((part) => [...part]))

const head = (major: number, n: number): Bytes =>
  n < 24
    ? Uint8Array.of((major << 5) | n)
    : n < 256
      ? Uint8Array.of((major << 5) | 24, n)
      : Uint8Array.of((major << 5) | 25, n >> 8, n & 255)

/** CBOR of small integers, strings, null and arrays. */
export function cbor(item: Item): Bytes {
  if (item === null) return Uint8Array.of(0xf6)
  if (typeof item === 'number') return head(0, item)
  if (typeof item === 'string') return cat(head(3, item.length), new TextEncoder().encode(item))
  if (item instanceof Uint8Array) return cat(head(2, item.length), item)
  return cat(head(4, item.length), ...item.map(cbor))
}

const kdf = (salt: Bytes, ikm: Bytes, purpose: string, context: readonly Item[] = [], length = 32): Bytes =>
  hkdf(sha256, ikm, salt, cbor(['sotto', 1, purpose, ...context]), length)

const zero = new Uint8Array(32)

/** A device as the handshake sees it. */
export interface SecondIdentity {
  readonly account: Bytes
  readonly device: Bytes
  readonly certificate: Bytes
  /** Ed25519 seed. */
  readonly identity: Bytes
  /** X25519 seed. */
  readonly agreement: Bytes
}

/** The public half of a device with its bundle. */
export interface SecondBundle {
  readonly account: Bytes
  readonly device: Bytes
  readonly agreement: Bytes
  readonly bytes: Bytes
  readonly signedPrekey: Bytes
  readonly kemPrekey: Bytes
}

interface Chain {
  headerKey: Bytes
  key: Bytes
  n: number
  answer: Bytes
}

interface State {
  associated: Bytes
  root: Bytes
  own: Bytes
  peer: Bytes
  sending: Chain | undefined
  receiving: Chain | undefined
  nextSending: Bytes
  nextReceiving: Bytes
  previous: number
  preamble: readonly [clear: Bytes, nonce: Bytes, inner: Bytes] | undefined
  offer: { secretKey: Bytes; publicKey: Bytes } | undefined
  theirs: Bytes | undefined
  since: number
}

const hs1 = (dh: Bytes, ss: Bytes, clear: Bytes): Bytes => kdf(zero, cat(dh, ss), 'hs1', [sha256(clear)])

function hs2(
  parts: readonly Bytes[],
  mode: number,
  m0: readonly Bytes[],
  bundle: Bytes,
  who: readonly Bytes[],
): Bytes {
  const ikm = cat(new Uint8Array(32).fill(255), ...parts)
  return kdf(zero, ikm, 'hs2', [1, mode, sha256(cat(...m0, bundle)), ...who], 96)
}

/** Two devices' session, either end. */
export class SecondSession {
  readonly #s: State

  private constructor(state: State) {
    this.#s = state
  }

  /** The initiator's end; `entropy` as the room takes it: ephemeral seed, KEM coins, nonce. */
  static initiate(
    a: SecondIdentity,
    b: SecondBundle,
    invite: Bytes | undefined,
    entropy: Bytes,
  ): SecondSession {
    const e = entropy.slice(0, 32)
    const nonce = entropy.slice(64)
    const { cipherText, sharedSecret } = kem.encapsulate(b.kemPrekey, entropy.slice(32, 64))
    const mode = invite === undefined ? 0 : 2
    const tag = sha256(b.bytes).slice(0, 8)
    const clear = cbor([1, 1, mode, tag, null, x25519.getPublicKey(e), cipherText])
    const who = [a.account, a.device, b.account, b.device]
    const content = cbor([sha256(clear), sha256(b.bytes), ...who])
    const signature = ed25519.sign(cbor(['sotto', 1, 'sig', 'hs', a.account, content]), a.identity)
    const eSpk = x25519.getSharedSecret(e, b.signedPrekey)
    const inner = xchacha20poly1305(hs1(eSpk, sharedSecret, clear), nonce, sha256(clear)).encrypt(
      cbor([a.account, a.certificate, [], null, signature]),
    )
    const secrets = [
      x25519.getSharedSecret(a.agreement, b.signedPrekey),
      x25519.getSharedSecret(e, b.agreement),
      eSpk,
      zero,
      sharedSecret,
      invite ?? zero,
    ]
    const sk = hs2(secrets, mode, [clear, nonce, inner], b.bytes, who)
    return new SecondSession({
      associated: cbor([1, ...who]),
      root: sk.slice(0, 32),
      own: zero,
      peer: b.signedPrekey,
      sending: undefined,
      receiving: undefined,
      nextSending: sk.slice(32, 64),
      nextReceiving: sk.slice(64),
      previous: 0,
      preamble: [clear, nonce, inner],
      offer: undefined,
      theirs: undefined,
      since: 0,
    })
  }

  /** The responder's end of the handshake in a first flight, opened with nothing but its private keys. */
  static respond(
    b: SecondIdentity & { readonly bundle: Bytes; readonly signedPrekey: Bytes; readonly kemSeed: Bytes },
    a: { readonly account: Bytes; readonly device: Bytes; readonly agreement: Bytes },
    invite: Bytes | undefined,
    m0: readonly [clear: Bytes, nonce: Bytes, inner: Bytes],
  ): SecondSession {
    const [clear] = m0
    const ciphertext = clear.slice(-1088)
    const e = clear.slice(-1088 - 3 - 32, -1088 - 3)
    const ss = kem.decapsulate(ciphertext, kem.keygen(b.kemSeed).secretKey)
    const eSpk = x25519.getSharedSecret(b.signedPrekey, e)
    const secrets = [
      x25519.getSharedSecret(b.signedPrekey, a.agreement),
      x25519.getSharedSecret(b.agreement, e),
      eSpk,
      zero,
      ss,
      invite ?? zero,
    ]
    const who = [a.account, a.device, b.account, b.device]
    const sk = hs2(secrets, invite === undefined ? 0 : 2, m0, b.bundle, who)
    return new SecondSession({
      associated: cbor([1, ...who]),
      root: sk.slice(0, 32),
      own: b.signedPrekey,
      peer: zero,
      sending: undefined,
      receiving: undefined,
      nextSending: sk.slice(64),
      nextReceiving: sk.slice(32, 64),
      previous: 0,
      preamble: undefined,
      offer: undefined,
      theirs: undefined,
      since: 0,
    })
  }

  /** What hides the initiator, opened: `[account, certificate, heads, introduction, signature]` as CBOR. */
  static openInner(
    b: { readonly signedPrekey: Bytes; readonly kemSeed: Bytes },
    [clear, nonce, inner]: readonly [Bytes, Bytes, Bytes],
  ): Bytes {
    const ss = kem.decapsulate(clear.slice(-1088), kem.keygen(b.kemSeed).secretKey)
    const eSpk = x25519.getSharedSecret(b.signedPrekey, clear.slice(-1088 - 3 - 32, -1088 - 3))
    return xchacha20poly1305(hs1(eSpk, ss, clear), nonce, sha256(clear)).decrypt(inner)
  }

  #step(dh: Bytes, mix: Bytes): Bytes {
    const s = this.#s
    const ikm = cat(dh, mix)
    const [root, chain, next] = ['rk', 'ck', 'nhk'].map((purpose) => kdf(s.root, ikm, purpose))
    s.root = root!
    return cat(chain!, next!)
  }

  /** Seals in order; `entropy`: nonce, ratchet seed, KEM coins, KEM seed. */
  seal(plaintext: Bytes, entropy: Bytes): Bytes {
    const s = this.#s
    const nonce = entropy.slice(0, 24)
    if (s.sending === undefined) {
      s.own = entropy.slice(24, 56)
      let mix: Bytes = new Uint8Array(0)
      let answer: Bytes = new Uint8Array(0)
      if (s.theirs !== undefined) {
        const { cipherText, sharedSecret } = kem.encapsulate(s.theirs, entropy.slice(56, 88))
        mix = cat(sharedSecret, sha256(cat(s.theirs, cipherText)))
        answer = cat(Uint8Array.of(2), sha256(s.theirs).slice(0, 8), cipherText)
        s.theirs = undefined
        s.since = 0
      }
      const out = this.#step(x25519.getSharedSecret(s.own, s.peer), mix)
      s.sending = { headerKey: s.nextSending, key: out.slice(0, 32), n: 0, answer }
      s.nextSending = out.slice(32)
    }
    const chain = s.sending
    const fresh = s.offer === undefined && s.since >= 50
    if (fresh) s.offer = kem.keygen(entropy.slice(88))
    const offered = s.offer !== undefined && (fresh || chain.n % 100 === 0)
    const offer = offered ? cat(Uint8Array.of(1), s.offer!.publicKey) : new Uint8Array(0)
    const counters = Uint8Array.of(...leb(s.previous), ...leb(chain.n))
    const header = cat(x25519.getPublicKey(s.own), counters, offer, chain.answer)
    const sealedHeader = xchacha20poly1305(chain.headerKey, nonce, s.associated).encrypt(header)
    const key = hmac(sha256, chain.key, Uint8Array.of(1))
    const ad = cat(Uint8Array.of(0x86), s.associated.slice(1), cbor(sealedHeader))
    const body = xchacha20poly1305(key, nonce, ad).encrypt(plaintext)
    chain.key = hmac(sha256, chain.key, Uint8Array.of(2))
    chain.n += 1
    s.since += 1
    const frame = cbor([1, 1, cat(nonce, sealedHeader), body])
    return s.preamble === undefined ? frame : cbor([1, 2, ...s.preamble, frame])
  }

  /** Opens the next message in order, given its head (nonce‖sealed header) and body. */
  open(headBytes: Bytes, body: Bytes): Bytes {
    const s = this.#s
    const nonce = headBytes.slice(0, 24)
    const sealedHeader = headBytes.slice(24)
    const attempt = (key: Bytes): Bytes | undefined => {
      try {
        return xchacha20poly1305(key, nonce, s.associated).decrypt(sealedHeader)
      } catch {
        return undefined
      }
    }
    const current = s.receiving && attempt(s.receiving.headerKey)
    const header = current ?? attempt(s.nextReceiving)
    if (header === undefined) throw new Error('no header key')
    const [, at1] = unleb(header, 32)
    const [, at2] = unleb(header, at1)
    let at = at2
    const offer = header[at] === 1 ? header.slice(at + 1, at + 1185) : undefined
    if (offer !== undefined) at += 1185
    const answer = header[at] === 2 ? header.slice(at + 9, at + 9 + 1088) : undefined
    if (current === undefined) {
      const dh = x25519.getSharedSecret(s.own, header.slice(0, 32))
      let mix: Bytes = new Uint8Array(0)
      if (answer !== undefined) {
        const { secretKey, publicKey } = s.offer!
        mix = cat(kem.decapsulate(answer, secretKey), sha256(cat(publicKey, answer)))
        s.offer = undefined
        s.since = 0
      }
      s.previous = s.sending?.n ?? s.previous
      s.sending = undefined
      s.peer = header.slice(0, 32)
      const out = this.#step(dh, mix)
      s.receiving = { headerKey: s.nextReceiving, key: out.slice(0, 32), n: 0, answer: new Uint8Array(0) }
      s.nextReceiving = out.slice(32)
    }
    if (offer !== undefined) s.theirs = offer
    s.preamble = undefined
    const chain = s.receiving!
    const key = hmac(sha256, chain.key, Uint8Array.of(1))
    chain.key = hmac(sha256, chain.key, Uint8Array.of(2))
    const ad = cat(Uint8Array.of(0x86), s.associated.slice(1), cbor(sealedHeader))
    return xchacha20poly1305(key, nonce, ad).decrypt(body)
  }
}

const leb = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...leb(n >> 7)])

function unleb(input: Bytes, at: number): readonly [value: number, next: number] {
  const byte = input[at]!
  if (byte < 128) return [byte, at + 1]
  const [rest, next] = unleb(input, at + 1)
  return [(byte & 127) + rest * 128, next]
}
