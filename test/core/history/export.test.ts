import { expect } from 'chai'
import fc from 'fast-check'
import {
  erasures,
  exportClosing,
  exportConversation,
  exportMessage,
  exportOpening,
  exportOrder,
  ownAlone,
  viewMessage,
  type ExportedConversation,
  type ExportedRecord,
  type RecordAbout,
} from '../../../packages/core/src/history/index.ts'
import { toBase32, toHex } from '../../../packages/core/src/wire/index.ts'
import { idFor } from './segment-world.ts'
import {
  aboutOf,
  accounts,
  conversation,
  conversations,
  edit,
  hexOf,
  messagesOf,
  react,
  redact,
  text,
} from './view-world.ts'

const group: ExportedConversation = {
  ...{ id: conversation, kind: 'group', title: 'Tea & "cake"\u2028' },
  members: accounts.map((account, i) => ({ account, role: i === 0 ? 'owner' : 'member' })),
}
const removed = { counts: false, reason: 'sent-while-removed' } as const

/** What does not count was sent while its author was being removed. */
const judged = (record: RecordAbout): ExportedRecord => ({
  ...record,
  verdict: record.counts ? { counts: true } : removed,
})

const textOf = (records: readonly ExportedRecord[], of: ExportedConversation = group): string =>
  [...exportConversation(of, records, ownAlone)].join('')

interface ExportedLine {
  readonly messageId: string
  readonly text: string | null
  readonly [key: string]: unknown
}
const linesOf = (records: readonly ExportedRecord[]): readonly ExportedLine[] =>
  (JSON.parse(textOf(records)) as { readonly messages: readonly ExportedLine[] }).messages

/** Some of the conversation's messages disappear. */
const lively = conversations.chain((all) =>
  fc.tuple(
    fc.constant(all),
    fc.shuffledSubarray([...all], { minLength: all.length, maxLength: all.length }),
    fc.shuffledSubarray(accounts, { minLength: 3, maxLength: 3 }),
    fc.array(fc.boolean(), { minLength: all.length, maxLength: all.length }),
  ),
)

