import {
  blindPublic,
  kdf,
  noSalt,
  signBlindedAs,
  sizes,
  type CryptoProvider,
  type SignKeyPair,
  type SignPublicKey,
} from '../crypto/index.ts'
import { UsageError } from '../errors.ts'
import { limits } from '../limits.ts'
import { encodeCbor, toHex } from '../wire/index.ts'
import { padToStep, unpadStep } from './padding.ts'
import {
  checkValue,
  compareMarks,
  encodeContent,
  encodeValue,
  keyOf,
  recordLabel,
  type Mark,
  type RecordContent,
} from './value.ts'

const dayMs = 24 * 60 * 60 * 1_000
const hourMs = 60 * 60 * 1_000

/** Slot of an account's log heads; every other slot is a device's (`deviceSlot`). */
export const accountSlot = 0

/** Seqs and slots are below this, so that a masked seq stays a safe integer. */
const counterMax = 2 ** 48

/** Bytes of a value that are not padded plaintext: frame, keys, counters, tag, signature. */
const overheadBytes = 180

/** Longest plaintext of one record. */
export const recordPlaintextBytes = limits.recordBytes - overheadBytes - 1

/** Where a record lies: the day it is found under, and the slot. */
export interface RecordPlace {
  /** Days since 1970 UTC. */
  readonly day: number
  readonly slot: number
}

/** What `sealRecord` seals. */
export interface RecordDraft extends RecordPlace {
  /** The account's discovery key pair (a, A); contacts know A only. */
  readonly discovery: SignKeyPair
  /** Higher than that of every earlier record of the slot, whatever its day; below 2^48. */
  readonly seq: number
  /** Rounded down to the hour, because an exact moment would tie the records of one batch together. */
  readonly notAfterMs: number
  readonly plaintext: Uint8Array
  /** Fresh random 24 bytes. */
  readonly nonce: Uint8Array
}

/** A record somebody's discovery key was right for. */
export interface OpenedRecord {
  readonly plaintext: Uint8Array
  readonly seq: number
  readonly notAfterMs: number
}

/** The best record found, or why there is none: nothing genuine, or nothing as new as what is known. */
export type RecordResult =
  | { readonly found: true; readonly record: OpenedRecord }
  | { readonly found: false; readonly reason: 'none' | 'rollback' }

/** The day of a moment, in days since 1970 UTC. */
export const dayOf = (nowMs: number): number => Math.floor(nowMs / dayMs)

/** The days a reader looks under, likeliest first: its clock and the writer's may lie a day apart. */
export const readingDays = (nowMs: number): readonly number[] => [
  dayOf(nowMs),
  dayOf(nowMs) - 1,
  dayOf(nowMs) + 1,
]

/** The days a writer publishes under, so that a record is found for as long as nodes keep it. */
export const publishingDays = (nowMs: number): readonly number[] => [dayOf(nowMs), dayOf(nowMs) + 1]

/** The expiry of a record published now: short of the longest life by the clock error a node may have. */
export const recordExpiry = (nowMs: number): number => nowMs + limits.dhtLifeMs

/** The slot of a device: the first 48 bits of its id, never 0. Needs no agreement among devices. */
export function deviceSlot(deviceId: Uint8Array): number {
  const slot = deviceId.subarray(0, 6).reduce((sum, byte) => sum * 256 + byte, 0)
  return slot === accountSlot ? 1 : slot
}

/** The DHT key of a place; undefined when the discovery key is not a key. */
export function recordKey(
  crypto: CryptoProvider,
  discovery: SignPublicKey,
  place: RecordPlace,
): string | undefined {
  const blinded = blindedKey(crypto, discovery, place)
  return blinded === undefined ? undefined : keyOf(crypto, blinded)
}

/** Seals a record for its place. The same draft gives the same bytes. */
export function sealRecord(
  crypto: CryptoProvider,
  draft: RecordDraft,
): { readonly key: string; readonly value: Uint8Array } {
  checkDraft(draft)
  const discovery = draft.discovery.publicKey
  const blinded = blindedKey(crypto, discovery, draft)
  if (blinded === undefined) throw new UsageError('E_KEY', 'the discovery key is not a key')
  const seq = draft.seq + seqMask(crypto, discovery, draft)
  const notAfterMs = draft.notAfterMs - (draft.notAfterMs % hourMs)
  const sealed = crypto.seal(
    sealingKey(crypto, discovery, draft),
    draft.nonce,
    padToStep(draft.plaintext, limits.recordPadBytes, recordPlaintextBytes + 1),
    associated(blinded, seq, notAfterMs),
  )
  const content: RecordContent = {
    version: 1,
    blindedKey: blinded,
    seq,
    notAfterMs,
    nonce: draft.nonce,
    sealed,
  }
  const blind = blindOf(crypto, discovery, draft)
  const signature = signBlindedAs(
    draft.discovery,
    blind,
    slotContext(draft),
    recordLabel,
    blinded,
    encodeContent(content),
  )
  return { key: keyOf(crypto, blinded), value: encodeValue({ ...content, signature }) }
}

