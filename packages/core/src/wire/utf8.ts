/** UTF-8 (RFC 3629), strict both ways: no overlong form, no surrogate, nothing beyond U+10FFFF. */

/** Bytes of a string in UTF-8; Infinity when it holds a lone surrogate, which UTF-8 cannot say. */
export function utf8Length(value: string): number {
  let length = 0
  for (let i = 0; i < value.length; i++) {
    const unit = value.charCodeAt(i)
    if (unit < 0x80) length += 1
    else if (unit < 0x800) length += 2
    else if (unit < 0xd800 || unit > 0xdfff) length += 3
    else {
      const low = value.charCodeAt(i + 1)
      if (unit > 0xdbff || !(low >= 0xdc00 && low <= 0xdfff)) return Infinity
      length += 4
      i += 1
    }
  }
  return length
}

/** Writes a string at an offset where it has room; gives the offset behind it. */
export function writeUtf8(out: Uint8Array, at: number, value: string): number {
  for (let i = 0; i < value.length; i++) {
    const code = value.codePointAt(i) ?? 0
    if (code < 0x80) {
      out[at++] = code
      continue
    }
    if (code < 0x800) out[at++] = 0xc0 | (code >> 6)
    else if (code < 0x10000) {
      out[at++] = 0xe0 | (code >> 12)
      out[at++] = 0x80 | ((code >> 6) & 63)
    } else {
      i += 1
      out[at++] = 0xf0 | (code >> 18)
      out[at++] = 0x80 | ((code >> 12) & 63)
      out[at++] = 0x80 | ((code >> 6) & 63)
    }
    out[at++] = 0x80 | (code & 63)
  }
  return at
}

/** UTF-8 of a string. */
export function utf8(value: string): Uint8Array {
  const out = new Uint8Array(3 * value.length)
  return out.slice(0, writeUtf8(out, 0, value))
}

/** Arguments of one call; engines limit them. */
const chunk = 4_096

/** The string that these bytes are; undefined when they are no UTF-8. */
export function readUtf8(input: Uint8Array): string | undefined {
  let out = ''
  let codes: number[] = []
  for (let at = 0; at < input.length;) {
    const first = input[at] ?? 0
    const more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3
    const code = more === 0 ? first : characterAt(input, at, more)
    if (code === undefined) return undefined
    codes.push(code)
    at += 1 + more
    if (codes.length < chunk && at < input.length) continue
    out += String.fromCodePoint(...codes)
    codes = []
  }
  return out
}

/** Least character of each length: a smaller one has a shorter form. */
const least = [0, 0x80, 0x800, 0x10000] as const

function characterAt(input: Uint8Array, at: number, more: 1 | 2 | 3): number | undefined {
  const first = input[at] ?? 0
  const mask = 0x3f >> more
  if ((first & ~mask) !== ((0xff80 >> more) & 0xff)) return undefined
  let code = first & mask
  for (let i = at + 1; i <= at + more; i++) {
    const next = input[i] ?? 0
    if ((next & 0xc0) !== 0x80) return undefined
    code = (code << 6) | (next & 63)
  }
  const surrogate = code >= 0xd800 && code < 0xe000
  return code < least[more] || code > 0x10ffff || surrogate ? undefined : code
}
