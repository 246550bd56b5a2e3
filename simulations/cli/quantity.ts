const durations: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  min: 60_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

const pattern = /^(-?\d+(?:\.\d+)?)\s*([a-zA-Z%]*)$/

/** Reads `30s`, `1.5h`, `3d`: milliseconds, or nothing when there is no unit of time. */
export function readDuration(text: string): number | undefined {
  const [, number = '', unit = ''] = pattern.exec(text.trim()) ?? []
  const factor = Object.hasOwn(durations, unit) ? durations[unit] : undefined
  return factor === undefined ? undefined : Number(number) * factor
}

/** Reads `5%` or `0.05`: a share from 0 to 1. */
export function readShare(text: string): number | undefined {
  const [, number = '', unit = ''] = pattern.exec(text.trim()) ?? []
  const value = unit === '%' ? Number(number) / 100 : unit === '' && number !== '' ? Number(number) : NaN
  return value >= 0 && value <= 1 ? value : undefined
}

const rates: Readonly<Record<string, number>> = { bit: 1, kbit: 1_000, Mbit: 1_000_000 }

/** Reads `64kbit`, `10Mbit`: bits a second, or nothing when there is no such unit. */
export function readRate(text: string): number | undefined {
  const [, number = '', unit = ''] = pattern.exec(text.trim()) ?? []
  const factor = Object.hasOwn(rates, unit) ? rates[unit] : undefined
  return factor === undefined ? undefined : Number(number) * factor
}

/** Reads a whole number that is not negative. */
export function readCount(text: string): number | undefined {
  return /^\d{1,9}$/.test(text.trim()) ? Number(text) : undefined
}
