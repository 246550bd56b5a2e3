import { readFileSync } from 'node:fs'
import { LineCounter, parseDocument, type Document } from 'yaml'
import { z } from 'zod'
import { catalogue } from '../scenarios/catalogue.ts'
import type { Planned } from '../scenarios/planned.ts'
import type { Recipe } from '../scenarios/recipe.ts'
import { readDuration } from './quantity.ts'
import { Refused } from './refused.ts'
import { checkSetting, faultNames, settingNames } from './settings.ts'

/** A time with its unit, in milliseconds. */
const time = z
  .union([z.string(), z.number()], { error: 'is a time with its unit, such as 90s, 5min or 2h' })
  .transform((value, context) => {
    const ms = readDuration(String(value))
    if (ms !== undefined) return ms
    context.addIssue({
      code: 'custom',
      message: `is a time with its unit, such as 90s, 5min or 2h; not ${value}`,
    })
    return z.NEVER
  })

/** The value of a setting as `--set` takes it. */
const setting = (name: string) =>
  z
    .union([z.string(), z.number(), z.boolean(), z.array(z.number())])
    .transform((value, context) => {
      const text = value === false ? 'off' : Array.isArray(value) ? value.join('+') : String(value)
      const complaint = checkSetting(name, text)
      if (complaint !== undefined) context.addIssue({ code: 'custom', message: complaint })
      return text
    })
    .optional()

/** Settings as a tree, so that `net.loss` is written `net: { loss: 5% }`. */
function settingsShape() {
  const flat: Record<string, ReturnType<typeof setting>> = {}
  const net: Record<string, ReturnType<typeof setting>> = {}
  for (const name of settingNames())
    if (name.startsWith('net.')) net[name.slice(4)] = setting(name)
    else flat[name] = setting(name)
  return z.strictObject({ ...flat, net: z.strictObject(net).optional() })
}

const span = { at: time, for: time }
const fault = z.union(
  [
    z
      .strictObject({
        ...span,
        cut: z.array(z.array(z.string()).min(1)).min(1),
        'one-way': z.boolean().default(false),
      })
      .transform(({ at, for: forMs, cut, 'one-way': oneWay }): Planned => ({
        kind: 'cut',
        atMs: at,
        forMs,
        sides: cut,
        oneWay,
      })),
    z
      .strictObject({ ...span, down: z.string() })
      .transform(({ at, for: forMs, down }): Planned => ({ kind: 'down', atMs: at, forMs, host: down })),
    z
      .strictObject({ ...span, clock: z.string(), by: time })
      .transform(({ at, for: forMs, clock, by }): Planned => ({
        kind: 'clock',
        atMs: at,
        forMs,
        host: clock,
        byMs: by,
      })),
  ],
  {
    error:
      'is { at, for, cut: [[hosts], [hosts]] }, { at, for, down: host } or { at, for, clock: host, by }, each time with its unit',
  },
)

const schema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, { error: 'is lower-case letters, digits and dashes' }),
  claim: z.string().min(1),
  scenario: z.enum(catalogue.map(({ name }) => name)).optional(),
  duration: time,
  seed: z.union([z.number().int().nonnegative(), z.string().regex(/^\d{1,20}$/)]).optional(),
  seeds: z.string().optional(),
  set: settingsShape().optional(),
  faults: z.array(fault).optional(),
})

/** A scenario somebody wrote, and the seeds it asks for. */
export interface ScenarioFile {
  readonly recipe: Recipe
  readonly seed: string | undefined
  readonly seeds: string | undefined
}

/** Reads a scenario from YAML. Throws Refused, which says where and what. */
export function readScenarioFile(file: string): ScenarioFile {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    throw new Refused(`${file} cannot be read`)
  }
  return parseScenario(text, file)
}

/** What a text says; `file` is named in what is thrown. */
export function parseScenario(text: string, file: string): ScenarioFile {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true })
  const [broken] = document.errors
  if (broken !== undefined) throw new Refused(`${file}: ${broken.message}`)
  const parsed = schema.safeParse(document.toJS())
  if (!parsed.success)
    throw new Refused(
      parsed.error.issues.map((issue) => complaintOf(issue, document, lines, file)).join('\n'),
    )
  const { name, claim, scenario, duration, seed, seeds, set = {}, faults = [] } = parsed.data
  const own = { file, name, claim, planned: faults }
  const quiet = scenario === undefined ? faultNames().map((one) => `${one}=off`) : []
  return {
    recipe: {
      scenario: scenario ?? 'none',
      own,
      hours: duration / 3_600_000,
      set: [...quiet, ...flatten(set)],
      plantBug: null,
    },
    seed: seed === undefined ? undefined : String(seed),
    seeds,
  }
}

interface Set {
  readonly [name: string]: string | Set | undefined
}

const flatten = (set: Set, prefix = ''): readonly string[] =>
  Object.entries(set).flatMap(([name, value]) => {
    if (value === undefined) return []
    return typeof value === 'string' ? [`${prefix}${name}=${value}`] : flatten(value, `${prefix}${name}.`)
  })

/** `file:line:column path: what`, as editors jump to. */
function complaintOf(issue: z.core.$ZodIssue, document: Document, lines: LineCounter, file: string): string {
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined
  const path = unknown === undefined ? issue.path : [...issue.path, unknown]
  const what = unknown === undefined ? issue.message : 'there is no such key'
  return `${file}:${positionOf(path, document, lines)} ${path.map(String).join('.')}: ${what}`
}

function positionOf(path: readonly PropertyKey[], document: Document, lines: LineCounter): string {
  for (let length = path.length; length >= 0; length--) {
    const node = document.getIn(path.slice(0, length), true) as { range?: readonly number[] } | undefined
    const at = node?.range?.[0]
    if (at === undefined) continue
    const { line, col } = lines.linePos(at)
    return `${line}:${col}`
  }
  return '1:1'
}
