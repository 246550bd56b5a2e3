import { stripVTControlCharacters } from 'node:util'

/** Lines up columns by their widest cell; the last one is left as it is. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) {
    row.forEach((cell, at) => (widths[at] = Math.max(widths[at] ?? 0, stripVTControlCharacters(cell).length)))
  }
  const line = (row: readonly string[]): string =>
    row.map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0))).join('  ')
  return rows.map((row) => line(row).trimEnd()).join('\n')
}

/** The first eight characters of an id: enough to type, short enough to read. */
export const short = (id: string): string => id.slice(0, 8)
