import { stringify } from 'yaml'
import { readSeed } from '../report/seeds.ts'
import { drawPlan } from '../scenarios/plan.ts'
import { streamsOf } from '../world/stream.ts'
import { findScenario, readHours } from './recipe.ts'
import { Refused } from './refused.ts'

export interface NewFlags {
  readonly from: string
  readonly seed: string
  readonly hours: string
}

type Setting = string | number | null | Tree

interface Tree {
  readonly [key: string]: Setting
}

/** A scenario in YAML that runs as `from` does under this seed, with every draw written out to be changed. */
export function scaffold({ from, seed: seedText, hours: hoursText }: NewFlags): string {
  const { claim, shape } = findScenario(from)
  const seed = readSeed(seedText)
  if (seed === undefined) throw new Refused('a seed is a number below 2^64')
  const hours = readHours(hoursText)
  const stream = streamsOf(seed)
  const drawn = drawPlan(stream('plan'), hours)
  const plan = shape?.(drawn, stream('plan', from), hours) ?? drawn
  const body = {
    name: `my-${from}`,
    claim,
    scenario: from,
    duration: `${hours}h`,
    seed: seedText,
    set: written(plan as unknown as Tree),
  }
  return `# Run it with \`sotto-sim run FILE.yaml\`. Leave a setting out and each seed draws its own.\n${stringify(body, { lineWidth: 100 })}${examples}`
}

const examples = `# What befalls the run at moments of your own choosing, counted from when faults begin:
# faults:
#   - { at: 10min, for: 15s, cut: [[user0-1, relay0], [dht]] } # who is named nowhere is on the last side
#   - { at: 20min, for: 2min, down: relay0 }
#   - { at: 1h, for: 30min, clock: user0-1, by: 2h }
`

/** A plan as settings: times with their unit, what is off as off. */
const written = (plan: Tree): Tree => {
  const names: Record<string, Setting> = {}
  for (const [key, value] of Object.entries(plan)) {
    const unit = key.endsWith('Ms') ? 'ms' : key === 'bandwidth' ? 'bit' : ''
    names[unit === 'ms' ? key.slice(0, -2) : key] =
      value === null
        ? 'off'
        : typeof value === 'object'
          ? written(value)
          : unit === ''
            ? value
            : `${value}${unit}`
  }
  return names
}
