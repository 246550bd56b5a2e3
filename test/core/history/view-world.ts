/** Random conversations of every kind of record, as plain data: unsigned, for what is shown of them. */
import fc from 'fast-check'
import {
  encodeBody,
  recordKinds,
  segmentId,
  type Body,
  type RecordAbout,
  type RecordContent,
} from '../../../packages/core/src/history/index.ts'
import { encodeRecord } from '../../../packages/core/src/history/record.ts'
import { equalBytes, toHex } from '../../../packages/core/src/wire/index.ts'
import { crypto, idFor } from './segment-world.ts'

export const conversation = idFor('conversation')
export const accounts = ['ann', 'ben', 'cem'].map((name) => idFor(`account ${name}`))

export interface Saying {
  readonly body: Body
  /** Index of the account, and of its device. */
  readonly by?: number
  readonly device?: number
  readonly segment?: number
  readonly lamport?: number
  readonly about?: RecordAbout
  readonly counts?: boolean
  readonly part?: Partial<RecordContent>
}

let count = 0

/** A record that says this; each one is another, also where it says the same. */
export function say({
  body,
  by = 0,
  device = 0,
  segment = 0,
  lamport = 1,
  about,
  counts = true,
  part,
}: Saying): RecordAbout {
  count += 1
  const bytes = encodeBody(body)
  const header = encodeRecord(crypto, {
    ...{ conversation, segment: segmentId(crypto, conversation, segment), kind: recordKinds[body.kind] },
    ...{ account: accounts[by]!, device: idFor(`device ${by}.${device}`) },
    ...{ aseq: count, sseq: 1, selfPrev: idFor('before'), refs: [], xrefs: [], groupHeads: [], lamport },
    ...{ timestampMs: 1_760_000_000_000 + count, ttlMs: null, target: about?.header.id ?? null, history: 0 },
    ...{ bodyCommit: idFor(`body ${count}`), sizeClass: Math.ceil(bytes.length / 512), ...part },
  })!
  return { header, segment, body: bytes, counts }
}

export const text = (value: string, part: Omit<Saying, 'body'> = {}): RecordAbout =>
  say({ ...part, body: { kind: 'msg', text: value } })
export const edit = (about: RecordAbout, value: string, part: Omit<Saying, 'body'> = {}): RecordAbout =>
  say({ ...part, about, body: { kind: 'edit', text: value } })
export const redact = (about: RecordAbout, part: Omit<Saying, 'body'> = {}): RecordAbout =>
  say({ ...part, about, body: { kind: 'redact' } })
export const react = (about: RecordAbout, emoji: string, part: Omit<Saying, 'body'> = {}): RecordAbout =>
  say({ ...part, about, body: { kind: 'react', emoji } })

const saying = fc.record({
  kind: fc.constantFrom<Body['kind']>('msg', 'edit', 'edit', 'redact', 'react', 'react', 'react', 'timer'),
  by: fc.nat(2),
  device: fc.nat(1),
  segment: fc.nat(2),
  lamport: fc.integer({ min: 1, max: 4 }),
  target: fc.nat(),
  word: fc.constantFrom('', '👍', '❤️', '👍🏽', 'word', '️'),
  counts: fc.integer({ min: 0, max: 5 }).map((n) => n > 0),
  here: fc.integer({ min: 0, max: 8 }).map((n) => n > 0),
})

/** A conversation of records about one another; a message comes first. Positions follow no order of writing. */
export const conversations: fc.Arbitrary<readonly RecordAbout[]> = fc
  .array(saying, { minLength: 1, maxLength: 30 })
  .map((all) => {
    const said: RecordAbout[] = []
    for (const { kind, word, target, here, ...one } of all) {
      const first = said.length === 0
      const about = said[target % Math.max(1, Math.min(said.length, 4))]
      const record = say({
        ...one,
        body: bodyOf(first ? 'msg' : kind, word),
        ...(first || kind === 'timer' || about === undefined ? {} : { about }),
      })
      said.push(here ? record : { ...record, body: null })
    }
    return said
  })

function bodyOf(kind: Body['kind'], word: string): Body {
  if (kind === 'msg' || kind === 'edit') return { kind, text: `${word} ${count}` }
  if (kind === 'react') return { kind, emoji: word }
  return kind === 'timer' ? { kind, ms: 1_000 + count } : { kind }
}

export const messagesOf = (records: readonly RecordAbout[]): readonly RecordAbout[] =>
  records.filter(({ header }) => header.content.kind === recordKinds.msg)

export const aboutOf = (records: readonly RecordAbout[], { header }: RecordAbout): readonly RecordAbout[] =>
  records.filter(
    (record) => record.header.content.target !== null && equalBytes(record.header.content.target, header.id),
  )

export const hexOf = ({ header }: RecordAbout): string => toHex(header.id)
