import { PortError } from '@sotto/core/ports'
import { createFile, readSmallFile } from './files.ts'

/** The format of a home this program reads and writes. */
export const homeFormat = 1

const line = /^sotto-home ([0-9]{1,9})\n$/

/** The format a home says it has; undefined when it is no home yet. */
export function readFormat(path: string): number | undefined {
  const text = readSmallFile(path)
  if (text === undefined) return undefined
  const number = line.exec(text)?.[1]
  if (number !== undefined) return Number(number)
  throw new PortError('E_HOME_DAMAGED', 'the format file of this home cannot be read')
}

/** Refuses a home of a newer format with `E_STORE_NEWER`; marks a new one. */
export function ensureFormat(path: string): void {
  const found = readFormat(path)
  if (found === undefined) createFile(path, `sotto-home ${homeFormat}\n`)
  else if (found > homeFormat) {
    throw new PortError('E_STORE_NEWER', 'this home was written by a newer version of Sotto', {
      hint: 'Use the newer version; nothing was changed.',
      detail: { found, known: homeFormat },
    })
  }
}