/** Every genuine record among the values found for a place, best first. What liars put there is left out. */
export function openRecords(
  crypto: CryptoProvider,
  discovery: SignPublicKey,
  place: RecordPlace,
  values: readonly Uint8Array[],
  nowMs: number,
): readonly OpenedRecord[] {
  const key = recordKey(crypto, discovery, place)
  if (key === undefined) return []
  const good: { readonly mark: Mark; readonly record: OpenedRecord }[] = []
  for (const input of values) {
    const checked = checkValue(crypto, key, input, nowMs)
    if (!checked.ok) continue
    const record = unseal(crypto, discovery, place, checked.value)
    if (record !== undefined) good.push({ mark: { seq: record.seq, hash: checked.hash }, record })
  }
  return good.sort((a, b) => compareMarks(a.mark, b.mark)).map(({ record }) => record)
}

/**
 * The best record for a place that is no older than `highWater`, the seq of the newest one this reader has
 * seen in the slot (0 when none).
 */
export function openRecord(
  crypto: CryptoProvider,
  discovery: SignPublicKey,
  place: RecordPlace,
  values: readonly Uint8Array[],
  nowMs: number,
  highWater = 0,
): RecordResult {
  const best = openRecords(crypto, discovery, place, values, nowMs)[0]
  if (best === undefined) return { found: false, reason: 'none' }
  return best.seq < highWater ? { found: false, reason: 'rollback' } : { found: true, record: best }
}

function unseal(
  crypto: CryptoProvider,
  discovery: SignPublicKey,
  place: RecordPlace,
  value: RecordContent,
): OpenedRecord | undefined {
  const key = sealingKey(crypto, discovery, place)
  const ad = associated(value.blindedKey, value.seq, value.notAfterMs)
  const padded = crypto.open(key, value.nonce, value.sealed, ad)
  const plaintext = padded === undefined ? undefined : unpadStep(padded)
  const seq = value.seq - seqMask(crypto, discovery, place)
  if (plaintext === undefined || seq < 0 || seq >= counterMax) return undefined
  return { plaintext, seq, notAfterMs: value.notAfterMs }
}

function checkDraft(draft: RecordDraft): void {
  const within = (n: number): boolean => Number.isSafeInteger(n) && n >= 0 && n < counterMax
  if (![draft.day, draft.slot, draft.seq, draft.notAfterMs].every(within))
    throw new UsageError('E_RANGE', 'day, slot, seq and notAfter are whole numbers below 2^48')
  if (draft.nonce.length !== sizes.aeadNonce) throw new UsageError('E_RANGE', 'the nonce has 24 bytes')
  if (draft.plaintext.length > recordPlaintextBytes)
    throw new UsageError('E_RECORD_TOO_LONG', `a record holds at most ${recordPlaintextBytes} bytes`)
}

/**
 * The blinding factor of a day. It depends on A itself: key blinding is invertible, and with a factor that
 * anybody can compute anybody could turn A' back into A (draft-irtf-cfrg-signature-key-blinding).
 */
const blindOf = (crypto: CryptoProvider, discovery: SignPublicKey, { day }: RecordPlace): Uint8Array =>
  kdf(crypto, noSalt, discovery, 'dht', [day])

const slotContext = ({ slot }: RecordPlace): Uint8Array => encodeCbor([slot])

/** Blinded keys worked out lately: a device that looks for a contact again and again asks for the same few places. */
const knownPlaces = new Map<string, SignPublicKey | undefined>()
const knownPlacesMax = 512

function blindedKey(
  crypto: CryptoProvider,
  discovery: SignPublicKey,
  place: RecordPlace,
): SignPublicKey | undefined {
  const name = `${toHex(discovery)}/${place.day}/${place.slot}`
  if (knownPlaces.has(name)) return knownPlaces.get(name)
  const blinded = blindPublic(discovery, blindOf(crypto, discovery, place), slotContext(place))
  for (const oldest of knownPlaces.keys()) {
    if (knownPlaces.size < knownPlacesMax) break
    knownPlaces.delete(oldest)
  }
  knownPlaces.set(name, blinded)
  return blinded
}

const sealingKey = (
  crypto: CryptoProvider,
  discovery: SignPublicKey,
  { day, slot }: RecordPlace,
): Uint8Array => kdf(crypto, noSalt, discovery, 'dht-seal', [day, slot])

/** Added to every seq of a place, because a counter in clear would tie a slot's days together. */
const seqMask = (crypto: CryptoProvider, discovery: SignPublicKey, { day, slot }: RecordPlace): number =>
  kdf(crypto, noSalt, discovery, 'dht-seq', [day, slot], 6).reduce((sum, byte) => sum * 256 + byte, 0)

const associated = (blinded: SignPublicKey, seq: number, notAfterMs: number): Uint8Array =>
  encodeCbor([1, blinded, seq, notAfterMs])