describe('history: export', () => {
  const hello = text('hello', { part: { timestampMs: 0 } })

  it('has the form of its page, to the byte', () => {
    const answer = text('line\n"two" 𝄞', { about: hello, by: 1, lamport: 2, part: { timestampMs: 1_500 } })
    const heart = react(hello, '❤️', { by: 1, lamport: 3 })
    const changed = edit(answer, 'changed', { by: 1, lamport: 4, part: { timestampMs: 86_400_000 } })
    const [first, second] = [hello, answer].map(({ header }) => toBase32(header.id))
    const [ann, ben] = accounts.map(toBase32)
    const members = accounts.toSorted((a, b) => Buffer.compare(a, b)).map(toBase32)
    expect(textOf([heart, answer, changed, hello].map(judged), { ...group, kind: 'direct' })).to.equal(
      `{"version":1,"conversation":{"conversationId":"${toBase32(conversation)}","kind":"direct","title":null},` +
        `"members":[${members.map((id) => `{"accountId":"${id}","role":null}`).join(',')}],"messages":[\n` +
        `{"messageId":"${first}","author":{"accountId":"${ann}","deviceId":"${toBase32(idFor('device 0.0'))}"},` +
        `"sentAt":"1970-01-01T00:00:00.000Z","text":"hello","replyTo":null,"edited":false,"editedAt":null,` +
        `"deleted":false,"disappearsAfterMs":null,"sentWhileBeingRemoved":false,` +
        `"reactions":[{"emoji":"❤️","by":["${ben}"]}]},\n` +
        `{"messageId":"${second}","author":{"accountId":"${ben}","deviceId":"${toBase32(idFor('device 1.0'))}"},` +
        `"sentAt":"1970-01-01T00:00:01.500Z","text":"changed","replyTo":"${first}","edited":true,` +
        `"editedAt":"1970-01-02T00:00:00.000Z","deleted":false,"disappearsAfterMs":null,` +
        `"sentWhileBeingRemoved":false,"reactions":[]}\n]}\n`,
    )
  })

  it('names a group with its title and roles', () => {
    const parsed = JSON.parse(textOf([])) as Record<string, unknown>
    expect(parsed['conversation']).to.deep.include({ kind: 'group', title: group.title })
    expect(parsed['members']).to.deep.include({ accountId: toBase32(accounts[0]!), role: 'owner' })
    expect(parsed['messages']).to.deep.equal([])
  })

  it('marks what was sent while its author was being removed, and gives it no effect', () => {
    const late = { counts: false, by: 1, lamport: 3 } as const
    const lines = linesOf(
      [hello, text('bye', late), react(hello, '👍', late), redact(hello, { counts: false })].map(judged),
    )
    expect(lines.map((line) => [line.text, line['sentWhileBeingRemoved']])).to.deep.equal([
      ['hello', false],
      ['bye', true],
    ])
    expect(lines[0]).to.deep.include({ deleted: false, reactions: [] })
  })

  it('leaves out what never counted', () => {
    for (const reason of ['not-a-member', 'device-out'] as const)
      expect(linesOf([{ ...hello, verdict: { counts: false, reason } }])).to.deep.equal([])
  })

  it('names a time no calendar has by the last one there is', () => {
    const never = text('never', { part: { timestampMs: Number.MAX_SAFE_INTEGER } })
    expect(linesOf([judged(never)])[0]?.['sentAt']).to.equal('+275760-09-13T00:00:00.000Z')
  })

  it('says of each message what is seen of it, in shown order', () => {
    fc.assert(
      fc.property(lively, ([all, order]) => {
        const lines = linesOf(order.map(judged))
        const key = ({ segment, header }: RecordAbout) =>
          [segment, header.content.lamport, toHex(header.id)].join('/')
        const messages = messagesOf(all).toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
        expect(lines.map((line) => line.messageId)).to.deep.equal(
          messages.map(({ header }) => toBase32(header.id)),
        )
        for (const [i, message] of messages.entries()) {
          const view = viewMessage(message, aboutOf(all, message), ownAlone)
          const reactions = view.reactions.map(({ emoji, by }) => ({ emoji, by: by.map(toBase32) }))
          expect(lines[i]).to.deep.include({
            ...{ text: view.text, edited: view.edited, deleted: view.deleted, reactions },
            replyTo: view.replyTo === null ? null : toBase32(view.replyTo),
            sentWhileBeingRemoved: !message.counts,
          })
        }
      }),
    )
  })

  it('is the same bytes for every order of records and members', () => {
    fc.assert(
      fc.property(lively, ([all, order, people]) => {
        const members = people.map((id) => group.members.find(({ account }) => account === id)!)
        expect(textOf(order.map(judged), { ...group, members })).to.equal(textOf(all.map(judged)))
      }),
    )
  })

  it('is the same bytes whatever a device erased already', () => {
    fc.assert(
      fc.property(lively, ([all, , , flags]) => {
        const records = all.map((record, i) =>
          messagesOf([record]).length === 1 && flags[i] === true ? brief(record) : record,
        )
        const held = records.map((record, i) => ({ ...record, firstSeenMs: i }))
        const due = new Set(
          held.flatMap((message) => erasures(message, held, ownAlone)).map(({ id }) => toHex(id)),
        )
        const erased = records.map((record, i) =>
          due.has(hexOf(record)) && flags.at(-1 - i) === true ? { ...record, body: null } : record,
        )
        expect(textOf(erased.map(judged))).to.equal(textOf(records.map(judged)))
      }),
    )
  })

  it('comes in pieces, one a message, that can be written one after the other', () => {
    const many = Array.from({ length: 2_000 }, (_, i) => judged(text(`${i}`, { lamport: i + 1 })))
    const pieces = [...exportConversation(group, many, ownAlone)]
    expect(pieces.length).to.equal(many.length + 2)
    const first = exportConversation(group, many, ownAlone)
    expect(first.next().value).to.equal(exportOpening(group))
    const apart = exportOrder(many.toReversed()).map((one, i) => exportMessage(one, ownAlone, i === 0))
    expect([exportOpening(group), ...apart, exportClosing]).to.deep.equal(pieces)
  })
})

/** The same record as one that disappears. */
const brief = (record: RecordAbout): RecordAbout => ({
  ...record,
  header: { ...record.header, content: { ...record.header.content, ttlMs: 1_000 } },
})
