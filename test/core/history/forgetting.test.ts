import { expect } from 'chai'
import fc from 'fast-check'
import {
  erasures,
  expiryOf,
  ownAlone,
  recordKinds,
  viewMessage,
  type RecordAbout,
} from '../../../packages/core/src/history/index.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { toHex } from '../../../packages/core/src/wire/index.ts'
import { aboutOf, conversations, edit, hexOf, messagesOf, react, redact, text } from './view-world.ts'

const day = limits.editedBodyMs
const seen = <R>(record: R, firstSeenMs: number): R & { readonly firstSeenMs: number } => ({
  ...record,
  firstSeenMs,
})

/** A device that takes records in, erases what it must after each, and forgets when it is told to look again. */
class Shelf {
  readonly #records = new Map<string, RecordAbout & { readonly firstSeenMs: number }>()
  readonly #erased = new Set<string>()

  take(record: RecordAbout, nowMs: number): void {
    this.#records.set(hexOf(record), seen(record, nowMs))
    this.erase(nowMs)
  }

  erase(nowMs: number): void {
    const all = [...this.#records.values()]
    for (const message of all)
      for (const { id, fromMs } of erasures(message, all, ownAlone))
        if (fromMs <= nowMs) this.#erased.add(toHex(id))
  }

  get records(): readonly RecordAbout[] {
    return [...this.#records.values()].map((record) =>
      this.#erased.has(hexOf(record)) ? { ...record, body: null } : record,
    )
  }
}

describe('history: what is erased', () => {
  const hello = text('hello')
  const when = (message: RecordAbout, about: readonly (readonly [RecordAbout, number])[], seenMs = 5) =>
    new Map(
      erasures(
        seen(message, seenMs),
        about.map(([record, atMs]) => seen(record, atMs)),
        ownAlone,
      ).map(({ id, fromMs }) => [toHex(id), fromMs]),
    )

  it('is nothing of a message nobody changed', () => {
    expect(when(hello, [[react(hello, '👍'), 6]]).size).to.equal(0)
  })

  it('is every text of a redacted message at once', () => {
    const about = [edit(hello, 'new'), react(hello, '👍', { by: 1 }), edit(hello, 'not mine', { by: 1 })]
    const gone = when(hello, [[redact(hello), 9], ...about.map((record) => [record, 8] as const)])
    expect(gone).to.deep.equal(new Map([hello, ...about].map((record) => [hexOf(record), 0])))
  })

  it('is what was replaced, a day after the first later edit came, and never what stands', () => {
    const [one, two, three] = [2, 3, 4].map((lamport) => edit(hello, `${lamport}`, { lamport }))
    const gone = when(hello, [
      [one!, 300],
      [three!, 100],
      [two!, 200],
    ])
    expect(gone).to.deep.equal(
      new Map([
        [hexOf(hello), 100 + day],
        [hexOf(one!), 100 + day],
        [hexOf(two!), 100 + day],
      ]),
    )
    expect(
      when(hello, [
        [one!, 300],
        [one!, 300],
      ]).has(hexOf(one!)),
    ).to.equal(false)
  })

  it('is nothing for an edit by another account or one that does not count', () => {
    const about = [edit(hello, 'x', { by: 1 }), edit(hello, 'y', { counts: false })]
    expect(
      when(
        hello,
        about.map((record) => [record, 1] as const),
      ).size,
    ).to.equal(0)
  })

  it('is all that was said once a message has lived its life', () => {
    const brief = text('brief', { part: { ttlMs: 1_000, timestampMs: 70 } })
    const about = [edit(brief, 'new'), react(brief, '👍')]
    const gone = when(
      brief,
      about.map((record) => [record, 80] as const),
      60,
    )
    expect(gone).to.deep.equal(new Map([brief, ...about].map((record) => [hexOf(record), 1_060])))
    expect(expiryOf(brief.header.content, 90)).to.equal(1_070)
    expect(expiryOf(hello.header.content, 90)).to.equal(null)
  })

  it('changes nothing that is seen, whatever the order of arrival; and leaves no body of a redacted message', () => {
    fc.assert(
      fc.property(
        conversations.chain((all) =>
          fc.tuple(
            fc.constant(all),
            fc.shuffledSubarray([...all], { minLength: all.length, maxLength: all.length }),
            fc.constantFrom(1, day / 3, 2 * day),
          ),
        ),
        ([all, order, pauseMs]) => {
          const shelf = new Shelf()
          order.forEach((record, i) => shelf.take(record, i * pauseMs))
          shelf.erase(order.length * pauseMs + 2 * day)
          for (const message of messagesOf(all)) {
            const left = shelf.records.find((record) => hexOf(record) === hexOf(message))!
            const about = aboutOf(shelf.records, message)
            const view = viewMessage(left, about, ownAlone)
            expect(view).to.deep.equal(viewMessage(message, aboutOf(all, message), ownAlone))
            if (view.deleted)
              expect([left.body, ...about.filter(isSpoken).map(({ body }) => body)]).to.satisfy(allNull)
          }
        },
      ),
    )
  })
})

/** Whether a record says something of the message it is about, as an answer and a redaction do not. */
const isSpoken = ({ header: { content } }: RecordAbout): boolean =>
  content.kind !== recordKinds.msg && content.kind !== recordKinds.redact
const allNull = (bodies: readonly (Uint8Array | null)[]): boolean => bodies.every((body) => body === null)
