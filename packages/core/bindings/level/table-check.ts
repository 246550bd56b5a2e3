import type * as Fs from 'node:fs'

/** End of a table file: two block handles, padding and this magic number (LevelDB doc/table_format.md). */
const footerBytes = 48
const magic = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb]
/** Behind every block: compression type and masked CRC-32C. */
const trailerBytes = 5

const table = Uint32Array.from({ length: 256 }, (_, n) => {
  let crc = n
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  return crc
})

function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff
  for (let i = 0; i < data.length; i++) crc = (table[(crc ^ (data[i] ?? 0)) & 255] ?? 0) ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}

interface Handle {
  readonly offset: number
  readonly size: number
}

function varint(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0
  for (let shift = 1, i = at; i < at + 9; i++, shift *= 128) {
    const byte = bytes[i] ?? 0
    value += (byte & 127) * shift
    if (byte < 128) return [value, i + 1]
  }
  throw new RangeError('varint')
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
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const rotated = (view.getUint32(end + 1, true) - 0xa282ead8) >>> 0
  const stored = ((rotated >>> 17) | (rotated << 15)) >>> 0
  // Blocks of a store that compresses are covered as they lie on the disk.
  return crc32c(file.subarray(offset, end + 1)) === stored ? file.subarray(offset, end) : undefined
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

/** How many table files of a LevelDB folder are damaged. */
export async function damagedTables(fs: typeof Fs, folder: string): Promise<number> {
  const names = await fs.promises.readdir(folder).catch((): string[] => [])
  let damaged = 0
  for (const name of names.filter((known) => /[.](ldb|sst)$/.test(known)))
    if (!isTableWhole(await fs.promises.readFile(`${folder}/${name}`))) damaged++
  return damaged
}
