import {
  sizes,
  type CryptoProvider,
  type DhPublicKey,
  type KemCiphertext,
  type KemPublicKey,
  type Secret,
} from '../crypto/index.ts'
import { readVarint, varintLength, writeVarint } from './varint.ts'

/** Bytes of SHA-256(ek) by which an answer names the offered key. */
export const offerNameBytes = 8

/** The answer to an offered KEM key. */
export interface PqAnswer {
  /** First bytes of SHA-256 of the key that was offered. */
  readonly name: Uint8Array
  readonly ciphertext: KemCiphertext
}

/** What a ratchet message says about itself, sealed under a header key. */
export interface Header {
  /** The sender's current ratchet key. */
  readonly ratchetKey: DhPublicKey
  /** Messages in the sender's previous chain. */
  readonly previousCount: number
  /** Number of this message in its chain, from 0. */
  readonly count: number
  /** KEM key the sender would like to have answered. */
  readonly offer: KemPublicKey | undefined
  /** Answer mixed into the step that started this chain. */
  readonly answer: PqAnswer | undefined
}

const offerTag = 1
const answerTag = 2
const answerBytes = offerNameBytes + sizes.kemCiphertext

/** Longest header before sealing. */
const maxHeaderBytes = sizes.dhPublic + 5 + 5 + (1 + sizes.kemPublic) + (1 + answerBytes)
/** Shortest and longest header as sealed. */
export const sealedHeaderBytes = {
  min: sizes.dhPublic + 1 + 1 + sizes.aeadTag,
  max: maxHeaderBytes + sizes.aeadTag,
} as const

/**
 * Ratchet key, two shortest-form LEB128 counters, then the KEM parts that are there, each behind its tag, in
 * rising order. One header has one encoding; 34 bytes when it is small.
 */
export function encodeHeader(header: Header): Uint8Array {
  const { offer, answer } = header
  const counters = varintLength(header.previousCount) + varintLength(header.count)
  const kem = (offer === undefined ? 0 : 1 + sizes.kemPublic) + (answer === undefined ? 0 : 1 + answerBytes)
  const out = new Uint8Array(sizes.dhPublic + counters + kem)
  out.set(header.ratchetKey)
  let at = writeVarint(out, sizes.dhPublic, header.previousCount)
  at = writeVarint(out, at, header.count)
  if (offer !== undefined) {
    out[at] = offerTag
    out.set(offer, at + 1)
    at += 1 + sizes.kemPublic
  }
  if (answer !== undefined) {
    out[at] = answerTag
    out.set(answer.name, at + 1)
    out.set(answer.ciphertext, at + 1 + offerNameBytes)
  }
  return out
}

/** Reads exactly what `encodeHeader` writes; undefined for anything else. */
export function decodeHeader(input: Uint8Array): Header | undefined {
  const previousCount = readVarint(input, sizes.dhPublic)
  if (previousCount === undefined) return undefined
  let at = sizes.dhPublic + varintLength(previousCount)
  const count = readVarint(input, at)
  if (count === undefined) return undefined
  at += varintLength(count)
  let offer: KemPublicKey | undefined
  let answer: PqAnswer | undefined
  if (input[at] === offerTag) {
    offer = input.slice(at + 1, at + 1 + sizes.kemPublic) as KemPublicKey
    at += 1 + sizes.kemPublic
  }
  if (input[at] === answerTag) {
    const name = input.slice(at + 1, at + 1 + offerNameBytes)
    answer = { name, ciphertext: input.slice(at + 1 + offerNameBytes, at + 1 + answerBytes) as KemCiphertext }
    at += 1 + answerBytes
  }
  if (at !== input.length) return undefined
  return { ratchetKey: input.slice(0, sizes.dhPublic) as DhPublicKey, previousCount, count, offer, answer }
}

/** Seals a header: its key is the chain's, its nonce the frame's, its associated data the two devices and the suite. */
export const sealHeader = (
  crypto: CryptoProvider,
  key: Secret,
  nonce: Uint8Array,
  header: Header,
  associated: Uint8Array,
): Uint8Array => crypto.seal(key.expose(), nonce, encodeHeader(header), associated)
