import { defaultCaps, defaultTerms } from '@sotto/core/mailbox'
import { parse } from 'smol-toml'
import { RelayFailure, exits } from './failure.ts'
import { readDuration, readSize } from './units.ts'

/** A setting: how its text or TOML value is read, and what it is unless set. */
interface Setting<T> {
  readonly initial: T
  /** What the value has to be, for the message of a refusal. */
  readonly wants: string
  readonly read: (value: unknown) => T | undefined
}

const integer = (initial: number, min: number, max: number): Setting<number> => ({
  initial,
  wants: `a whole number from ${min} to ${max}`,
  read: (value) => {
    const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value
    return typeof number === 'number' && Number.isSafeInteger(number) && number >= min && number <= max
      ? number
      : undefined
  },
})

const measured = (
  unit: string,
  readText: (text: string) => number | undefined,
  initial: number,
  min: number,
  max: number,
): Setting<number> => ({
  initial,
  wants: unit,
  read: (value) => {
    const number = typeof value === 'string' ? readText(value) : undefined
    return number !== undefined && number >= min && number <= max ? number : undefined
  },
})

const duration = (initial: number, min: number, max: number): Setting<number> =>
  measured('a time such as "30s", "1h" or "14d" within its limits', readDuration, initial, min, max)

const size = (initial: number, min: number, max: number): Setting<number> =>
  measured('a size such as "64KiB" or "4MiB" within its limits', readSize, initial, min, max)

const text = (initial: string): Setting<string> => ({
  initial,
  wants: 'a text',
  read: (value) => (typeof value === 'string' ? value : undefined),
})

const dnsName = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/
const ipv6 = /^\[[0-9a-f:.]{2,45}\]$/

/** A host as an invite link names it (docs/protocol/invite.md §1): lower case, and a port if it has one. */
function isLinkHost(host: string): boolean {
  const [, machine = '', port = '1'] = /^(\[[^\]]*\]|[^:[\]]+)(?::([1-9]\d{0,4}))?$/.exec(host) ?? []
  return host.length <= 253 && Number(port) <= 65_535 && (dnsName.test(machine) || ipv6.test(machine))
}

const linkHost: Setting<string> = {
  initial: '',
  wants: 'a host such as relay.example or relay.example:8443, lower case, without https://',
  read: (value) => (typeof value === 'string' && (value === '' || isLinkHost(value)) ? value : undefined),
}

const flag = (initial: boolean): Setting<boolean> => ({
  initial,
  wants: 'true or false',
  read: (value) =>
    value === true || value === 'true' ? true : value === false || value === 'false' ? false : undefined,
})

const texts = (initial: readonly string[]): Setting<readonly string[]> => ({
  initial,
  wants: 'a list of texts',
  read: (value) => {
    if (typeof value === 'string') return value.split(',').filter((part) => part !== '')
    return Array.isArray(value) && value.every((part) => typeof part === 'string') ? value : undefined
  },
})

const second = 1_000
const day = 86_400 * second
const mebibyte = 1024 ** 2

