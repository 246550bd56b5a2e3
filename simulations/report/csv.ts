/** A value of a row that a figure draws. */
export type Cell = string | number | boolean | null

const cellText = (cell: Cell | undefined): string => {
  const text = cell === null || cell === undefined ? '' : String(cell)
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** Rows as CSV, a line each after the names of the columns. */
export function csvOf(rows: readonly Readonly<Record<string, Cell>>[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  return [columns.join(), ...rows.map((row) => columns.map((name) => cellText(row[name])).join())]
    .map((line) => `${line}\n`)
    .join('')
}
