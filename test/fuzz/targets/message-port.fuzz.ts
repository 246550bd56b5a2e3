import { readMessage } from '../../../packages/core/bindings/message-port/message.ts'
import { bytesOfText, textOfBytes } from '../checks.ts'
import type { FuzzTarget } from '../driver.ts'

const messages = [
  { kind: 'hello', host: 'h' },
  { kind: 'call', client: 'c', number: 1, method: 'open', args: [1, 'two'] },
  { kind: 'error', client: 'c', number: 1, error: { code: 'E_X' } },
  { kind: 'events', client: 'c', events: [{ number: 1, event: null }] },
  { kind: 'acks', client: 'c', numbers: [1, 2] },
  { kind: 'hasOwnProperty' },
  { kind: '__proto__', client: 'c' },
  { kind: { toString: 1, valueOf: 1 } },
].map((message) => bytesOfText(JSON.stringify({ sotto: 'network', ...message })))

/** What any script of the origin may post: anything that can be cloned. */
const parse = (input: Uint8Array): unknown => {
  try {
    return JSON.parse(textOfBytes(input))
  } catch {
    return textOfBytes(input)
  }
}

export const targets: readonly FuzzTarget[] = [
  {
    name: 'message-port/message',
    seeds: messages,
    run: (input) => readMessage('network', parse(input)) !== undefined,
  },
]
