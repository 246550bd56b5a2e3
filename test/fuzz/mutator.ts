/** Seeded mutation of byte strings: the same seed gives the same inputs on every machine. */

/** A small fast generator (Bryc's sfc32): not for secrets. */
export type Draw = (below: number) => number

export function drawFrom(seed: number): Draw {
  let [a, b, c, d] = [seed | 0, 0x9e3779b9 | 0, 0x243f6a88 | 0, 1]
  const next = (): number => {
    const t = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + t
    return t >>> 0
  }
  for (let i = 0; i < 15; i++) next()
  return (below) => next() % Math.max(below, 1)
}

/** Bytes that parsers trip over: CBOR heads at their edges, long lengths, reserved bits, nesting, varints. */
const dictionary = [
  [0x00], [0x17], [0x18, 0x17], [0x18, 0x18], [0x19, 0x00, 0x17], [0x1a, 0xff, 0xff, 0xff, 0xff],
  [0x1b, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [0x1b, 0, 0x20, 0, 0, 0, 0, 0, 0],
  [0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [0x1c], [0x20], [0x38, 0xff], [0x3b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0x40], [0x58, 0x00], [0x58, 0x20], [0x58, 0x40], [0x59, 0xff, 0xff], [0x5a, 0x7f, 0xff, 0xff, 0xff], [0x5b, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff], [0x5f, 0x41, 0x00, 0xff],
  [0x60], [0x61, 0x80], [0x63, 0xed, 0xa0, 0x80], [0x64, 0xf4, 0x90, 0x80, 0x80], [0x7f, 0x61, 0x61, 0xff], [0x78, 0x01, 0x61],
  [0x80], [0x81], [0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x80], [0x98, 0x01], [0x9a, 0x00, 0xff, 0xff, 0xff], [0x9b, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [0x9f, 0xff],
  [0xa0], [0xa1, 0x69, 0x5f, 0x5f, 0x70, 0x72, 0x6f, 0x74, 0x6f, 0x5f, 0x5f, 0x80], [0xbf, 0xff], [0xc0, 0x00], [0xc2, 0x41, 0xff], [0xd9, 0xd9, 0xf7],
  [0xf4], [0xf5], [0xf6], [0xf7], [0xf8, 0x14], [0xf9, 0x7e, 0x00], [0xfa, 0x7f, 0x80, 0, 0], [0xfb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0], [0xff],
  [0x80, 0x00], [0xff, 0xff, 0xff, 0xff, 0x7f], [0xff, 0xff, 0xff, 0x7f], [0x80, 0x80, 0x80, 0x80, 0x80, 0x01], [0x84, 0x01, 0x01], [0x86, 0x01, 0x02],
  [0x2f], [0x2e], [0x23], [0x0a], [0x0d, 0x0a], [0xef, 0xbb, 0xbf], [0xe2, 0x80, 0xae], [0x5f, 0x5f, 0x70, 0x72, 0x6f, 0x74, 0x6f, 0x5f, 0x5f],
].map((bytes) => Uint8Array.from(bytes)) // prettier-ignore

type Mutation = (input: Uint8Array, draw: Draw, other: Uint8Array) => Uint8Array

const splice = (input: Uint8Array, at: number, cut: number, put: Uint8Array): Uint8Array => {
  const end = Math.min(at + cut, input.length)
  const out = new Uint8Array(at + put.length + input.length - end)
  out.set(input.subarray(0, at))
  out.set(put, at)
  out.set(input.subarray(end), at + put.length)
  return out
}

const changeByte = (input: Uint8Array, at: number, change: (byte: number) => number): Uint8Array => {
  const out = input.slice()
  out[at] = change(out[at] ?? 0)
  return out
}

const part = (from: Uint8Array, draw: Draw): Uint8Array => {
  const at = draw(from.length)
  return from.subarray(at, at + 1 + draw(Math.min(from.length - at, 64)))
}

const mutations: readonly Mutation[] = [
  /** One bit. */
  (input, draw) => changeByte(input, draw(input.length), (byte) => byte ^ (1 << draw(8))),
  /** One byte, whatever it is. */
  (input, draw) => changeByte(input, draw(input.length), () => draw(256)),
  /** One step up or down: lengths and counts that are off by one. */
  (input, draw) => changeByte(input, draw(input.length), (byte) => byte + (draw(2) === 0 ? 1 : -1)),
  (input, draw) => input.slice(0, draw(input.length + 1)),
  (input, draw) => input.slice(draw(input.length + 1)),
  /** A piece of another seed in the place of a piece of this. */
  (input, draw, other) => splice(input, draw(input.length + 1), draw(48), part(other, draw)),
  /** The tail of another seed. */
  (input, draw, other) =>
    splice(input, draw(input.length + 1), input.length, other.subarray(draw(other.length + 1))),
  /** A piece twice. */
  (input, draw) => splice(input, draw(input.length + 1), 0, part(input, draw)),
  (input, draw) => splice(input, draw(input.length + 1), draw(16), new Uint8Array(0)),
  (input, draw) =>
    splice(input, draw(input.length + 1), draw(9), dictionary[draw(dictionary.length)] ?? input),
  (input, draw) => splice(input, draw(input.length + 1), 0, dictionary[draw(dictionary.length)] ?? input),
  /** A head of CBOR that claims another length. */
  (input, draw) => editLength(input, draw),
  (input, draw) => splice(input, draw(input.length + 1), 0, new Uint8Array(1 + draw(300)).fill(draw(256))),
]

/** Finds a byte that could be the head of a string or list and changes what it claims. */
function editLength(input: Uint8Array, draw: Draw): Uint8Array {
  const start = draw(input.length)
  for (let i = 0; i < input.length; i++) {
    const at = (start + i) % input.length
    const head = input[at] ?? 0
    const major = head >> 5
    if (major < 2 || major > 4) continue
    const info = head & 31
    if (info < 24) return changeByte(input, at, () => (major << 5) | draw(28))
    if (info < 28)
      return changeByte(input, at + 1 + draw(2 ** (info - 24)), (byte) =>
        draw(2) === 0 ? byte + 1 : draw(256),
      )
  }
  return input
}

/** Bytes at random, without any seed: short ones, for heads are where parsers differ. */
const noise = (draw: Draw): Uint8Array => Uint8Array.from({ length: draw(80) }, () => draw(256))

/** The next input: mostly one to six mutations of a seed, sometimes noise, sometimes the seed itself. */
export function mutate(seeds: readonly Uint8Array[], draw: Draw): Uint8Array {
  const seed = seeds[draw(seeds.length)]
  if (seed === undefined || draw(50) === 0) return noise(draw)
  if (draw(200) === 0) return seed
  let input: Uint8Array = seed
  for (let rounds = 1 + draw(draw(6) + 1); rounds > 0; rounds--) {
    const mutation = mutations[draw(mutations.length)]
    if (mutation !== undefined && input.length > 0)
      input = mutation(input, draw, seeds[draw(seeds.length)] ?? seed)
  }
  return input
}
