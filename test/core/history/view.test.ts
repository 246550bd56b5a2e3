import { expect } from 'chai'
import fc from 'fast-check'
import {
  decodeBody,
  encodeBody,
  ownAlone,
  recordKinds,
  standingTimer,
  viewMessage,
  type MessageShown,
  type RecordAbout,
  type ViewRules,
} from '../../../packages/core/src/history/index.ts'
import { equalBytes, toHex } from '../../../packages/core/src/wire/index.ts'
import {
  aboutOf,
  accounts,
  conversations,
  edit,
  hexOf,
  messagesOf,
  react,
  redact,
  say,
  text,
} from './view-world.ts'

/** The third account takes back whatever it likes. */
const moderated: ViewRules = { mayRedact: ({ account }) => equalBytes(account, accounts[2]!) }

const shown = (message: RecordAbout, about: readonly RecordAbout[], rules: ViewRules = ownAlone) =>
  viewMessage(message, about, rules)
const said = (view: MessageShown) =>
  view.reactions.map(({ emoji, by }) => [emoji, by.map((id) => accounts.findIndex((a) => equalBytes(a, id)))])

/** The rules of §10 once more, as a story told record by record in shown order. */
function told(message: RecordAbout, about: readonly RecordAbout[], rules: ViewRules): MessageShown {
  const key = ({ segment, header }: RecordAbout) =>
    [segment, header.content.lamport].map((n) => String(n).padStart(9, '0')).join('/') + toHex(header.id)
  let [standing, deleted] = [message, false]
  const latest = new Map<string, string>()
  for (const record of about.toSorted((a, b) => (key(a) < key(b) ? -1 : 1))) {
    const { kind, account } = record.header.content
    const mine = toHex(account) === toHex(message.header.content.account)
    if (!record.counts) continue
    if (kind === recordKinds.edit && mine) standing = record
    if (
      kind === recordKinds.redact &&
      (mine || rules.mayRedact(record.header.content, message.header.content))
    )
      deleted = true
    const body = record.body === null ? undefined : decodeBody(kind, record.body)
    if (kind === recordKinds.react)
      latest.set(toHex(account), body?.kind === 'react' && body.emoji.length < 5 ? body.emoji : '')
  }
  const body = standing.body === null ? undefined : decodeBody(standing.header.content.kind, standing.body)
  const emojis = [...new Set(latest.values())].filter(
    (emoji) => emoji !== '' && emoji !== '️' && emoji !== 'word',
  )
  emojis.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  const edited = standing !== message && !deleted
  return {
    text: deleted || body === undefined || !('text' in body) ? null : body.text,
    edited,
    editedAtMs: edited ? standing.header.content.timestampMs : null,
    deleted,
    reactions: deleted
      ? []
      : emojis.map((emoji) => ({
          emoji,
          by: accounts
            .filter((account) => latest.get(toHex(account)) === emoji)
            .toSorted((a, b) => Buffer.compare(a, b)),
        })),
    replyTo: message.header.content.target,
  }
}

describe('history: what is seen of a message', () => {
  const hello = text('hello')

  it('is its text and what it answers', () => {
    expect(shown(hello, [])).to.deep.equal({
      ...{ text: 'hello', edited: false, editedAtMs: null, deleted: false, reactions: [], replyTo: null },
    })
    const answer = text('yes', { about: hello, by: 1 })
    expect(shown(answer, []).replyTo).to.deep.equal(hello.header.id)
    expect(shown(hello, [answer]).text).to.equal('hello')
  })

  it('is the last edit by shown position, from any device and in any segment', () => {
    const early = edit(hello, 'early', { lamport: 9 })
    const late = edit(hello, 'late', { segment: 1, lamport: 2, device: 1 })
    const view = shown(hello, [late, early])
    expect([view.text, view.edited, view.editedAtMs]).to.deep.equal([
      'late',
      true,
      late.header.content.timestampMs,
    ])
    expect(shown(hello, [early]).text).to.equal('early')
  })

  it('is nothing once it was taken back, whatever is said later', () => {
    const view = shown(hello, [
      redact(hello, { lamport: 2 }),
      edit(hello, 'again', { segment: 2, lamport: 9 }),
      react(hello, '👍', { by: 1, lamport: 9 }),
    ])
    expect(view).to.deep.equal({
      ...{ text: null, edited: false, editedAtMs: null, deleted: true, reactions: [], replyTo: null },
    })
  })

  it('is taken back by another account only where the rules say so', () => {
    const byOther = redact(hello, { by: 2 })
    expect(shown(hello, [byOther]).deleted).to.equal(false)
    expect(shown(hello, [byOther], moderated).deleted).to.equal(true)
    expect(shown(hello, [redact(hello, { by: 1 })], moderated).deleted).to.equal(false)
  })

  it('has of each account the last reaction, in the order of bytes', () => {
    const all = [
      react(hello, '👍', { by: 1, lamport: 2 }),
      react(hello, '❤️', { by: 1, lamport: 3, device: 1 }),
      react(hello, '👍', { by: 0, lamport: 2 }),
      react(hello, '❤️', { by: 2, lamport: 2 }),
    ]
    const hearts = [1, 2].toSorted((a, b) => Buffer.compare(accounts[a]!, accounts[b]!))
    expect(said(shown(hello, all))).to.deep.equal([
      ['❤️', hearts],
      ['👍', [0]],
    ])
    expect(said(shown(hello, [...all, react(hello, '', { by: 2, lamport: 4 })]))).to.deep.equal([
      ['❤️', [1]],
      ['👍', [0]],
    ])
  })

  it('shows nothing for a reaction that is no emoji, which still replaces the one before', () => {
    const all = [react(hello, '👍', { lamport: 2 }), react(hello, 'word', { lamport: 3 })]
    expect(said(shown(hello, all))).to.deep.equal([])
  })

  it('has no text while the body that stands is missing, or when it is none', () => {
    const gone = { ...edit(hello, 'new', { lamport: 2 }), body: null }
    expect(shown(hello, [gone])).to.include({ text: null, edited: true })
    const nonsense = { ...edit(hello, 'new', { lamport: 2 }), body: encodeBody({ kind: 'redact' }) }
    expect(shown(hello, [nonsense])).to.include({ text: null, edited: true })
    expect(shown({ ...hello, body: null }, [edit(hello, 'new')]).text).to.equal('new')
  })

  it('is not changed by what is about something else, or about no message', () => {
    const other = text('other')
    const about = [edit(other, 'x'), redact(other), react(other, '👍')]
    expect(shown(hello, about)).to.deep.equal(shown(hello, []))
    const elsewhere = edit(hello, 'x', { part: { conversation: accounts[0]! } })
    expect(shown(hello, [elsewhere]).text).to.equal('hello')
    const reaction = react(hello, '👍')
    expect(shown(reaction, [redact(reaction), react(reaction, '👍')])).to.include({
      text: null,
      deleted: false,
    })
    expect(shown(reaction, [react(reaction, '👍')]).reactions).to.deep.equal([])
  })
})

