/** Edits of shared documents as a member may word them: keys, values and places no honest device would write. */
import { encode as encodeAnything } from 'cborg'
import {
  encodeIntent,
  NaturalDocument,
  type Intent,
  type IntentOp,
} from '../../../packages/core/src/history/index.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { toHex } from '../../../packages/core/src/wire/index.ts'
import { crypto, shuffled } from '../../core/history/segment-world.ts'
import { crdt } from '../../support/crdt.ts'
import { drawFrom, type Draw } from '../mutator.ts'
import { answerOf, byTurns, Tally, type HostileCampaign, type Lie } from './lie.ts'

/** Edits to one document, which then is compared and left. */
const editsADocument = 120
const documentId = new Uint8Array(32).fill(3)
const pick = <T>(list: readonly T[], draw: Draw): T => list[draw(list.length)]!
const bytes = (draw: Draw, length: number): Uint8Array => Uint8Array.from({ length }, () => draw(256))

/** Ids of operations by who has no say begin so. */
const powerless = 0xff
const counts = ({ id }: IntentOp): boolean => id[0] !== powerless

const idFrom = (draw: Draw, first = draw(powerless)): Uint8Array =>
  Uint8Array.from([first, ...bytes(draw, 31)])

const wordsOfPrototypes = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '__defineGetter__']

/** A document that hears edits one by one. */
class IntentTarget {
  readonly heard: IntentOp[] = []
  readonly #document = new NaturalDocument(crdt, crypto, documentId, counts)

  constructor(draw: Draw) {
    const start: readonly Intent[] = [
      { kind: 'set', field: 0, text: 'title' },
      { kind: 'splice', at: 0, remove: 0, insert: 'a shared note with 𝄞 in it' },
      { kind: 'read', marks: [{ conversation: documentId, device: documentId, upTo: 9 }] },
    ]
    for (const intent of start) this.hear({ id: idFrom(draw), intent: encodeIntent(intent), after: [] })
  }

  /** Operations to write after: the newest that were taken. */
  tips(): readonly Uint8Array[] {
    return this.heard.slice(-1).map(({ id }) => id)
  }

