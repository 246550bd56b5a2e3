import {
  bool,
  bytes,
  bytesBetween,
  fields,
  frame,
  fromBase32,
  fromBase64Url,
  list,
  literal,
  nullable,
  oneOf,
  openOneOf,
  text,
  toBase32,
  toBase64Url,
  uint,
} from '../../../packages/core/src/wire/index.ts'
import { bytesOfText, frameTarget, sameBytes, textOfBytes } from '../checks.ts'
import type { FuzzTarget } from '../driver.ts'

/** A frame of every combinator there is, nested. */
const everything = frame(
  'fuzz-everything',
  fields({
    version: literal(1),
    small: uint(23),
    big: uint(),
    id: bytes(4),
    blob: bytesBetween(0, 300),
    label: text(40),
    flag: bool,
    maybe: nullable(list(text(8), 5)),
    choice: oneOf({ none: [0, {}], some: [1, { value: uint(), list: list(bytes(2), 3) }] }),
    rest: list(list(list(list(uint(), 4), 4), 4), 4),
  }),
)

const open = frame('fuzz-open', fields({ items: list(openOneOf({ known: [1, { value: uint() }] }), 10) }))

const seeds = [
  everything.encode({
    version: 1,
    small: 23,
    big: Number.MAX_SAFE_INTEGER,
    id: Uint8Array.of(1, 2, 3, 4),
    blob: new Uint8Array(260),
    label: 'ünï𝄞',
    flag: true,
    maybe: ['a', ''],
    choice: { kind: 'some', value: 70_000, list: [Uint8Array.of(1, 2)] },
    rest: [[[[1, 2], []], []], []],
  }),
  everything.encode({
    version: 1,
    small: 0,
    big: 24,
    id: new Uint8Array(4),
    blob: new Uint8Array(0),
    label: '',
    flag: false,
    maybe: null,
    choice: { kind: 'none' },
    rest: [],
  }),
]

/** Whatever text decodes is written back as it was. */
const textTarget = (
  name: string,
  seed: string,
  decode: (value: string) => Uint8Array | undefined,
  encode: (value: Uint8Array) => string,
  fold: (value: string) => string,
): FuzzTarget => ({
  name,
  seeds: [bytesOfText(seed), bytesOfText('')],
  run: (input) => {
    const value = textOfBytes(input)
    const decoded = decode(value)
    return decoded !== undefined && sameBytes(bytesOfText(encode(decoded)), bytesOfText(fold(value)))
  },
})

export const targets: readonly FuzzTarget[] = [
  frameTarget('wire/every combinator', everything, seeds),
  {
    name: 'wire/open union',
    seeds: [
      open.encode({ items: [{ kind: 'known', value: 1 }] }),
      Uint8Array.of(0x81, 0x82, 0x82, 1, 5, 0x82, 9, 0x80),
    ],
    run: (input) => {
      const decoded = open.decode(input)
      if (!decoded.ok) return false
      return (
        decoded.value.items.some(({ kind }) => kind === 'unknown') ||
        sameBytes(open.encode(decoded.value), input)
      )
    },
  },
  textTarget('wire/base32', 'mfrggzdfmztwq2lk', fromBase32, toBase32, (value) => value.toLowerCase()),
  textTarget('wire/base64url', 'AAEC_-8', fromBase64Url, toBase64Url, (value) => value),
]
