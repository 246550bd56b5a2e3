import { Secret, sizes } from '../crypto/index.ts'
import type { SenderChain } from './sender-chain.ts'
import { skippedFrom } from './skipped-generations.ts'

/** Chains of one stored row: a message rewrites one row, whatever the number of devices. */
export const chainsPerRow = 16

/** Chain key (32), next generation (4), base + 1 or 0 for none (4 + 4), bytes of skipped rows (2). */
const headBytes = sizes.seed + 4 + 8 + 2

/** Flat form of some chains of one epoch, one after the other. Holds secrets; never leaves the device. */
export function encodeChains(chains: readonly SenderChain[]): Uint8Array {
  const out = new Uint8Array(chains.reduce((sum, { skipped }) => sum + headBytes + skipped.rows.length, 0))
  const view = new DataView(out.buffer)
  let at = 0
  for (const chain of chains) at = writeChain(out, view, at, chain)
  return out
}

function writeChain(
  out: Uint8Array,
  view: DataView,
  at: number,
  { key, count, skipped, base }: SenderChain,
): number {
  const stated = base === undefined ? 0 : base + 1
  out.set(key.expose(), at)
  view.setUint32(at + 32, count)
  view.setUint32(at + 36, Math.floor(stated / 0x1_0000_0000))
  view.setUint32(at + 40, stated % 0x1_0000_0000)
  view.setUint16(at + 44, skipped.rows.length)
  out.set(skipped.rows.expose(), at + headBytes)
  return at + headBytes + skipped.rows.length
}

/** Reads what `encodeChains` wrote; undefined when it is not that. */
export function decodeChains(input: Uint8Array): readonly SenderChain[] | undefined {
  const chains: SenderChain[] = []
  const view = new DataView(input.buffer, input.byteOffset, input.length)
  for (let at = 0; at < input.length;) {
    if (input.length - at < headBytes) return undefined
    const end = at + headBytes + view.getUint16(at + 44)
    if (end > input.length) return undefined
    const skipped = skippedFrom(input.slice(at + headBytes, end))
    const stated = view.getUint32(at + 36) * 0x1_0000_0000 + view.getUint32(at + 40)
    if (skipped === undefined || !Number.isSafeInteger(stated)) return undefined
    const base = stated === 0 ? undefined : stated - 1
    const key = new Secret(input.slice(at, at + sizes.seed))
    chains.push({ key, count: view.getUint32(at + 32), skipped, base })
    at = end
  }
  return chains
}
