import { pad, unpad, type CryptoProvider } from '../../packages/core/src/crypto/index.ts'
import { payloadFrame, type Payload, type PayloadItem } from '../../packages/core/src/device/payload.ts'
import { limits } from '@sotto/core'
import { lies, type Lie } from './lies.ts'
import type { Stream } from '../world/stream.ts'
import type { Counts } from '../world/trace.ts'

/** What a liar needs. */
export interface Lying {
  readonly draw: Stream
  readonly faults: Counts
  /** Is told how many records it makes up. */
  readonly onForged: (count: number) => void
  /** Whether it lies now. */
  readonly isOn: () => boolean
}

/** How many payloads are lies. */
const share = 0.3
/** Arrays in each other, more than anybody reads. */
const tooDeep = 4 * limits.cborDepth

/**
 * The provider of a member who lies: what it seals in its sessions is now and then something else than its device meant
 * to say, and under its own true keys.
 */
export const lying = (inner: CryptoProvider, { draw, faults, isOn, onForged }: Lying): CryptoProvider => ({
  ...inner,
  seal: (key, nonce, plaintext, associated) => {
    const open = unpad(plaintext)
    const payload = open === undefined ? undefined : payloadFrame.decode(open)
    if (payload?.ok !== true || !isOn() || !draw.chance(share))
      return inner.seal(key, nonce, plaintext, associated)
    // Records are a small part of what is said.
    const forges = recordsIn(payload.value) > 0 && draw.chance(0.7)
    const lie = forges ? 'member-forges' : draw.pick(lies)
    const told = toldAs(draw, lie, payload.value)
    if (told === undefined) return inner.seal(key, nonce, plaintext, associated)
    faults.strike(lie)
    if (lie === 'member-forges') onForged(recordsIn(payload.value))
    return inner.seal(key, nonce, pad(told), associated)
  },
})

const recordsIn = ({ items }: Payload): number =>
  items.reduce((sum, item) => sum + (item.kind === 'records' ? item.records.length : 0), 0)

/** The payload as the liar tells it; undefined where there is nothing to lie about. */
export function toldAs(draw: Stream, lie: Lie, payload: Payload): Uint8Array | undefined {
  if (lie === 'member-bombs') return bomb(payload)
  const items = rewritten(draw, lie, payload.items)
  const told = items === undefined ? undefined : payloadFrame.encode({ ...payload, items })
  return told === undefined || told.length > limits.paddedMaxBytes - 8 ? undefined : told
}

function rewritten(
  draw: Stream,
  lie: Exclude<Lie, 'member-bombs'>,
  items: readonly PayloadItem[],
): readonly PayloadItem[] | undefined {
  switch (lie) {
    case 'member-forges':
      return items.some(({ kind }) => kind === 'records')
        ? items.map((item) => forged(draw, item))
        : undefined
    case 'member-equivocates':
      return items.some(isClaim) ? items.map((item) => otherwise(draw, item)) : undefined
    case 'member-stuffs':
      return items.length === 0
        ? undefined
        : Array.from({ length: limits.payloadItems }, () => draw.pick(items))
  }
}

/** Records with a bit of their bytes, or of what they say, changed: no signature fits, or no hash. */
function forged(draw: Stream, item: PayloadItem): PayloadItem {
  if (item.kind !== 'records') return item
  const records = item.records.map((record) => {
    if (draw.chance(0.5) || record.said === null) return { ...record, bytes: flipped(draw, record.bytes) }
    return { ...record, said: { ...record.said, body: flipped(draw, record.said.body) } }
  })
  return { ...item, records }
}

const isClaim = ({ kind }: PayloadItem): boolean => kind === 'got' || kind === 'read' || kind === 'group'

/** Tells this reader something else than all others about what is held here, and how things stand. */
function otherwise(draw: Stream, item: PayloadItem): PayloadItem {
  switch (item.kind) {
    case 'got':
      return { ...item, upTo: draw.below(2 * item.upTo + 2), holes: [], last: null }
    case 'read':
      return { ...item, upTo: draw.below(2 * item.upTo + 2) }
    case 'group':
      return { ...item, heads: item.heads.map((head) => flipped(draw, head)), ops: item.ops.toReversed() }
    default:
      return item
  }
}

function flipped<B extends Uint8Array>(draw: Stream, bytes: B): B {
  const copy = bytes.slice() as B
  const bit = draw.below(copy.length * 8)
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return copy
}

/** An item of no known kind, of arrays within arrays, in place of all others. */
function bomb(payload: Payload): Uint8Array {
  const empty = payloadFrame.encode({ ...payload, items: [] })
  // The items come last: an empty list, which becomes a list of one.
  const item = [0x82, 0x18, 0x7f, ...Array.from({ length: tooDeep }, () => 0x81), 0x00]
  return Uint8Array.from([...empty.subarray(0, -1), 0x81, ...item])
}
