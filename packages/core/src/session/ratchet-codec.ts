import {
  Secret,
  sizes,
  type DhKeyPair,
  type DhPublicKey,
  type KemCiphertext,
  type KemPublicKey,
} from '../crypto/index.ts'
import { limits } from '../limits.ts'
import { Truncated, type ByteReader, type ByteWriter } from './byte-cursor.ts'
import { offerNameBytes } from './header.ts'
import type { PqState } from './pq-step.ts'
import type { Ratchet, ReceivingChain, SendingChain } from './ratchet-state.ts'
import { skippedKeysFrom } from './skipped-keys.ts'

/** Presence bits of a ratchet's optional parts. */
const has = {
  ownKey: 1,
  peerKey: 2,
  sending: 4,
  answer: 8,
  offer: 16,
  peerOffer: 32,
  answeredName: 64,
} as const
const pqBits = { wanted: 1, overdue: 2 } as const

const bit = (present: unknown, mask: number): number =>
  present === undefined || present === false ? 0 : mask

/** Length of a ratchet's flat form in bytes. */
export function ratchetLength(ratchet: Ratchet): number {
  const { ownKey, peerKey, sending, pq } = ratchet
  let length = 1 + 1 + 4 + ratchet.associated.length + 3 * sizes.seed + 4 + (1 + 4 + 8) + 1
  if (ownKey !== undefined) length += sizes.seed + sizes.dhPublic
  if (peerKey !== undefined) length += sizes.dhPublic
  if (sending !== undefined) length += 2 * sizes.seed + 4
  if (sending?.answer !== undefined) length += offerNameBytes + sizes.kemCiphertext
  if (pq.offer !== undefined) length += sizes.kemSeed + sizes.kemPublic + 8
  if (pq.peerKey !== undefined) length += sizes.kemPublic
  if (pq.answeredName !== undefined) length += offerNameBytes
  for (const chain of ratchet.receiving) {
    length +=
      1 + sizes.seed + (chain.chainKey === undefined ? 0 : sizes.seed) + 4 + 4 + 4 + chain.skipped.rows.length
  }
  return length
}

/** Writes a ratchet: fixed fields first, then the parts its presence bits name. */
export function writeRatchet(out: ByteWriter, ratchet: Ratchet): void {
  const { ownKey, peerKey, sending, pq } = ratchet
  out
    .u8(
      bit(ownKey, has.ownKey) |
        bit(peerKey, has.peerKey) |
        bit(sending, has.sending) |
        bit(sending?.answer, has.answer) |
        bit(pq.offer, has.offer) |
        bit(pq.peerKey, has.peerOffer) |
        bit(pq.answeredName, has.answeredName),
    )
    .u8(ratchet.suite)
    .sized(ratchet.associated)
    .fixed(ratchet.root.expose())
    .fixed(ratchet.nextSendingHeaderKey.expose())
    .fixed(ratchet.nextReceivingHeaderKey.expose())
    .u32(ratchet.previousCount)
  if (ownKey !== undefined) out.fixed(ownKey.secret.expose()).fixed(ownKey.publicKey)
  if (peerKey !== undefined) out.fixed(peerKey)
  if (sending !== undefined) writeSending(out, sending)
  writePq(out, pq)
  out.u8(ratchet.receiving.length)
  for (const chain of ratchet.receiving) writeReceiving(out, chain)
}

/** Reads a ratchet; throws `Truncated` when it is not one. */
export function readRatchet(input: ByteReader): Ratchet {
  const bits = input.u8()
  return {
    suite: input.u8(),
    associated: input.sized(),
    root: readKey(input),
    nextSendingHeaderKey: readKey(input),
    nextReceivingHeaderKey: readKey(input),
    previousCount: input.u32(),
    ownKey: when(bits & has.ownKey, () => readKeyPair(input)),
    peerKey: when(bits & has.peerKey, () => input.fixed<DhPublicKey>(sizes.dhPublic)),
    sending: when(bits & has.sending, () => readSending(input, (bits & has.answer) !== 0)),
    pq: readPq(input, bits),
    receiving: readChains(input),
  }
}

const when = <T>(present: number, read: () => T): T | undefined => (present === 0 ? undefined : read())
const readKey = (input: ByteReader): Secret => new Secret(input.fixed(sizes.seed))
const readKeyPair = (input: ByteReader): DhKeyPair => ({
  secret: readKey(input),
  publicKey: input.fixed<DhPublicKey>(sizes.dhPublic),
})

function writeSending(out: ByteWriter, chain: SendingChain): void {
  out.fixed(chain.headerKey.expose()).fixed(chain.chainKey.expose()).u32(chain.count)
  if (chain.answer !== undefined) out.fixed(chain.answer.name).fixed(chain.answer.ciphertext)
}

const readSending = (input: ByteReader, answered: boolean): SendingChain => ({
  headerKey: readKey(input),
  chainKey: readKey(input),
  count: input.u32(),
  answer: answered
    ? { name: input.fixed(offerNameBytes), ciphertext: input.fixed<KemCiphertext>(sizes.kemCiphertext) }
    : undefined,
})

function writePq(out: ByteWriter, pq: PqState): void {
  out
    .u8(bit(pq.wanted, pqBits.wanted) | bit(pq.overdue, pqBits.overdue))
    .u32(pq.messages)
    .u64(pq.steppedAtMs)
  if (pq.offer !== undefined) {
    const { keyPair, createdAtMs } = pq.offer
    out.fixed(keyPair.secret.expose()).fixed(keyPair.publicKey).u64(createdAtMs)
  }
  if (pq.peerKey !== undefined) out.fixed(pq.peerKey)
  if (pq.answeredName !== undefined) out.fixed(pq.answeredName)
}

function readPq(input: ByteReader, bits: number): PqState {
  const flags = input.u8()
  return {
    wanted: (flags & pqBits.wanted) !== 0,
    overdue: (flags & pqBits.overdue) !== 0,
    messages: input.u32(),
    steppedAtMs: input.u64(),
    offer: when(bits & has.offer, () => {
      const secret = new Secret(input.fixed(sizes.kemSeed))
      return {
        keyPair: { secret, publicKey: input.fixed<KemPublicKey>(sizes.kemPublic) },
        createdAtMs: input.u64(),
      }
    }),
    peerKey: when(bits & has.peerOffer, () => input.fixed<KemPublicKey>(sizes.kemPublic)),
    answeredName: when(bits & has.answeredName, () => input.fixed(offerNameBytes)),
  }
}

function writeReceiving(out: ByteWriter, chain: ReceivingChain): void {
  out.u8(bit(chain.chainKey, 1)).fixed(chain.headerKey.expose())
  if (chain.chainKey !== undefined) out.fixed(chain.chainKey.expose())
  out.u32(chain.count).u32(chain.skipped.forgottenBelow).sized(chain.skipped.rows.expose())
}

function readChains(input: ByteReader): readonly ReceivingChain[] {
  const chains = input.u8()
  if (chains > limits.receiveChains) throw new Truncated('chains')
  return Array.from({ length: chains }, () => readReceiving(input))
}

function readReceiving(input: ByteReader): ReceivingChain {
  const live = input.u8()
  const headerKey = readKey(input)
  const chainKey = when(live, () => readKey(input))
  const count = input.u32()
  const forgottenBelow = input.u32()
  const skipped = skippedKeysFrom(input.sized(), forgottenBelow)
  if (skipped === undefined) throw new Truncated('skipped keys')
  return { headerKey, chainKey, count, skipped }
}
