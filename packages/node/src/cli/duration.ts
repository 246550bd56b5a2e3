import { UsageError } from '@sotto/core/ports'

const unitsMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

const form = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d|w)$/

/** Reads `30s`, `15m`, `2h`, `7d`, `1w`, `500ms` as milliseconds; `E_USAGE` otherwise. */
export function parseDurationMs(text: string): number {
  const [, amount, unit] = form.exec(text) ?? []
  const factor = unit === undefined ? undefined : unitsMs[unit]
  if (amount !== undefined && factor !== undefined) return Math.round(Number(amount) * factor)
  throw new UsageError('E_USAGE', `“${text}” is not a length of time`, { hint: 'Write 30s, 15m, 2h or 7d.' })
}

/** A length of time in the largest unit that divides it: `7d`, `90s`. */
export function durationText(ms: number): string {
  const [unit, factor] = Object.entries(unitsMs)
    .toSorted(([, a], [, b]) => b - a)
    .find(([name, factor]) => name !== 'w' && ms >= factor && ms % factor === 0) ?? ['ms', 1]
  return `${ms / factor}${unit}`
}

const dateForm = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/

/** Reads a moment: ISO 8601 with a zone, a date (UTC), or how long ago (`2h`). Milliseconds since 1970. */
export function parseMomentMs(text: string, nowMs: number): number {
  if (form.test(text)) return nowMs - parseDurationMs(text)
  const parsed = dateForm.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(parsed)) return parsed
  throw new UsageError('E_USAGE', `“${text}” is not a moment`, {
    hint: 'Write 2026-01-31, 2026-01-31T12:00:00Z, or how long ago: 2h.',
  })
}

/** ISO 8601 UTC, as all JSON shows times; null beyond what a date can be. */
export function isoTime(atMs: number): string | null {
  const date = new Date(atMs)
  return Number.isNaN(date.getTime()) ? null : date.toISOString()
}

/** Reads a whole number not below `min`; `E_USAGE` otherwise. */
export function parseCount(text: string, min: number): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (count >= min) return count
  throw new UsageError('E_USAGE', `“${text}” is not a whole number from ${min} on`)
}
