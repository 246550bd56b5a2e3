/** Fields a log line may have: counters and literals; never an id, an address, a name or a text. */
export type LogFields = Readonly<Record<string, number | boolean>>

/** An allow-listed event name with counters. */
export interface Log {
  event(name: string, fields?: LogFields): void
}
