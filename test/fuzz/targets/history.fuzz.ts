import { createNodeProvider } from '../../../packages/core/bindings/crypto-node/index.ts'
import { issueRecord, readRecord } from '../../../packages/core/src/history/record.ts'
import { recordKinds } from '../../../packages/core/src/history/record-frame.ts'
import { readInsert, writeInsert } from '../../../packages/core/src/history/change.ts'
import {
  answerGaps,
  answerSync,
  askGaps,
  askSync,
  decodeBody,
  decodeIntent,
  decodeRuns,
  encodeBodies,
  encodeBody,
  encodeIntent,
  encodeMessageBody,
  encodeRuns,
  openSegment,
  recordsOfRuns,
  ownAlone,
  sealSegment,
  standingTimer,
  syncAnswerFrame,
  syncAskFrame,
  syncBodiesAskFrame,
  syncBodiesFrame,
  syncGapsFrame,
  viewMessage,
  type Body,
} from '../../../packages/core/src/history/index.ts'
import type { Frame } from '../../../packages/core/src/wire/index.ts'
import { drawFrom, membersOnly, randomSegment } from '../../core/history/segment-world.ts'
import { Replica } from '../../core/history/sync-world.ts'
import { say, text } from '../../core/history/view-world.ts'
import { crdt } from '../../support/crdt.ts'
import { sameBytes } from '../checks.ts'
import type { FuzzTarget } from '../driver.ts'

const crypto = await createNodeProvider()
const id = (fill: number): Uint8Array => new Uint8Array(32).fill(fill)
const record = (sseq: number, refs: readonly Uint8Array[]): Uint8Array =>
  issueRecord(
    crypto,
    crypto.signKeyPair(id(1)),
    {
      ...{ conversation: id(2), segment: id(3), kind: recordKinds.msg, account: id(4), device: id(5) },
      ...{
        aseq: sseq - 1,
        sseq,
        selfPrev: sseq > 1 ? id(6) : null,
        refs,
        xrefs: [],
        groupHeads: [],
        lamport: sseq,
      },
      ...{ timestampMs: 1_760_000_000_000, ttlMs: null, target: null, history: 0 },
    },
    encodeMessageBody('hello'),
    id(7),
  ).header.bytes

const written = randomSegment(drawFrom(1), { count: 24, forkOneIn: 6 })
const { conversation, segment } = written[0]!.header.content
const replica = new Replica(conversation)
replica.hold(0, written)
const nothing = new Replica(conversation)
const nonce = id(9).slice(0, 8)
const vectors = askSync(crypto, replica.side, nonce, { kind: 'from', depth: 0 })
const reply = answerSync(
  crypto,
  replica.side,
  askSync(crypto, nothing.side, nonce, { kind: 'from', depth: 0 }),
)
const runs = reply.sendings.flatMap((sending) => encodeRuns(conversation, sending))
const counted = [...replica.sets.values()].flatMap(({ set }) => [...set.counted.values()])
const sealed = sealSegment(crdt, crypto, { conversation, segment }, counted)!
const root = id(10).slice(0, 16)
const gaps = askGaps(
  crypto,
  replica.side,
  nonce,
  1,
  written.map(({ header }) => header.content),
)

/** A frame, and what is done with what it says. */
const framed = <T>(
  name: string,
  { encode, decode }: Frame<T>,
  seeds: readonly Uint8Array[],
  use: (value: T) => unknown = () => undefined,
): FuzzTarget => ({
  name,
  seeds,
  run: (input) => {
    const decoded = decode(input)
    if (!decoded.ok) return false
    use(decoded.value)
    return sameBytes(encode(decoded.value), input)
  },
})