/** Every setting of a relay. docs/operating/relay.md explains them in this order. */
export const settings = {
  'listen.addresses': texts([]),
  'listen.announce': texts([]),
  'listen.bootstrap': texts([]),
  'http.address': text(''),
  'http.app': text(''),
  'http.host': linkHost,
  'http.metrics': flag(false),
  'circuit.reservations': integer(4_096, 0, 65_536),
  'circuit.data': size(64 * mebibyte, 128 * 1024, 1024 ** 4),
  'circuit.duration': duration(3_600 * second, 60 * second, day),
  'mailbox.ttl': duration(defaultTerms.ttlMs, 3_600 * second, defaultTerms.ttlMs),
  'mailbox.queue_items': integer(defaultTerms.queueItems, 1, 100_000),
  'mailbox.queue_bytes': size(defaultTerms.queueBytes, 64 * 1024, 1024 ** 3),
  'mailbox.intro_items': integer(defaultTerms.introItems, 1, 10_000),
  'mailbox.max_queues': integer(defaultCaps.queues, 0, 100_000_000),
  'mailbox.max_records': integer(defaultCaps.records, 0, 100_000_000),
  'mailbox.work_bits': integer(defaultTerms.workBits, 0, 18),
  'limits.connections': integer(8_192, 8, 1_000_000),
  'limits.channels': integer(8_192, 8, 1_000_000),
  'limits.requests_per_second': integer(defaultCaps.requests.perSecond, 1, 1_000_000),
  'limits.request_burst': integer(defaultCaps.requests.burst, 1, 10_000_000),
  'limits.bytes_per_second': size(defaultCaps.bytes.perSecond, 64 * 1024, 1024 ** 4),
  'limits.byte_burst': size(defaultCaps.bytes.burst, 128 * 1024, 1024 ** 4),
  'log.file': text(''),
  'shutdown.drain': duration(10 * second, 0, 3_600 * second),
} as const

/** The name of a setting, `section.key`. */
export type SettingName = keyof typeof settings

/** All settings with their values: times in milliseconds, sizes in bytes. */
export type Config = {
  readonly [K in SettingName]: (typeof settings)[K] extends Setting<infer T> ? T : never
}

const names = Object.keys(settings) as readonly SettingName[]
const isSetting = (name: string): name is SettingName => Object.hasOwn(settings, name)

/** Changes of one letter between two words (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      const change = (row[j] ?? 0) + (b[j] === a[i] ? 0 : 1)
      next.push(Math.min(change, (next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}

function unknownSetting(name: string): RelayFailure {
  const nearest = [...names].sort((a, b) => distance(name, a) - distance(name, b))[0] ?? ''
  return new RelayFailure('E_CONFIG', exits.usage, `unknown setting ${name}`, `did you mean ${nearest}?`)
}

/** The settings of a TOML text as `section.key` → value. */
function readToml(source: string): ReadonlyMap<string, unknown> {
  let parsed: Readonly<Record<string, unknown>>
  try {
    parsed = parse(source)
  } catch (cause) {
    const line = cause instanceof Error ? cause.message.split('\n')[0] : ''
    throw new RelayFailure('E_CONFIG', exits.usage, `the configuration is no TOML: ${line}`, '', cause)
  }
  const found = new Map<string, unknown>()
  for (const [section, values] of Object.entries(parsed)) {
    if (typeof values !== 'object' || values === null || Array.isArray(values)) throw unknownSetting(section)
    for (const [key, value] of Object.entries(values)) found.set(`${section}.${key}`, value)
  }
  return found
}

const envPrefix = 'SOTTO_RELAY__'

/** `SOTTO_RELAY__MAILBOX__QUEUE_ITEMS` → `mailbox.queue_items`. */
function readEnv(env: Readonly<Record<string, string | undefined>>): ReadonlyMap<string, unknown> {
  const found = new Map<string, unknown>()
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(envPrefix) || value === undefined) continue
    found.set(name.slice(envPrefix.length).toLowerCase().replace('__', '.'), value)
  }
  return found
}

/**
 * The configuration: defaults, overridden by the TOML text, overridden by the environment. An unknown name or
 * a value of the wrong kind is a RelayFailure `E_CONFIG`, exit 2; nothing is guessed.
 */
export function readConfig(
  toml: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Config {
  const given = new Map([...(toml === undefined ? [] : readToml(toml)), ...readEnv(env)])
  const config: Record<string, unknown> = {}
  for (const name of names) config[name] = settings[name].initial
  for (const [name, raw] of given) {
    if (!isSetting(name)) throw unknownSetting(name)
    const value = settings[name].read(raw)
    if (value === undefined)
      throw new RelayFailure('E_CONFIG', exits.usage, `${name} must be ${settings[name].wants}`)
    config[name] = value
  }
  return config as Config
}