  hear(op: IntentOp): string {
    const [before, waited] = [this.seen(), this.#document.waiting]
    this.#document.fold([op])
    if (this.#document.waiting > waited) return 'waits'
    this.heard.push(op)
    return this.seen() === before ? 'nothing' : 'changes'
  }

  /** What is shown, as text. */
  seen(): string {
    return JSON.stringify(this.#document.view(), (_, value: unknown) =>
      value instanceof Map
        ? [...(value as Map<string, unknown>)]
        : value instanceof Uint8Array
          ? toHex(value)
          : value,
    )
  }

  /** Another replica takes the same in another order, and has the same. */
  compare(tally: Tally, draw: Draw): void {
    const other = new NaturalDocument(crdt, crypto, documentId, counts)
    const ops = shuffled(draw, this.heard)
    for (let at = 0; at < ops.length; at += 7) other.fold(ops.slice(at, at + 7))
    const [mine, theirs] = [this.#document, other].map((one) => one.heads().map(toHex).join())
    if (mine !== theirs) tally.wrong('two replicas differ')
    if ('polluted' in {} || Object.keys(Object.prototype).length > 0) tally.wrong('a prototype was changed')
    other.free()
    this.#document.free()
  }
}

type IntentLie = Lie<IntentTarget, IntentOp>

const lie = (
  name: string,
  answers: readonly [string, ...string[]],
  intent: (draw: Draw) => Uint8Array,
  how: { readonly first?: number; readonly after?: (draw: Draw) => readonly Uint8Array[] } = {},
): IntentLie => ({
  name,
  answers,
  tell: (target, draw) => ({
    id: idFrom(draw, how.first),
    intent: intent(draw),
    after: how.after?.(draw) ?? target.tips(),
  }),
})

const said = (intent: Intent): Uint8Array => encodeIntent(intent)
const anything = (fields: unknown): Uint8Array => encodeAnything([fields])

/** Edits that are none, or cannot be made: they change nothing. */
const lies: readonly IntentLie[] = [
  lie('noise', ['nothing'], (draw) => bytes(draw, 1 + draw(90))),
  lie('an edit there is none of', ['nothing'], (draw) => anything([8 + draw(99), bytes(draw, 9)])),
  lie('a field there is none of', ['nothing'], (draw) =>
    anything([0, pick([2, 99, -1, '__proto__', null], draw), 'x']),
  ),
  lie('a table there is none of', ['nothing'], (draw) =>
    anything([5, pick([4, 99, -1, '__proto__', 'constructor'], draw), bytes(draw, 9), bytes(draw, 9)]),
  ),
  lie('a key that is text', ['nothing'], (draw) =>
    anything([5, 0, pick(wordsOfPrototypes, draw), bytes(draw, 9)]),
  ),
  lie('a key beyond its size', ['nothing'], (draw) =>
    anything([5, 1, bytes(draw, 65 + draw(2_000)), bytes(draw, 9)]),
  ),
  lie('a value of another type', ['nothing'], (draw) =>
    anything(
      pick(
        [
          [0, 0, NaN],
          [0, 0, 1n],
          [3, 1.5, 0, 'x'],
          [4, [['x', 'y', 2n ** 60n]]],
          [7, '__proto__'],
          [1, [1, 2]],
        ],
        draw,
      ),
    ),
  ),
  lie('text that is no text', ['nothing'], (draw) =>
    Uint8Array.from([
      0x81,
      0x83,
      0,
      draw(2),
      0x63,
      ...pick(
        [
          [0xed, 0xa0, 0x80],
          [0xff, 0xff, 0xff],
          [0xc0, 0x80, 0x61],
        ],
        draw,
      ),
    ]),
  ),
  lie('a text beyond its size', ['nothing'], (draw) =>
    anything([0, 0, 'x'.repeat(limits.nameBytes + 1 + draw(2_000))]),
  ),
  lie('an edit beyond its size', ['nothing'], (draw) =>
    anything([7, bytes(draw, limits.metaIntentBytes + draw(5_000))]),
  ),
  lie('a nest', ['nothing'], (draw) => {
    let nest: unknown = 0
    for (let depth = draw(1_000) + 2; depth > 0; depth--) nest = [nest]
    return anything([99, nest])
  }),
  lie('a cut beyond the note', ['nothing'], (draw) =>
    said({
      kind: 'splice',
      at: pick([limits.noteChars, 9_000 + draw(99)], draw),
      remove: draw(9),
      insert: 'x',
    }),
  ),
  lie('a mark that goes back', ['nothing'], (draw) =>
    said({ kind: 'read', marks: [{ conversation: documentId, device: documentId, upTo: draw(9) }] }),
  ),
  lie('taking away what is not there', ['nothing'], (draw) =>
    said(
      pick(
        [
          { kind: 'unpin', record: bytes(draw, 32) },
          { kind: 'drop', table: draw(4), key: bytes(draw, 20) },
        ],
        draw,
      ),
    ),
  ),
  lie('by who has no say', ['nothing'], () => said({ kind: 'set', field: 0, text: 'taken over' }), {
    first: powerless,
  }),
  lie('after what nobody wrote', ['waits'], () => said({ kind: 'set', field: 0, text: 'later' }), {
    after: (draw) => [bytes(draw, 32)],
  }),
]

/** Edits that may be made, with words that want to be something else, or from long ago. */
const edits: readonly IntentLie[] = [
  lie('names of prototypes as values', ['changes', 'nothing'], (draw) =>
    said({ kind: 'set', field: draw(2), text: pick(wordsOfPrototypes, draw) }),
  ),
  lie('names of prototypes as keys', ['changes'], (draw) => {
    const key = new TextEncoder().encode(`${pick(wordsOfPrototypes, draw)} ${draw(2 ** 30)}`)
    return said({ kind: 'put', table: draw(4), key, value: bytes(draw, draw(200)) })
  }),
  lie(
    'a title before all others',
    ['changes', 'nothing'],
    (draw) => said({ kind: 'set', field: 0, text: `t ${draw(2 ** 30)}` }),
    {
      after: () => [],
    },
  ),
  lie('a cut into a character of two', ['nothing', 'changes'], (draw) =>
    said({ kind: 'splice', at: draw(40), remove: draw(3), insert: pick(['𝄞', '', '\u202e'], draw) }),
  ),
  lie('pins without end', ['changes', 'nothing'], (draw) => said({ kind: 'pin', record: bytes(draw, 32) })),
  lie('a mark beyond every number', ['changes', 'nothing'], (draw) =>
    said({
      kind: 'read',
      marks: [{ conversation: bytes(draw, 32), device: documentId, upTo: Number.MAX_SAFE_INTEGER }],
    }),
  ),
]

/** Edits against a natural document. */
export const intentCampaign: HostileCampaign = {
  room: 'history: shared documents',
  run: (inputs, seed) => {
    const draw = drawFrom(seed)
    const tally = new Tally('history: shared documents', [...lies, ...edits])
    const turns = byTurns([...lies, ...edits], draw)
    while (tally.inputs < inputs) {
      const target = new IntentTarget(draw)
      for (let i = 0; i < editsADocument; i++) {
        const lie = turns.next().value
        const op = lie.tell(target, draw)
        if (op !== undefined)
          tally.note(
            lie,
            answerOf(() => target.hear(op)),
          )
      }
      target.compare(tally, draw)
    }
    return tally.finish()
  },
}
