import { sizes } from '../crypto/index.ts'
import { limits } from '../limits.ts'
import { recordKinds, type RecordContent } from './record-frame.ts'

/**
 * Writer and reader of the bytes of a record. They give exactly what the declared frame gives, and nothing else; they
 * are here because folding, opening and sync do little else than write records again.
 */

const maxBytes = 2_048
const scratch = new Uint8Array(maxBytes)
const fieldCount = 18
const none = 0xf6
const [uints, byteStrings, arrays] = [0, 2, 4]

/** Canonical bytes of a record; undefined when it breaks a bound of the frame. */
export function writeRecordBytes(content: RecordContent): Uint8Array | undefined {
  if (!fits(content)) return undefined
  scratch[0] = (arrays << 5) | fieldCount
  let at = putId(1, content.conversation)
  at = putId(at, content.segment)
  at = putHead(at, uints, content.kind)
  at = putId(at, content.account)
  at = putId(at, content.device)
  at = putHead(at, uints, content.aseq)
  at = putHead(at, uints, content.sseq)
  at = putId(at, content.selfPrev)
  at = putIds(at, content.refs)
  at = putIds(at, content.xrefs)
  at = putIds(at, content.groupHeads)
  at = putHead(at, uints, content.lamport)
  at = putHead(at, uints, content.timestampMs)
  at = content.ttlMs === null ? putByte(at, none) : putHead(at, uints, content.ttlMs)
  at = putId(at, content.target)
  at = putHead(at, uints, content.history)
  at = putId(at, content.bodyCommit)
  at = putHead(at, uints, content.sizeClass)
  return scratch.slice(0, at)
}

const isUint = (value: number, max: number = Number.MAX_SAFE_INTEGER): boolean =>
  Number.isSafeInteger(value) && value >= 0 && value <= max
const isId = (id: Uint8Array | null): boolean => id === null || id.length === sizes.hash
const areIds = (ids: readonly Uint8Array[]): boolean => ids.length <= limits.recordLinks && ids.every(isId)

const fits = (content: RecordContent): boolean => numbersFit(content) && idsFit(content)

const numbersFit = (content: RecordContent): boolean =>
  isUint(content.kind, recordKinds.timer) &&
  isUint(content.aseq) &&
  isUint(content.sseq, limits.segmentRecords) &&
  isUint(content.lamport) &&
  isUint(content.timestampMs) &&
  isUint(content.ttlMs ?? 0) &&
  isUint(content.history, 1) &&
  isUint(content.sizeClass)

const idsFit = (content: RecordContent): boolean =>
  isId(content.conversation) &&
  isId(content.segment) &&
  isId(content.account) &&
  isId(content.device) &&
  isId(content.selfPrev) &&
  isId(content.target) &&
  isId(content.bodyCommit) &&
  areIds(content.refs) &&
  areIds(content.xrefs) &&
  areIds(content.groupHeads)

function putByte(at: number, byte: number): number {
  scratch[at] = byte
  return at + 1
}

function putId(at: number, id: Uint8Array | null): number {
  if (id === null) return putByte(at, none)
  const start = putHead(at, byteStrings, id.length)
  scratch.set(id, start)
  return start + id.length
}

function putIds(at: number, ids: readonly Uint8Array[]): number {
  let next = putHead(at, arrays, ids.length)
  for (const id of ids) next = putId(next, id)
  return next
}

/** The shortest head of a value (RFC 8949 §4.2.1). */
function putHead(at: number, major: number, value: number): number {
  const top = major << 5
  if (value < 24) return putByte(at, top | value)
  const width = value < 0x100 ? 1 : value < 0x1_0000 ? 2 : value < 0x1_0000_0000 ? 4 : 8
  scratch[at] = top | (width === 1 ? 24 : width === 2 ? 25 : width === 4 ? 26 : 27)
  let rest = value
  for (let i = width; i > 0; i--) {
    scratch[at + i] = rest % 0x100
    rest = Math.floor(rest / 0x100)
  }
  return at + 1 + width
}

/** Reads exactly what `writeRecordBytes` writes; undefined for anything else. */
export function readRecordBytes(input: Uint8Array): RecordContent | undefined {
  if (input.length > maxBytes) return undefined
  const reader = new Reader(input)
  if (reader.head(arrays) !== fieldCount) return undefined
  const content: RecordContent = {
    conversation: reader.id(),
    segment: reader.id(),
    kind: reader.head(uints),
    account: reader.id(),
    device: reader.id(),
    aseq: reader.head(uints),
    sseq: reader.head(uints),
    selfPrev: reader.isNone() ? null : reader.id(),
    refs: reader.ids(),
    xrefs: reader.ids(),
    groupHeads: reader.ids(),
    lamport: reader.head(uints),
    timestampMs: reader.head(uints),
    ttlMs: reader.isNone() ? null : reader.head(uints),
    target: reader.isNone() ? null : reader.id(),
    history: reader.head(uints),
    bodyCommit: reader.id(),
    sizeClass: reader.head(uints),
  }
  return reader.isAtEnd() && fits(content) ? content : undefined
}

/** Walks canonical CBOR; a step onto anything else makes it not good. */
class Reader {
  readonly #input: Uint8Array
  #at = 0
  #good = true

  constructor(input: Uint8Array) {
    this.#input = input
  }

  isAtEnd(): boolean {
    return this.#good && this.#at === this.#input.length
  }

  isNone(): boolean {
    if (this.#input[this.#at] !== none) return false
    this.#at += 1
    return true
  }

  /** The value of a head of this major type, written as short as can be. */
  head(major: number): number {
    const first = this.#input[this.#at] ?? 0
    this.#at += 1
    const info = first & 31
    if (first >> 5 !== major || info > 27) return this.#fail()
    if (info < 24) return info
    const width = 1 << (info - 24)
    let value = 0
    for (let i = 0; i < width; i++) value = value * 0x100 + (this.#input[this.#at + i] ?? 0)
    this.#at += width
    const shorter = width === 1 ? 24 : 0x100 ** (width / 2)
    return value < shorter || !Number.isSafeInteger(value) ? this.#fail() : value
  }

  id(): Uint8Array {
    const length = this.head(byteStrings)
    const end = this.#at + length
    if (length !== sizes.hash || end > this.#input.length) this.#fail()
    const id = this.#input.slice(this.#at, end)
    this.#at = end
    return id
  }

  ids(): Uint8Array[] {
    const count = this.head(arrays)
    if (count <= limits.recordLinks) return Array.from({ length: count }, () => this.id())
    this.#fail()
    return []
  }

  #fail(): number {
    this.#good = false
    return 0
  }
}