describe('history: laws of the view', () => {
  const each = (
    law: (message: RecordAbout, about: readonly RecordAbout[], all: readonly RecordAbout[]) => void,
  ) =>
    fc.assert(
      fc.property(conversations, (all) => {
        for (const message of messagesOf(all)) law(message, aboutOf(all, message), all)
      }),
      { numRuns: 400 },
    )

  it('is the story told in shown order', () => {
    for (const rules of [ownAlone, moderated])
      each((message, about) =>
        expect(shown(message, about, rules)).to.deep.equal(told(message, about, rules)),
      )
  })

  it('is one view for every order of arrival, however often a record came', () => {
    fc.assert(
      fc.property(
        conversations.chain((all) =>
          fc.tuple(
            fc.constant(all),
            fc.shuffledSubarray([...all, ...all], { minLength: 2 * all.length, maxLength: 2 * all.length }),
          ),
        ),
        ([all, again]) => {
          for (const message of messagesOf(all))
            expect(shown(message, again, moderated)).to.deep.equal(shown(message, all, moderated))
        },
      ),
    )
  })

  it('is the same with and without what strangers edit and what does not count', () => {
    each((message, about) => {
      const rightful = about.filter(
        ({ header: { content }, counts }) =>
          counts &&
          (content.kind !== recordKinds.edit || equalBytes(content.account, message.header.content.account)),
      )
      expect(shown(message, about, moderated)).to.deep.equal(shown(message, rightful, moderated))
    })
  })

  it('is deleted for good by its author, wherever that stands in the order', () => {
    fc.assert(
      fc.property(conversations, fc.nat(2), fc.integer({ min: 1, max: 5 }), (all, segment, lamport) => {
        for (const message of messagesOf(all)) {
          const by = accounts.findIndex((id) => equalBytes(id, message.header.content.account))
          const view = shown(message, [redact(message, { by, segment, lamport }), ...all])
          expect([view.deleted, view.text, view.edited, view.reactions]).to.deep.equal([
            true,
            null,
            false,
            [],
          ])
        }
      }),
    )
  })

  it('does not change when a reaction that stands is said once more', () => {
    each((message, about) => {
      const view = shown(message, about)
      const again = view.reactions.flatMap(({ emoji, by }) =>
        by.map((account) => {
          const who = accounts.findIndex((id) => equalBytes(id, account))
          return react(message, emoji, { by: who, segment: 3, lamport: 1 })
        }),
      )
      expect(shown(message, [...again, ...about])).to.deep.equal(view)
    })
  })

  it('finds the last timer that counts and can be read', () => {
    each((message, _about, all) => {
      const timers = all.filter(
        ({ header, counts, body }) => header.content.kind === recordKinds.timer && counts && body !== null,
      )
      const last = timers
        .toSorted(
          (a, b) =>
            a.segment - b.segment ||
            a.header.content.lamport - b.header.content.lamport ||
            (hexOf(a) < hexOf(b) ? -1 : 1),
        )
        .at(-1)
      const body = last === undefined ? undefined : decodeBody(recordKinds.timer, last.body!)
      expect(standingTimer(all)).to.equal(body?.kind === 'timer' ? body.ms : null)
    })
    const off = say({ body: { kind: 'timer', ms: null }, lamport: 3 })
    const zero = say({ body: { kind: 'timer', ms: 0 }, lamport: 4 })
    const week = say({ body: { kind: 'timer', ms: 604_800_000 }, lamport: 2 })
    expect(standingTimer([zero, week])).to.equal(604_800_000)
    expect(standingTimer([off, week, zero])).to.equal(null)
  })
})
