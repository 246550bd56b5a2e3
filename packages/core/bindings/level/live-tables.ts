import type * as Fs from 'node:fs'
import { concat } from '../../src/wire/index.ts'
import { crc32c, maskedCrc, varint } from './level-bytes.ts'

/** The manifest is a log: blocks of this size (LevelDB doc/log_format.md). */
const blockBytes = 32_768
/** Masked CRC-32C, length and type of a fragment. */
const headerBytes = 7
const [full, first, last] = [1, 2, 4]

/** The records of a log up to where it ends or was cut short. Throws RangeError where a checksum fails. */
function* records(log: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(log.buffer, log.byteOffset, log.byteLength)
  let parts: Uint8Array[] = []
  for (let at = 0; at + headerBytes <= log.length;) {
    const left = blockBytes - (at % blockBytes)
    if (left < headerBytes) {
      at += left
      continue
    }
    const [type, end] = [log[at + 6], at + headerBytes + view.getUint16(at + 4, true)]
    if (type === 0 || end > log.length) return
    if (crc32c(log.subarray(at + 6, end)) !== maskedCrc(log, at)) throw new RangeError('checksum')
    if (type === full || type === first) parts = []
    parts.push(log.subarray(at + headerBytes, end))
    if (type === full || type === last) yield concat(...parts)
    at = end
  }
}

/** Follows one edit of the manifest (LevelDB db/version_edit.cc). Throws RangeError at what it does not know. */
function follow(edit: Uint8Array, levelOf: Map<number, number>): void {
  let at = 0
  const number = (): number => {
    const [value, next] = varint(edit, at)
    at = next
    return value
  }
  const skip = (bytes: number): void => void (at += bytes)
  const added: [table: number, level: number][] = []
  while (at < edit.length) {
    const tag = number()
    if (tag === 1) skip(number())
    else if (tag === 2 || tag === 3 || tag === 4 || tag === 9) number()
    else if (tag === 5) {
      number()
      skip(number())
    } else if (tag === 6) {
      const [level, table] = [number(), number()]
      if (levelOf.get(table) === level) levelOf.delete(table)
    } else if (tag === 7) {
      const [level, table] = [number(), number()]
      number()
      skip(number())
      skip(number())
      added.push([table, level])
    } else throw new RangeError(`tag ${tag}`)
  }
  for (const [table, level] of added) levelOf.set(table, level)
}

/** Numbers of the tables the newest state of a LevelDB folder consists of; none when its manifest cannot be read. */
export async function liveTables(fs: typeof Fs, folder: string): Promise<ReadonlySet<number>> {
  const levelOf = new Map<number, number>()
  try {
    const manifest = (await fs.promises.readFile(`${folder}/CURRENT`, 'utf8')).trim()
    for (const edit of records(await fs.promises.readFile(`${folder}/${manifest}`))) follow(edit, levelOf)
  } catch {
    return new Set()
  }
  return new Set(levelOf.keys())
}
