import type * as Fs from 'node:fs'
import type { MarkFile } from './level-store.ts'

const slotBytes = 512
const headBytes = 12

/**
 * A mark in a small file of two slots, written in turn: `CRC-32 ‖ length ‖ turn ‖ value`. A torn write leaves
 * the other slot; nothing is synced, for a mark that is lost costs a false doubt only.
 */
export function openNodeMarkFile(fs: typeof Fs, crc32: (data: Uint8Array) => number, path: string): MarkFile {
  const file = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600)
  let newest = newestSlot(readSlots(fs, file, crc32))
  let open = true
  return {
    read: async () => newest?.value,
    write: async (value) => {
      const turn = (newest?.turn ?? 0) + 1
      fs.writeSync(file, encodeSlot(crc32, turn, value), 0, slotBytes, (turn % 2) * slotBytes)
      newest = { turn, value: value.slice() }
    },
    close: async () => {
      if (open) fs.closeSync(file)
      open = false
    },
  }
}

interface Slot {
  readonly turn: number
  readonly value: Uint8Array
}

function encodeSlot(crc32: (data: Uint8Array) => number, turn: number, value: Uint8Array): Uint8Array {
  if (value.length > slotBytes - headBytes) throw new RangeError('A mark is at most 500 bytes.')
  const slot = new Uint8Array(slotBytes)
  const view = new DataView(slot.buffer)
  view.setUint16(4, value.length)
  view.setUint16(6, Math.floor(turn / 2 ** 32))
  view.setUint32(8, turn >>> 0)
  slot.set(value, headBytes)
  view.setUint32(0, crc32(slot.subarray(4)))
  return slot
}

function readSlots(fs: typeof Fs, file: number, crc32: (data: Uint8Array) => number): (Slot | undefined)[] {
  return [0, 1].map((index) => {
    const slot = new Uint8Array(slotBytes)
    if (fs.readSync(file, slot, 0, slotBytes, index * slotBytes) !== slotBytes) return undefined
    const view = new DataView(slot.buffer)
    const length = view.getUint16(4)
    if (view.getUint32(0) !== crc32(slot.subarray(4)) || length > slotBytes - headBytes) return undefined
    const turn = view.getUint16(6) * 2 ** 32 + view.getUint32(8)
    return { turn, value: slot.slice(headBytes, headBytes + length) }
  })
}

const newestSlot = (slots: readonly (Slot | undefined)[]): Slot | undefined =>
  slots.reduce((a, b) => ((a?.turn ?? 0) >= (b?.turn ?? 0) ? a : b))
