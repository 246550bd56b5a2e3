import { nobleProvider, signAs, type SignKeyPair } from '../../../packages/core/src/crypto/index.ts'
import { sealRecord, type RecordDraft } from '../../../packages/core/src/discovery/index.ts'
import { encodeContent, encodeValue, keyOf, recordLabel } from '../../../packages/core/src/discovery/value.ts'

export const crypto = nobleProvider()

/** Noon of a day in 2026. */
export const noonMs = Date.UTC(2026, 2, 10, 12)
export const hourMs = 60 * 60 * 1_000
export const dayMs = 24 * hourMs

/** Deterministic bytes: the same seed gives the same string. */
export function bytesOf(seed: string, length = 32): Uint8Array {
  const out = new Uint8Array(length)
  for (let at = 0, i = 0; at < length; at += 32, i++)
    out.set(crypto.sha256(new TextEncoder().encode(`${seed}/${i}`)).subarray(0, length - at), at)
  return out
}

export const keyPair = (seed: string): SignKeyPair => crypto.signKeyPair(bytesOf(seed))

/** A record of the account named by `who`, good for a day. */
export function record(who: string, changes: Partial<RecordDraft> = {}) {
  const day = Math.floor(noonMs / dayMs)
  return sealRecord(crypto, {
    discovery: keyPair(who),
    day,
    slot: 0,
    seq: 1,
    notAfterMs: noonMs + dayMs,
    plaintext: bytesOf('plaintext', 300),
    nonce: bytesOf(`${who}/${changes.slot ?? 0}/${changes.day ?? day}/${changes.seq ?? 1}`, 24),
    ...changes,
  })
}

/** A value a plain key signs, as anybody may make one: nodes cannot tell a blinded key from another. */
export function valueOf(who: SignKeyPair, seq: number, notAfterMs: number, sealed = bytesOf('sealed', 100)) {
  const content = {
    version: 1,
    blindedKey: who.publicKey,
    seq,
    notAfterMs,
    nonce: bytesOf('nonce', 24),
    sealed,
  } as const
  const signature = signAs(crypto, who, recordLabel, who.publicKey, encodeContent(content))
  return { key: keyOf(crypto, who.publicKey), value: encodeValue({ ...content, signature }) }
}
