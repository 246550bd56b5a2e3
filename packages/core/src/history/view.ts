import { compareBytes, equalBytes, toHex, utf8 } from '../wire/index.ts'
import { decodeBody, type Body } from './body.ts'
import { isEmoji } from './emoji.ts'
import { comparePositions, type Position } from './page.ts'
import { recordKinds, type RecordContent } from './record-frame.ts'
import { type RecordHeader } from './record.ts'

/** A record in its place. */
export interface PlacedRecord {
  readonly header: RecordHeader
  /** Number of its segment. */
  readonly segment: number
}

/** A record with what it says. */
export interface SaidRecord extends PlacedRecord {
  /** Null when it is not here, or no longer. */
  readonly body: Uint8Array | null
}

/** A record about a message, with whether it counts (§6, and group.md on who was a member). */
export interface RecordAbout extends SaidRecord {
  readonly counts: boolean
}

/** What the conversation allows. */
export interface ViewRules {
  /**
   * Whether the author of a redaction may take back a message of another account. To be answered by the heads the
   * redaction names, so that the answer stays.
   */
  readonly mayRedact: (redaction: RecordContent, message: RecordContent) => boolean
}

/** A conversation in which everybody takes back their own messages alone. */
export const ownAlone: ViewRules = { mayRedact: () => false }

/** What people see of a message. Ids are bytes; nothing here depends on the device that looks. */
export interface MessageShown {
  /** Null when it was deleted, or the body that stands is not here or no text. */
  readonly text: string | null
  readonly edited: boolean
  /** By the clock of the edit that stands. */
  readonly editedAtMs: number | null
  readonly deleted: boolean
  /** By the bytes of the emoji, then of the account. */
  readonly reactions: readonly Reaction[]
  /** The record this message answers. */
  readonly replyTo: Uint8Array | null
}

export interface Reaction {
  readonly emoji: string
  readonly by: readonly Uint8Array[]
}

const positionOf = ({ header, segment }: PlacedRecord): Position => ({
  segment,
  lamport: header.content.lamport,
  id: header.id,
})

/** Records by position, each once. */
export function inShownOrder<R extends PlacedRecord>(records: readonly R[]): readonly R[] {
  if (records.length < 2) return records
  const sorted = records.toSorted((a, b) => comparePositions(positionOf(a), positionOf(b)))
  return sorted.filter(({ header }, i) => {
    const before = sorted[i - 1]
    return before === undefined || !equalBytes(before.header.id, header.id)
  })
}

/**
 * What people see of a message, given the records about it in any order. Which edit and which reactions stand
 * follows from headers alone, so that a body which is late, gone or nonsense changes no other's place.
 */
export function viewMessage(
  message: SaidRecord,
  about: readonly RecordAbout[],
  rules: ViewRules,
): MessageShown {
  const { edits, redacted, reactions } = effects(message, about, rules)
  const replyTo = message.header.content.target
  if (redacted) return { text: null, edited: false, editedAtMs: null, deleted: true, reactions: [], replyTo }
  const edit = edits.at(-1)
  const body = bodyOf(edit ?? message)
  return {
    text: body?.kind === 'msg' || body?.kind === 'edit' ? body.text : null,
    edited: edit !== undefined,
    editedAtMs: edit?.header.content.timestampMs ?? null,
    deleted: false,
    reactions: grouped(reactions),
    replyTo,
  }
}

/** What some records do to a message. */
export interface Effects<R> {
  /** Edits of the message that count, by position: the last one stands. */
  readonly edits: readonly R[]
  readonly redacted: boolean
  /** Of each account the last reaction that counts. */
  readonly reactions: readonly R[]
}

/** Which of the records have an effect, in whatever order they are given. On what is no message, none has. */
export function effects<R extends PlacedRecord & { readonly counts: boolean }>(
  message: PlacedRecord,
  about: readonly R[],
  rules: ViewRules,
): Effects<R> {
  const edits: R[] = []
  const reactions = new Map<string, R>()
  let redacted = false
  const to = message.header.content
  for (const record of inShownOrder(about)) {
    const { content } = record.header
    if (!record.counts || !isAbout(message, record)) continue
    const own = equalBytes(content.account, to.account)
    if (content.kind === recordKinds.edit && own) edits.push(record)
    else if (content.kind === recordKinds.redact) redacted ||= own || rules.mayRedact(content, to)
    else if (content.kind === recordKinds.react) reactions.set(toHex(content.account), record)
  }
  return { edits, redacted, reactions: [...reactions.values()] }
}

/** Whether a record is about this message: an answer to it is not. */
export function isAbout({ header: message }: PlacedRecord, { header: { content } }: PlacedRecord): boolean {
  if (message.content.kind !== recordKinds.msg || content.kind === recordKinds.msg) return false
  if (content.target === null || !equalBytes(content.target, message.id)) return false
  return equalBytes(content.conversation, message.content.conversation)
}

const bodyOf = ({ header, body }: SaidRecord): Body | undefined =>
  body === null ? undefined : decodeBody(header.content.kind, body)

/** Reactions by emoji. One whose body is missing, empty or no emoji is none. */
function grouped(reactions: readonly SaidRecord[]): readonly Reaction[] {
  const accounts = new Map<string, Uint8Array[]>()
  for (const record of reactions) {
    const body = bodyOf(record)
    if (body?.kind !== 'react' || !isEmoji(body.emoji)) continue
    const by = accounts.get(body.emoji)
    if (by === undefined) accounts.set(body.emoji, [record.header.content.account])
    else by.push(record.header.content.account)
  }
  return [...accounts]
    .map(([emoji, by]) => ({ emoji, by: by.sort(compareBytes) }))
    .sort((a, b) => compareBytes(utf8(a.emoji), utf8(b.emoji)))
}
