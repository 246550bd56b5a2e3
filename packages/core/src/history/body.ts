import { limits } from '../limits.ts'
import { fields, frame, nullable, text, uint } from '../wire/index.ts'
import { isEmoji } from './emoji.ts'
import { recordKinds } from './record-frame.ts'

const textShape = fields({ text: text(limits.textBytes) })
const messageFrame = frame('body-msg', textShape, limits.textBytes + 16)
const editFrame = frame('body-edit', textShape, limits.textBytes + 16)
const redactFrame = frame('body-redact', fields({}), 16)
const reactFrame = frame('body-react', fields({ emoji: text(limits.emojiBytes) }), limits.emojiBytes + 16)
const timerFrame = frame('body-timer', fields({ ms: nullable(uint(limits.timerMs)) }), 16)

/** What a record says, by its kind. What it says it about is its `target`. */
export type Body =
  /** A message; with a target, an answer to it. */
  | { readonly kind: 'msg'; readonly text: string }
  /** The whole new text of the target. */
  | { readonly kind: 'edit'; readonly text: string }
  | { readonly kind: 'redact' }
  /** One emoji; an empty text takes the account's reaction back. */
  | { readonly kind: 'react'; readonly emoji: string }
  /** How long messages from here on live, in milliseconds; null for ever. */
  | { readonly kind: 'timer'; readonly ms: number | null }

/** Bytes of a body. Throws when it breaks a bound (`fitsMessage`, `fitsReaction`): a caller's bug. */
export function encodeBody(body: Body): Uint8Array {
  switch (body.kind) {
    case 'msg':
      return messageFrame.encode(body)
    case 'edit':
      return editFrame.encode(body)
    case 'redact':
      return redactFrame.encode(body)
    case 'react':
      return reactFrame.encode(body)
    case 'timer':
      return timerFrame.encode(body)
  }
}

/** What a record of this kind says with these bytes; undefined when they are none of the kind's. */
export function decodeBody(kind: number, body: Uint8Array): Body | undefined {
  switch (kind) {
    case recordKinds.msg:
      return said(messageFrame.decode(body), (value) => ({ kind: 'msg', text: value.text }))
    case recordKinds.edit:
      return said(editFrame.decode(body), (value) => ({ kind: 'edit', text: value.text }))
    case recordKinds.redact:
      return said(redactFrame.decode(body), () => ({ kind: 'redact' }))
    case recordKinds.react:
      return said(reactFrame.decode(body), (value) => ({ kind: 'react', emoji: value.emoji }))
    case recordKinds.timer:
      return said(timerFrame.decode(body), (value) => ({ kind: 'timer', ms: value.ms }))
    default:
      return undefined
  }
}

const said = <T>(
  decoded: { readonly ok: true; readonly value: T } | { readonly ok: false },
  as: (value: T) => Body,
): Body | undefined => (decoded.ok ? as(decoded.value) : undefined)

/** Body of a `msg` record. The text fits `limits.textBytes` of UTF-8 or the caller is told first. */
export const encodeMessageBody = (value: string): Uint8Array => encodeBody({ kind: 'msg', text: value })

/** The text of a `msg` body; undefined when the author's bytes are none. */
export function decodeMessageBody(body: Uint8Array): string | undefined {
  const decoded = decodeBody(recordKinds.msg, body)
  return decoded?.kind === 'msg' ? decoded.text : undefined
}

/** Whether a text can be a message, or what one is changed to: not empty, well-formed and within the limit. */
export function fitsMessage(value: string): boolean {
  if (value.length === 0 || value.length > limits.textBytes) return false
  try {
    encodeMessageBody(value)
    return true
  } catch {
    return false
  }
}

/** Whether a text can be a reaction: one emoji (§9), or nothing, which takes the reaction back. */
export const fitsReaction = (value: string): boolean => value === '' || isEmoji(value)

/** Whether messages can be given this life, in milliseconds. */
export const fitsTimer = (ms: number): boolean => Number.isSafeInteger(ms) && ms > 0 && ms <= limits.timerMs
