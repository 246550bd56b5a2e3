import type { Log, LogFields, Notifier } from '../ports/index.ts'

/** A log that keeps its lines for a test to read. */
export class CollectingLog implements Log {
  readonly lines: { readonly name: string; readonly fields: LogFields }[] = []

  event(name: string, fields: LogFields = {}): void {
    this.lines.push({ name, fields })
  }

  /** How often an event was written. */
  count(name: string): number {
    return this.lines.filter((line) => line.name === name).length
  }
}

/** A notifier that keeps what it was told. */
export class CollectingNotifier implements Notifier {
  readonly shown: ({ readonly name: string; readonly text: string } | undefined)[] = []

  messageArrived(preview?: { readonly name: string; readonly text: string }): void {
    this.shown.push(preview)
  }
}
