import { pino, type DestinationStream } from 'pino'
import type { Log, LogFields } from '../../src/ports/index.ts'

/** Where the lines go; standard error by default, so that standard output stays the command's own. */
export interface LogOptions {
  readonly destination?: DestinationStream
}

/** Words of at most 20 lower-case letters and digits, or an error code: no id, address or name is one. */
const eventName = /^[a-z0-9]{1,20}(-([a-z0-9]{1,20}|E_[A-Z0-9_]{1,40})){0,7}$/
const fieldName = /^[a-zA-Z][a-zA-Z0-9]{0,31}$/

/**
 * The log of a Node process: one JSON line an event, with time, name and counters. What is not a listed form
 * is left out rather than written: a text in a field, a name that could hold an identifier. No host name, no
 * process id.
 */
export function createLog(options: LogOptions = {}): Log {
  const line = pino(
    {
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (level) => ({ level }) },
    },
    options.destination ?? pino.destination({ dest: 2, sync: true }),
  )
  return {
    event: (name, fields = {}) =>
      line.info({ event: eventName.test(name) ? name : 'unnamed', ...counters(fields) }),
  }
}

function counters(fields: LogFields): LogFields {
  const kept: Record<string, number | boolean> = {}
  for (const [name, value] of Object.entries(fields) as [string, unknown][]) {
    if (!fieldName.test(name) || name === 'event' || name === 'time') continue
    if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value)))
      kept[name] = value
  }
  return kept
}
