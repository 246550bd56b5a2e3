const units: readonly (readonly [atLeast: number, divisor: number, unit: string])[] = [
  [2 * 86_400_000, 86_400_000, 'd'],
  [2 * 3_600_000, 3_600_000, 'h'],
  [2 * 60_000, 60_000, 'min'],
  [1_000, 1_000, 's'],
  [0, 1, 'ms'],
]

const short = (value: number): string =>
  value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toPrecision(3)

/** A duration in the unit that suits it. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return 'none'
  const [, divisor, unit] = units.find(([atLeast]) => Math.abs(ms) >= atLeast) ?? [0, 1, 'ms']
  return `${short(ms / divisor)} ${unit}`
}

/** A number of bytes in the unit that suits it. */
export function size(bytes: number): string {
  if (bytes >= 1 << 20) return `${short(bytes / (1 << 20))} MiB`
  return bytes >= 1 << 10 ? `${short(bytes / (1 << 10))} KiB` : `${bytes} B`
}

/** The unit for an axis of times up to so many milliseconds, and what to divide by. */
export function axisUnit(ms: number): { readonly divisor: number; readonly unit: string } {
  const [, divisor, unit] = units.find(([atLeast]) => ms >= atLeast) ?? [0, 1, 'ms']
  const names: Readonly<Record<string, string>> = {
    d: 'days',
    h: 'hours',
    min: 'minutes',
    s: 'seconds',
    ms: 'milliseconds',
  }
  return { divisor, unit: names[unit] ?? unit }
}
