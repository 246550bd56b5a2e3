const second = 1_000
const durations: Readonly<Record<string, number>> = {
  ms: 1,
  s: second,
  m: 60 * second,
  h: 3_600 * second,
  d: 86_400 * second,
}
const sizes: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
}

function read(value: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, digits = '', unit = ''] = /^(\d{1,12})([A-Za-z]{1,3})$/.exec(value) ?? []
  const factor = units[unit]
  return digits === '' || factor === undefined ? undefined : Number(digits) * factor
}

/** Milliseconds of `500ms`, `30s`, `5m`, `1h`, `14d`; undefined when it is none. */
export const readDuration = (value: string): number | undefined => read(value, durations)

/** Bytes of `100B`, `64KiB`, `4MiB`, `1GiB`; undefined when it is none. */
export const readSize = (value: string): number | undefined => read(value, sizes)
