import { expect } from 'chai'
import {
  decodeIntent,
  encodeIntent,
  NaturalDocument,
  readKey,
  type Intent,
  type IntentOp,
} from '../../../packages/core/src/history/index.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { toHex } from '../../../packages/core/src/wire/index.ts'
import { crdt } from '../../support/crdt.ts'
import { crypto, drawFrom, idFor, shuffled, type Draw } from './segment-world.ts'

const documentId = idFor('conversation')
const opOf = (name: string, intent: Intent, after: readonly IntentOp[]): IntentOp => ({
  id: idFor(name),
  intent: encodeIntent(intent),
  after: after.map(({ id }) => id),
})

const made = (ops: readonly IntentOp[], counts: (op: IntentOp) => boolean = () => true) => {
  const document = new NaturalDocument(crdt, crypto, documentId, counts)
  document.fold(ops)
  return document
}
const stateOf = (document: NaturalDocument) => {
  const { read, own, ...rest } = document.view()
  return JSON.stringify([
    document.heads().map(toHex),
    rest,
    [...read].sort(),
    Object.entries(own).map(([name, table]) => [name, [...table].map(([key, value]) => [key, toHex(value)])]),
  ])
}

function randomIntent(draw: Draw): Intent {
  const record = idFor(`record ${draw(6)}`)
  const key = Uint8Array.of(draw(4))
  switch (draw(8)) {
    case 0:
      return { kind: 'set', field: draw(2), text: `title ${draw(100)}` }
    case 1:
      return { kind: 'pin', record }
    case 2:
      return { kind: 'unpin', record }
    case 3:
      return { kind: 'read', marks: [{ conversation: record, device: record, upTo: draw(50) }] }
    case 4:
      return { kind: 'put', table: draw(4), key, value: Uint8Array.of(draw(256)) }
    case 5:
      return { kind: 'drop', table: draw(4), key }
    case 6:
      return { kind: 'picture', image: draw(3) === 0 ? null : Uint8Array.of(draw(256)) }
    default:
      return { kind: 'splice', at: draw(8), remove: draw(3), insert: ['a𝄞b', 'word ', ''][draw(3)]! }
  }
}

function randomOps(draw: Draw, count: number): readonly IntentOp[] {
  const ops: IntentOp[] = []
  for (let i = 0; i < count; i++) {
    const recent = ops.slice(-5)
    const after = [...new Set(Array.from({ length: draw(3) }, () => recent[draw(recent.length)]))]
    ops.push(
      opOf(
        `op ${draw(1e9)} ${i}`,
        randomIntent(draw),
        after.filter((op) => op !== undefined),
      ),
    )
  }
  return ops
}

describe('history: natural documents', () => {
  it('say the same in every order and batching of equal sets, void operations among them', () => {
    const states = new Set<string>()
    for (let seed = 0; seed < 8; seed++) {
      const draw = drawFrom(seed)
      const ops = randomOps(draw, 50)
      const voided = new Set(ops.filter(() => draw(6) === 0).map(({ id }) => toHex(id)))
      const counts = (op: IntentOp): boolean => !voided.has(toHex(op.id))
      const expected = stateOf(made(ops, counts))
      for (let order = 0; order < 5; order++) {
        const document = made([], counts)
        const mixed = shuffled(draw, [...ops, ...ops.slice(0, 5)])
        while (mixed.length > 0) document.fold(mixed.splice(0, 1 + draw(12)))
        expect(document.waiting).to.equal(0)
        expect(stateOf(document), `seed ${seed}`).to.equal(expected)
        document.free()
      }
      states.add(expected)
    }
    expect(states.size).to.equal(8)
  })

  it('merge what people did at once', () => {
    const first = opOf('1', { kind: 'splice', at: 0, remove: 0, insert: 'shopping' }, [])
    const ann = opOf('ann', { kind: 'splice', at: 0, remove: 0, insert: 'our ' }, [first])
    const ben = opOf('ben', { kind: 'splice', at: 8, remove: 0, insert: ' list' }, [first])
    const pinned = opOf('pin', { kind: 'pin', record: idFor('r') }, [first])
    const mark = (name: string, upTo: number) =>
      opOf(name, { kind: 'read', marks: [{ conversation: idFor('a'), device: idFor('d'), upTo }] }, [first])
    const view = made([mark('far', 2 ** 53 - 1), first, ben, pinned, ann, mark('near', 4)]).view()
    expect([view.note, view.pins]).to.deep.equal(['our shopping list', [toHex(idFor('r'))]])
    expect(view.read.get(readKey(idFor('a'), idFor('d')))).to.equal(2 ** 53 - 1)
  })

  it('let references to a void operation mean what it refers to', () => {
    const first = opOf('1', { kind: 'set', field: 0, text: 'first' }, [])
    const voided = opOf('2', { kind: 'set', field: 0, text: 'void' }, [first])
    const later = opOf('3', { kind: 'set', field: 1, text: 'topic' }, [voided])
    const view = made([later, voided, first], (op) => op !== voided).view()
    expect([view.title, view.topic]).to.deep.equal(['first', 'topic'])
    const only = opOf('3', { kind: 'set', field: 1, text: 'topic' }, [first])
    expect(made([first, voided, later], (op) => op !== voided).heads()).to.deep.equal(
      made([first, only]).heads(),
    )
  })

  it('take impossible, foreign and oversized intents as nothing', () => {
    const note = opOf('note', { kind: 'splice', at: 0, remove: 0, insert: 'a𝄞' }, [])
    const bad: readonly IntentOp[] = [
      opOf('beyond', { kind: 'splice', at: 9, remove: 0, insert: 'x' }, [note]),
      opOf('too much', { kind: 'splice', at: 0, remove: 4, insert: '' }, [note]),
      opOf('torn', { kind: 'splice', at: 2, remove: 0, insert: 'x' }, [note]),
      opOf('torn end', { kind: 'splice', at: 1, remove: 1, insert: '' }, [note]),
      opOf('absent', { kind: 'unpin', record: idFor('r') }, [note]),
      opOf('gone', { kind: 'drop', table: 0, key: Uint8Array.of(1) }, [note]),
      { id: idFor('noise'), intent: new Uint8Array(40).fill(0xff), after: [note.id] },
      { id: idFor('empty'), intent: new Uint8Array(0), after: [note.id] },
    ]
    expect(made([note, ...bad]).view()).to.deep.equal(made([note]).view())
    expect(made([note, ...bad]).heads()).to.have.length(bad.length)
    expect(decodeIntent(new Uint8Array(limits.metaIntentBytes + 1))).to.equal(undefined)
  })

  it('keep pins within their limit', () => {
    const ops: IntentOp[] = []
    for (let i = 0; i <= limits.pins; i++)
      ops.push(opOf(`pin ${i}`, { kind: 'pin', record: idFor(`record ${i}`) }, ops.slice(-1)))
    expect(made(ops.slice(0, -1)).view().pins).to.have.length(limits.pins)
    expect(made(ops).view().pins).to.have.length(limits.pins)
  })
})
