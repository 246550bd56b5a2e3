import { Refused } from './refused.ts'
import { readSettings } from './settings.ts'

/** A setting and the values it takes in turn. */
export interface Varied {
  readonly name: string
  readonly values: readonly string[]
}

const valuesAtMost = 100
const quantityPattern = /^(\d+(?:\.\d+)?)([a-zA-Z%]*)$/

/** Reads `name=a,b,c` or `name=from..to:step`; every value must be one the setting takes. */
export function readVaried(text: string): Varied {
  const at = text.indexOf('=')
  const [name, values] = [text.slice(0, Math.max(0, at)), text.slice(at + 1)]
  if (at < 1 || values === '') throw new Refused(`--vary is name=a,b or name=from..to:step, not ${text}`)
  const listed = values.includes('..') ? stepped(values) : values.split(',').map((value) => value.trim())
  if (listed.length > valuesAtMost)
    throw new Refused(`${name} takes ${listed.length} values, at most ${valuesAtMost}`)
  for (const value of listed) readSettings([`${name}=${value}`])
  return { name, values: listed }
}

function stepped(text: string): readonly string[] {
  const [range = '', stepText] = text.split(':')
  const parts = [...range.split('..'), stepText ?? ''].map((part) => quantityPattern.exec(part.trim()))
  const [from, to, step] = parts.map((part) => Number(part?.[1] ?? NaN))
  const unit = parts[1]?.[2] ?? ''
  const sameUnit = parts.every((part) => part?.[2] === '' || part?.[2] === unit)
  if (
    from === undefined ||
    to === undefined ||
    step === undefined ||
    !(step > 0) ||
    !(to >= from) ||
    !sameUnit
  )
    throw new Refused(`a range is from..to:step in one unit, such as 0..30%:5%, not ${text}`)
  const count = Math.min(valuesAtMost + 1, Math.floor((to - from) / step + 1e-9) + 1)
  return Array.from({ length: count }, (_, i) => `${Number((from + i * step).toPrecision(12))}${unit}`)
}

/** Every combination, the last setting changing first. */
export const combinations = (varied: readonly Varied[]): readonly (readonly string[])[] =>
  varied.reduce<readonly (readonly string[])[]>(
    (all, { name, values }) => all.flatMap((set) => values.map((value) => [...set, `${name}=${value}`])),
    [[]],
  )
