import type { Network } from '@sotto/core/ports'
import { fromBase32, toBase32, toHex, utf8 } from '../../packages/core/src/wire/index.ts'

/** Everything that left for the network or came to lie on a relay, as given, before any transport cipher. */
export class Outside {
  readonly #seen: { readonly where: string; readonly bytes: Buffer }[] = []

  note(where: string, ...parts: readonly (Uint8Array | string)[]): void {
    for (const part of parts)
      this.#seen.push({ where, bytes: Buffer.from(typeof part === 'string' ? utf8(part) : part) })
  }

  /** Bytes of one kind so far: a run that sent none proves nothing. */
  bytes(where: string): number {
    return this.#seen.filter((one) => one.where === where).reduce((sum, { bytes }) => sum + bytes.length, 0)
  }

  /** Where any of the planted things lies in clear, in whatever writing. */
  leaks(planted: ReadonlyMap<string, readonly Uint8Array[]>): readonly string[] {
    const found = new Set<string>()
    for (const [name, needles] of planted)
      for (const { where, bytes } of this.#seen)
        if (needles.some((needle) => bytes.includes(Buffer.from(needle)))) found.add(`${name} in ${where}`)
    return [...found].sort()
  }
}

/** A text or name: its UTF-8, and as JSON and base64 write it. */
export const textNeedles = (text: string): readonly Uint8Array[] => [
  utf8(text),
  utf8(text.toLowerCase()),
  Buffer.from(Buffer.from(text).toString('base64').slice(0, -4)),
  Buffer.from(text, 'utf16le'),
]

/** An id: raw, hexadecimal, base32 and base64 in both alphabets, and a run of its first 16 bytes. */
export function idNeedles(base32: string): readonly Uint8Array[] {
  const raw = fromBase32(base32)
  if (raw === undefined) throw new Error('not base32')
  const short = raw.subarray(0, 16)
  return [
    short,
    utf8(toHex(short)),
    utf8(toHex(short).toUpperCase()),
    utf8(toBase32(raw).slice(0, 24)),
    utf8(toBase32(raw).slice(0, 24).toUpperCase()),
    Buffer.from(Buffer.from(raw).toString('base64').slice(0, 20)),
    Buffer.from(Buffer.from(raw).toString('base64url').slice(0, 20)),
  ]
}

/** The port with everything it is given written down; what is answered stays as it is. */
export function overheard(network: Network, outside: Outside): Network {
  return new Proxy(network, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value !== 'function') return value
      const call = value.bind(target) as (...input: unknown[]) => unknown
      return (...input: unknown[]) => {
        outside.note(String(key), ...input.flat().filter(isText))
        return call(...input)
      }
    },
  })
}

const isText = (value: unknown): value is string | Uint8Array =>
  typeof value === 'string' || value instanceof Uint8Array
