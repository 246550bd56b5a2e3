import type { AuditView, MessageView } from '@sotto/core'
import type { OpenHistory } from './model.ts'
import { sameDay } from './times.ts'

/** What stands in a conversation, from top to bottom. */
export type Item =
  | { readonly kind: 'day'; readonly atMs: number }
  /** `follows`: close behind another of the same author, so that the name need not be said again. */
  | { readonly kind: 'message'; readonly message: MessageView; readonly follows: boolean }
  | { readonly kind: 'notice'; readonly line: AuditView }

const togetherMs = 5 * 60_000

/**
 * Messages in their order, each line of the audit before the first message that is later than it, and days
 * between. Lines older than the oldest message shown wait until earlier ones are.
 */
export function timelineOf(history: OpenHistory | undefined, audit: readonly AuditView[]): readonly Item[] {
  if (history === undefined) return []
  const { messages, more } = history
  const fromMs = more ? (messages[0]?.sentAtMs ?? -Infinity) : -Infinity
  const lines = audit
    .filter(({ atMs }) => atMs >= fromMs)
    .toSorted((a, b) => a.atMs - b.atMs || a.seq - b.seq)
  const found: Item[] = []
  let dayMs: number | undefined
  const put = (item: Item, atMs: number): void => {
    if (dayMs === undefined || !sameDay(dayMs, atMs)) found.push({ kind: 'day', atMs })
    dayMs = atMs
    found.push(item)
  }
  let next = 0
  const putLines = (beforeMs: number): void => {
    for (let line = lines[next]; line !== undefined && line.atMs < beforeMs; line = lines[next]) {
      put({ kind: 'notice', line }, line.atMs)
      next += 1
    }
  }
  for (const message of messages) {
    putLines(message.sentAtMs)
    const before = found.at(-1)
    const follows =
      before?.kind === 'message' &&
      before.message.author.accountId === message.author.accountId &&
      before.message.outside === null &&
      sameDay(before.message.sentAtMs, message.sentAtMs) &&
      message.sentAtMs - before.message.sentAtMs < togetherMs
    put({ kind: 'message', message, follows }, message.sentAtMs)
  }
  putLines(Infinity)
  return found
}

/** Whether something can still be said about a message: answered, reacted to, changed, taken back. */
export const isOpen = (message: MessageView): boolean => message.text !== null && message.outside === null
