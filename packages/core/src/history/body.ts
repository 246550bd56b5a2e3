import { limits } from '../limits.ts'
import { fields, frame, text } from '../wire/index.ts'

const messageFrame = frame('body-msg', fields({ text: text(limits.textBytes) }), limits.textBytes + 16)

/** Body of a `msg` record. The text fits `limits.textBytes` of UTF-8 or the caller is told first. */
export const encodeMessageBody = (value: string): Uint8Array => messageFrame.encode({ text: value })

/** The text of a `msg` body; undefined when the author's bytes are none. */
export function decodeMessageBody(body: Uint8Array): string | undefined {
  const decoded = messageFrame.decode(body)
  return decoded.ok ? decoded.value.text : undefined
}

/** Whether a text can be a message: not empty, well-formed and within the limit. */
export function fitsMessage(value: string): boolean {
  if (value.length === 0 || value.length > limits.textBytes) return false
  try {
    encodeMessageBody(value)
    return true
  } catch {
    return false
  }
}
