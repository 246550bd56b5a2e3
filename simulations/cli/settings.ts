import { drawPlan, type Plan } from '../scenarios/plan.ts'
import { streamsOf } from '../world/stream.ts'
import { readCount, readDuration, readRate, readShare } from './quantity.ts'
import { Refused } from './refused.ts'

type Value = number | null
type Tree = { [key: string]: Value | Tree }

/** A plan to know the names of its parts by; its numbers mean nothing. */
const sample = drawPlan(streamsOf(1n)('plan'), 1) as unknown as Tree

const counts: ReadonlySet<string> = new Set(['users', 'devices', 'groups', 'relays'])

/** How a value is read, and what it is called when it cannot be. */
interface Kind {
  readonly read: (text: string) => number | undefined
  readonly wanted: string
}

const time: Kind = { read: readDuration, wanted: 'a time with its unit, such as 90s, 5min or 2h' }
const count: Kind = { read: readCount, wanted: 'a whole number' }
const share: Kind = { read: readShare, wanted: 'a share, such as 5% or 0.05' }

/** Settings that are none of these. */
const others: Readonly<Record<string, Kind>> = {
  'net.sigma': { read: Number, wanted: 'a number' },
  'net.bandwidth': { read: readRate, wanted: 'a rate with its unit, such as 64kbit or 2Mbit' },
}

const isTree = (value: Value | Tree | undefined): value is Tree => typeof value === 'object' && value !== null

/** Names of everything that can be set, as they are written by hand: times without their `Ms`. */
export const settingNames = (): readonly string[] =>
  Object.entries(sample).flatMap(([key, value]) =>
    isTree(value) ? Object.keys(value).map((inner) => `${key}.${nameOf(inner)}`) : [nameOf(key)],
  )

const nameOf = (key: string): string => (key.endsWith('Ms') ? key.slice(0, -2) : key)

/** What a name stands for in a plan. */
function pathOf(name: string): readonly string[] {
  const known = settingNames()
  if (!known.includes(name)) throw new Refused(`nothing is called ${name}; there are ${known.join(', ')}`)
  const parts = name.split('.')
  const last = parts.at(-1) ?? ''
  const holder = parts.length === 1 ? sample : sample[parts[0] ?? '']
  return isTree(holder) && `${last}Ms` in holder ? [...parts.slice(0, -1), `${last}Ms`] : parts
}

function valueOf(name: string, path: readonly string[], text: string): Value {
  if (text === 'off') return name.endsWith('Every') ? null : 0
  const isTime = path.at(-1)?.endsWith('Ms') === true
  const { read, wanted } = others[name] ?? (isTime ? time : counts.has(name) ? count : share)
  const value = read(text)
  if (value !== undefined && Number.isFinite(value) && value >= 0) return value
  throw new Refused(`${name} is ${wanted}, or off; not ${text}`)
}

/** What is wrong with the value of a setting; nothing when it can be set so. */
export function checkSetting(name: string, value: string): string | undefined {
  try {
    readSettings([`${name}=${value}`])
    return undefined
  } catch (error) {
    if (error instanceof Refused) return error.message
    throw error
  }
}

/** What people do; everything else that comes again and again is a fault. */
const life: ReadonlySet<string> = new Set(['messageEvery', 'groupChangeEvery', 'deviceChangeEvery'])

/** Settings that say how much breaks, and can be off. */
export const faultNames = (): readonly string[] =>
  settingNames().filter(
    (name) =>
      (name.endsWith('Every') && !life.has(name)) ||
      name === 'skew' ||
      (name.startsWith('net.') && name !== 'net.median' && name !== 'net.sigma'),
  )

/** Those that break anything in a world of this plan. */
export const faultsIn = (plan: Plan): readonly string[] =>
  faultNames().filter((name) => {
    const value = pathOf(name).reduce<Value | Tree | undefined>(
      (tree, key) => (isTree(tree) ? tree[key] : undefined),
      plan as unknown as Tree,
    )
    return value !== undefined && value !== null && value !== 0
  })

/** Reads `name=value` settings; what they do to a plan. Throws Refused for an unknown name or a wrong unit. */
export function readSettings(settings: readonly string[]): (plan: Plan) => Plan {
  const changes = settings.map((setting) => {
    const at = setting.indexOf('=')
    if (at < 0) throw new Refused(`a setting is name=value, not ${setting}`)
    const name = setting.slice(0, at).trim()
    const path = pathOf(name)
    return { path, value: valueOf(name, path, setting.slice(at + 1).trim()) }
  })
  return (plan) =>
    changes.reduce<Tree>(
      (tree, { path, value }) => withValue(tree, path, value),
      plan as unknown as Tree,
    ) as unknown as Plan
}

function withValue(tree: Tree, [key = '', ...rest]: readonly string[], value: Value): Tree {
  const inner = tree[key]
  return { ...tree, [key]: rest.length > 0 && isTree(inner) ? withValue(inner, rest, value) : value }
}
