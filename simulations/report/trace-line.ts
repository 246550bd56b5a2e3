/** One line of a trace. */
export type Line = Readonly<Record<string, string | number | boolean>> & {
  readonly t: number
  readonly kind: string
}

/** A field as text; empty when it is not there. */
export const textOf = (line: Line, field: string): string => String(line[field] ?? '')

/** A field as a number; 0 when it is not there. */
export const numberOf = (line: Line, field: string): number => Number(line[field] ?? 0)
