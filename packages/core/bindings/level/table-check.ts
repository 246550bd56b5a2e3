import type * as Fs from 'node:fs'
import { crc32c, maskedCrc, varint } from './level-bytes.ts'
import { liveTables } from './live-tables.ts'

/** End of a table file: two block handles, padding and this magic number (LevelDB doc/table_format.md). */
const footerBytes = 48
const magic = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb]
/** Behind every block: compression type and masked CRC-32C. */
const trailerBytes = 5

interface Handle {
  readonly offset: number
  readonly size: number
}

function handle(bytes: Uint8Array, at: number): [handle: Handle, next: number] {
  const [offset, middle] = varint(bytes, at)
  const [size, next] = varint(bytes, middle)
  return [{ offset, size }, next]
}

/** A block's content if its checksum holds. */
function block(file: Uint8Array, { offset, size }: Handle): Uint8Array | undefined {
  const end = offset + size
  if (end + trailerBytes > file.length) return undefined
  // Blocks of a store that compresses are covered as they lie on the disk.
  return crc32c(file.subarray(offset, end + 1)) === maskedCrc(file, end + 1)
    ? file.subarray(offset, end)
    : undefined
}

/** The handles an uncompressed index block lists. */
function handlesIn(index: Uint8Array): Handle[] {
  const view = new DataView(index.buffer, index.byteOffset, index.byteLength)
  const restarts = view.getUint32(index.length - 4, true)
  const end = index.length - 4 * (restarts + 1)
  const found: Handle[] = []
  for (let at = 0; at < end;) {
    const [, a] = varint(index, at)
    const [unshared, b] = varint(index, a)
    const [valueBytes, c] = varint(index, b)
    found.push(handle(index, c + unshared)[0])
    at = c + unshared + valueBytes
  }
  return found
}

/** Whether every block of a table file, uncompressed as ours are, has the checksum it was written with. */
export function isTableWhole(file: Uint8Array): boolean {
  try {
    const footer = file.subarray(file.length - footerBytes)
    if (footer.length < footerBytes || magic.some((byte, i) => footer[40 + i] !== byte)) return false
    const [meta, next] = handle(footer, 0)
    const index = block(file, handle(footer, next)[0])
    if (index === undefined || block(file, meta) === undefined) return false
    return handlesIn(index).every((found) => block(file, found) !== undefined)
  } catch {
    return false
  }
}

/**
 * How many of the tables the database stands on are damaged. A table that a killed process was still writing
 * is none of them: LevelDB removes it at the next opening. What is missing, or a manifest that cannot be read,
 * LevelDB refuses by itself.
 */
export async function damagedTables(fs: typeof Fs, folder: string): Promise<number> {
  const live = await liveTables(fs, folder)
  const names = await fs.promises.readdir(folder).catch((): string[] => [])
  let damaged = 0
  for (const name of names.filter(
    (known) => /[.](ldb|sst)$/.test(known) && live.has(Number.parseInt(known, 10)),
  )) {
    const file = await fs.promises.readFile(`${folder}/${name}`).catch(() => undefined)
    if (file !== undefined && !isTableWhole(file)) damaged++
  }
  return damaged
}
