import type { RecordVerdict, Role } from '../group/index.ts'
import { compareBytes, toBase32, toHex } from '../wire/index.ts'
import { recordKinds } from './record-frame.ts'
import { inShownOrder, viewMessage, type PlacedRecord, type SaidRecord, type ViewRules } from './view.ts'

/** A conversation as every one of its devices knows it. */
export interface ExportedConversation {
  readonly id: Uint8Array
  readonly kind: 'direct' | 'group'
  /** The group's title; a direct conversation has none. */
  readonly title: string | null
  /** In any order. In a direct conversation nobody has a role. */
  readonly members: readonly { readonly account: Uint8Array; readonly role: Role | null }[]
}

/** A record, with whether it counts (group.md §5). */
export interface JudgedRecord extends PlacedRecord {
  readonly verdict: RecordVerdict
}
export type ExportedRecord = JudgedRecord & SaidRecord

/** A message and the records about it. */
export interface MessageWithAbout<R> {
  readonly message: R
  readonly about: readonly R[]
}

/** Version of the form; a reader refuses others. */
const exportVersion = 1

/**
 * A conversation as JSON text (history.md §12), in pieces: the same bytes wherever the same records, each given once
 * and in any order, are held under the same membership. Where bodies are not at hand all at once, `exportOrder` says
 * which are needed next and `exportMessage` writes them, between `exportOpening` and `exportClosing`.
 */
export function* exportConversation(
  conversation: ExportedConversation,
  records: readonly ExportedRecord[],
  rules: ViewRules,
): Generator<string, void, undefined> {
  yield exportOpening(conversation)
  for (const [i, one] of exportOrder(records).entries()) yield exportMessage(one, rules, i === 0)
  yield exportClosing
}

/** What comes before the first message. */
export function exportOpening({ id, kind, title, members }: ExportedConversation): string {
  const group = kind === 'group'
  const sorted = members.toSorted((a, b) => compareBytes(a.account, b.account))
  const head = JSON.stringify({
    version: exportVersion,
    conversation: { conversationId: toBase32(id), kind, title: group ? title : null },
    members: sorted.map(({ account, role }) => ({
      accountId: toBase32(account),
      role: group ? role : null,
    })),
  })
  return `${head.slice(0, -1)},"messages":[`
}

/** What comes after the last message. */
export const exportClosing = '\n]}\n'

/** The messages that are exported, in shown order, each with all that is about it. */
export function exportOrder<R extends JudgedRecord>(records: readonly R[]): readonly MessageWithAbout<R>[] {
  const about = new Map<string, R[]>()
  const messages: MessageWithAbout<R>[] = []
  for (const record of inShownOrder(records)) {
    const { kind, target } = record.header.content
    if (kind === recordKinds.msg) {
      if (record.verdict.counts || isCollapsed(record))
        messages.push({ message: record, about: listIn(about, toHex(record.header.id)) })
    } else if (target !== null) listIn(about, toHex(target)).push(record)
  }
  return messages
}

function listIn<R>(lists: Map<string, R[]>, key: string): R[] {
  const found = lists.get(key)
  if (found !== undefined) return found
  const made: R[] = []
  lists.set(key, made)
  return made
}

/** Sent while its author was being removed. */
const isCollapsed = ({ verdict }: JudgedRecord): boolean =>
  !verdict.counts && verdict.reason === 'sent-while-removed'

/** One message on a line of its own. The text of one that disappears is left out, here or not. */
export function exportMessage(
  { message, about }: MessageWithAbout<ExportedRecord>,
  rules: ViewRules,
  first: boolean,
): string {
  const { content, id } = message.header
  const shown = viewMessage(
    message,
    about.map((record) => ({ ...record, counts: record.verdict.counts })),
    rules,
  )
  const line = JSON.stringify({
    messageId: toBase32(id),
    author: { accountId: toBase32(content.account), deviceId: toBase32(content.device) },
    sentAt: timeText(content.timestampMs),
    text: content.ttlMs === null ? shown.text : null,
    replyTo: shown.replyTo === null ? null : toBase32(shown.replyTo),
    edited: shown.edited,
    editedAt: shown.editedAtMs === null ? null : timeText(shown.editedAtMs),
    deleted: shown.deleted,
    disappearsAfterMs: content.ttlMs,
    sentWhileBeingRemoved: isCollapsed(message),
    reactions: (content.ttlMs === null ? shown.reactions : []).map(({ emoji, by }) => ({
      emoji,
      by: by.map(toBase32),
    })),
  })
  return `${first ? '\n' : ',\n'}${line}`
}

/** The last moment ECMAScript has a name for (ECMA-262 §21.4.1.1); an author may write a later one. */
const lastMomentMs = 8.64e15

/** ISO 8601, UTC, with milliseconds. */
const timeText = (ms: number): string => new Date(Math.min(ms, lastMomentMs)).toISOString()