/** A body of one kind; whatever it says, what is seen of the message it is about can be said. */
function bodyTarget(kind: Body['kind'], said: readonly Body[]): FuzzTarget {
  const about = text('hello')
  const placed = kind === 'msg' ? about : say({ about, body: said[0]! })
  return {
    name: `history/body of ${kind}`,
    seeds: said.map(encodeBody),
    run: (input) => {
      const body = decodeBody(recordKinds[kind], input)
      const record = { ...placed, body: input }
      const view = viewMessage(kind === 'msg' ? record : about, [record], ownAlone)
      if (view.reactions.length > 0 && body?.kind !== 'react') throw new Error('a reaction nobody made')
      standingTimer([record])
      return body !== undefined && sameBytes(encodeBody(body), input)
    },
  }
}

export const targets: readonly FuzzTarget[] = [
  {
    name: 'history/record',
    seeds: [record(1, []), record(200, [id(8), id(9)])],
    run: (input) => readRecord(crypto, input) !== undefined,
  },
  bodyTarget(
    'msg',
    ['hello', 'ünï𝄞 '.repeat(20)].map((text) => ({ kind: 'msg', text })),
  ),
  bodyTarget('edit', [{ kind: 'edit', text: 'changed' }]),
  bodyTarget('redact', [{ kind: 'redact' }]),
  bodyTarget(
    'react',
    ['👍🏽', '🧑🏻‍❤️‍💋‍🧑🏼', '1️⃣', ''].map((emoji) => ({ kind: 'react', emoji })),
  ),
  bodyTarget(
    'timer',
    [null, 604_800_000].map((ms) => ({ kind: 'timer', ms })),
  ),
  framed('history/sync ask', syncAskFrame, [syncAskFrame.encode(vectors)], (ask) =>
    answerSync(crypto, replica.side, ask),
  ),
  framed('history/sync answer', syncAnswerFrame, [
    syncAnswerFrame.encode({ version: 1, nonce, behind: vectors.vectors, older: null, frames: 1 }),
    syncAnswerFrame.encode({ version: 1, nonce, behind: [], older: [{ segment, digest: nonce }], frames: 0 }),
  ]),
  framed('history/sync gaps', syncGapsFrame, gaps === undefined ? [] : [syncGapsFrame.encode(gaps)], (ask) =>
    answerGaps(crypto, replica.side, ask),
  ),
  framed('history/sync bodies ask', syncBodiesAskFrame, [
    syncBodiesAskFrame.encode({ version: 1, conversation, nonce, records: [id(1), id(2)] }),
  ]),
  framed(
    'history/sync bodies',
    syncBodiesFrame,
    encodeBodies(written.map(({ salt, body }) => ({ salt, body }))),
  ),
  {
    name: 'history/sync runs',
    seeds: runs,
    run: (input) => {
      const decoded = decodeRuns(input)
      if (decoded === undefined) return false
      const { arrivals } = recordsOfRuns(crypto, decoded, { byId: () => undefined, at: () => [] })
      for (const { header } of arrivals)
        if (readRecord(crypto, header.bytes) === undefined) throw new Error('wrote what is no record')
      return true
    },
  },
  {
    name: 'history/change',
    seeds: [
      writeInsert(crypto, root, {
        actor: id(11).slice(0, 16),
        seq: 3,
        startOp: 900,
        deps: [id(12)],
        value: id(13),
      }).bytes,
    ],
    run: (input) => {
      const change = readInsert(root, input)
      return (
        change !== undefined && sameBytes(writeInsert(crypto, root, change).bytes.slice(8), input.slice(8))
      )
    },
  },
  {
    name: 'history/sealed segment',
    seeds: [sealed],
    weight: 10,
    run: (input) => openSegment(crdt, crypto, { conversation, segment }, input, membersOnly()) !== undefined,
  },
  {
    name: 'history/intent',
    seeds: [
      encodeIntent({ kind: 'set', field: 1, text: 'topic' }),
      encodeIntent({ kind: 'splice', at: 3, remove: 1, insert: 'word' }),
      encodeIntent({ kind: 'put', table: 2, key: id(1), value: id(2) }),
    ],
    run: (input) => {
      const intent = decodeIntent(input)
      return intent !== undefined && sameBytes(encodeIntent(intent), input)
    },
  },
]
