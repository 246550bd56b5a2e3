/** Records by a member who knows the rules and breaks them one at a time, each with a signature that verifies. */
import { encode as encodeAnything } from 'cborg'
import { idOf, signAs, type Signature } from '../../../packages/core/src/crypto/index.ts'
import { recordKinds, segmentId, type RecordHeader } from '../../../packages/core/src/history/index.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { equalBytes } from '../../../packages/core/src/wire/index.ts'
import { crypto, idFor, write, writer, type Writer, type Written } from '../../core/history/segment-world.ts'
import type { Draw } from '../mutator.ts'
import type { Lie } from './lie.ts'
import type { LiarsView, SegmentScene } from './segment-target.ts'

/** A record as it comes in, and what is true of it. */
export interface ToldRecord {
  readonly bytes: Uint8Array
  readonly signature: Signature
  readonly said: { readonly salt: Uint8Array; readonly body: Uint8Array }
  /** The device in whose name it is brought, where that is not the one it names. */
  readonly as?: Writer
}

type RecordLie = Lie<LiarsView, ToldRecord>
type Part = Parameters<typeof write>[4]

const pick = <T>(list: readonly T[], draw: Draw): T => list[draw(list.length)]!

/** The same words never twice: no lie is a repeat of another. */
const words = (draw: Draw): string => `lie ${draw(2 ** 30)} ${draw(2 ** 30)}`

const told = ({ header, signature, salt, body }: Written): ToldRecord => ({
  ...{ bytes: header.bytes, signature, said: { salt, body } },
})

const tip = ({ own }: SegmentScene): RecordHeader => own.at(-1)!
const someone = ({ honest }: SegmentScene, draw: Draw): RecordHeader => pick(honest, draw).header
const someoneElse = ({ honest, liar }: SegmentScene, draw: Draw): Written =>
  pick(
    honest.filter(({ header }) => !equalBytes(header.content.device, liar.device)),
    draw,
  )

/** A record that would count but for what `part` says. */
const next = (scene: SegmentScene, draw: Draw, part: Part = {}): Written =>
  write(scene.liar, scene.place, tip(scene), [], { text: words(draw), ...part })

/** The same as the first of another branch in the segment. */
const first = (scene: SegmentScene, draw: Draw, part: Part = {}): Written =>
  write(scene.liar, scene.place, undefined, [someone(scene, draw)], {
    ...{ text: words(draw), aseq: 1_000 + draw(4_000) },
    ...part,
  })

/** Signs bytes that the writer of records would not write. */
function signed(scene: SegmentScene, bytes: Uint8Array): ToldRecord {
  const id = idOf(crypto, 'record', bytes)
  const signature = signAs(crypto, scene.liar.keys, 'record', scene.place.conversation, id)
  return { bytes, signature, said: { salt: idFor('salt'), body: new Uint8Array(1) } }
}

/** The fields of a record as CBOR knows them, one of them changed. */
function fieldsOf({ content }: RecordHeader, change: Readonly<Record<string, unknown>>): unknown[] {
  return Object.values({ ...content, ...change })
}

const malformed = (
  name: string,
  change: (draw: Draw, header: RecordHeader) => Readonly<Record<string, unknown>>,
): RecordLie => ({
  name,
  answers: ['malformed'],
  tell: ({ scene }, draw) => {
    const { header } = next(scene, draw)
    return signed(scene, encodeAnything(fieldsOf(header, change(draw, header))))
  },
})

const lie = (
  name: string,
  answer: string,
  tell: (scene: SegmentScene, draw: Draw) => Written | ToldRecord | undefined,
): RecordLie => ({
  name,
  answers: [answer],
  tell: ({ scene }, draw) => {
    const made = tell(scene, draw)
    return made === undefined || 'bytes' in made ? made : told(made)
  },
})

const nested = (depth: number): unknown => (depth === 0 ? 0 : [nested(depth - 1)])
const unknownId = (draw: Draw): Uint8Array => idFor(words(draw))

/** Bytes that are no record, though a member signed them. */
const misshapen: readonly RecordLie[] = [
  malformed('a number beyond its bound', (draw) =>
    pick(
      [
        { sseq: limits.segmentRecords + 1 },
        { kind: recordKinds.timer + 1 },
        { history: 2 },
        { lamport: 2n ** 53n },
        { aseq: 2n ** 64n - 1n },
        { timestampMs: 2n ** 63n },
        { sizeClass: -1 },
      ],
      draw,
    ),
  ),
  malformed('a value of another type', (draw) =>
    pick(
      [
        { lamport: NaN },
        { aseq: '__proto__' },
        { ttlMs: 1.5 },
        { target: 'constructor' },
        { refs: [null] },
        { bodyCommit: true },
        { xrefs: [[]] },
      ],
      draw,
    ),
  ),
  malformed('a bomb of links', (draw) => ({
    [pick(['refs', 'xrefs', 'groupHeads'], draw)]: Array.from(
      { length: limits.recordLinks + 1 + draw(600) },
      (_, i) => idFor(`${i}`),
    ),
  })),
  malformed('a nest', (draw) => ({ refs: [nested(1 + draw(1_600))] })),
  lie('bytes after the end', 'malformed', (scene, draw) => {
    const { header } = next(scene, draw)
    return signed(scene, Uint8Array.from([...header.bytes, ...new Uint8Array(1 + draw(2_000))]))
  }),
  lie('a number written long', 'malformed', (scene, draw) => {
    const { bytes } = next(scene, draw).header
    // The head of the list says 18 in two bytes instead of one.
    return signed(scene, Uint8Array.from([0x98, 18, ...bytes.subarray(1)]))
  }),
  lie('a field too few', 'malformed', (scene, draw) => {
    const { header } = next(scene, draw)
    return signed(scene, encodeAnything(fieldsOf(header, {}).slice(0, -1)))
  }),
]

/** Counters and clocks. */
const miscounted: readonly RecordLie[] = [
  lie('a lamport too low', 'bad-lamport, bad-lamport', (scene, draw) =>
    next(scene, draw, { lamport: draw(tip(scene).content.lamport + 1) }),
  ),
  lie('a lamport too high', 'bad-lamport, bad-lamport', (scene, draw) =>
    next(scene, draw, {
      lamport: tip(scene).content.lamport + 2 + pick([0, 1, 2 ** 16, 2 ** 32 - 6, 2 ** 52], draw),
    }),
  ),
  lie('a first record late in the clock', 'bad-lamport, bad-lamport', (scene, draw) =>
    first(scene, draw, { lamport: pick([0, Number.MAX_SAFE_INTEGER, 2 ** 32 - 6], draw) }),
  ),
  lie('a hole in the numbers', 'bad-counter, bad-counter', (scene, draw) =>
    next(scene, draw, { aseq: tip(scene).content.aseq + 2 + draw(100) }),
  ),
  lie('a number of the segment that does not follow', 'bad-counter, bad-counter', (scene, draw) => {
    const { sseq } = tip(scene).content
    return next(scene, draw, { sseq: pick([sseq, sseq + 2, limits.segmentRecords], draw) })
  }),
  lie('a first number with something before it', 'bad-links, bad-links', (scene, draw) =>
    next(scene, draw, { aseq: 0 }),
  ),
  lie('a later number with nothing before it', 'bad-links, bad-links', (scene, draw) =>
    first(scene, draw, { selfPrev: null }),
  ),
  lie('a segment number of none', 'bad-links, bad-links', (scene, draw) => first(scene, draw, { sseq: 0 })),
]

/** Links. */
const mislinked: readonly RecordLie[] = [
  lie('another’s record as its own last', 'bad-links, bad-links', (scene, draw) => {
    const other = someoneElse(scene, draw).header
    return write(scene.liar, scene.place, other, [], { text: words(draw) })
  }),
  lie('its own last among the others', 'bad-links, bad-links', (scene, draw) =>
    next(scene, draw, { refs: [tip(scene).id] }),
  ),
  lie('a link twice', 'bad-links, bad-links', (scene, draw) => {
    const { id } = someoneElse(scene, draw).header
    const field = pick(['refs', 'xrefs', 'groupHeads'] as const, draw)
    return next(scene, draw, { [field]: [id, id] })
  }),
  lie('links out of order', 'bad-links, bad-links', (scene, draw) => {
    const { header } = next(scene, draw)
    const field = pick(['refs', 'xrefs', 'groupHeads'] as const, draw)
    const ids = [new Uint8Array(32).fill(9), new Uint8Array(32).fill(draw(9))]
    return signed(scene, encodeAnything(fieldsOf(header, { [field]: ids })))
  }),
  lie('more links than eight of two kinds', 'bad-links, bad-links', (scene, draw) => {
    const ids = Array.from({ length: 5 }, (_, i) => idFor(`${words(draw)} ${i}`))
    return next(scene, draw, { refs: ids.slice(0, 4), xrefs: ids })
  }),
  lie('a link into another segment', 'bad-links, waits', (scene, draw) =>
    scene.elsewhere.length === 0
      ? undefined
      : next(scene, draw, { refs: [pick(scene.elsewhere, draw).header.id] }),
  ),
  lie('a target where there is none, or none where there is', 'bad-links, bad-links', (scene, draw) => {
    const kind = pick([recordKinds.edit, recordKinds.redact, recordKinds.react, recordKinds.timer], draw)
    return next(scene, draw, { kind, target: kind === recordKinds.timer ? unknownId(draw) : null })
  }),
  lie('an orphan by a link', 'held, waits', (scene, draw) =>
    next(scene, draw, { refs: [unknownId(draw)], lamport: tip(scene).content.lamport + 1 + draw(9) }),
  ),
  lie('an orphan by its own last', 'held, waits', (scene, draw) =>
    first(scene, draw, {
      sseq: 2 + draw(limits.segmentRecords - 1),
      selfPrev: unknownId(draw),
      lamport: 2 ** 40,
    }),
  ),
  lie('what stands on a lie', 'held, waits', (scene, draw) => {
    const { refused } = scene
    return refused.length === 0
      ? undefined
      : next(scene, draw, { refs: [pick(refused, draw).id], lamport: 2 ** 50 })
  }),
  lie('what follows a lie', 'held, waits', (scene, draw) => {
    const before = scene.refused[draw(scene.refused.length)]
    if (before === undefined || before.content.sseq >= limits.segmentRecords) return undefined
    if (before.content.lamport >= Number.MAX_SAFE_INTEGER) return undefined
    return write(scene.liar, scene.place, before, [], {
      text: words(draw),
      sseq: Math.max(2, before.content.sseq + 1),
    })
  }),
]

/** Authors, signatures and bodies. */
const misattributed: readonly RecordLie[] = [
  lie('in the name of another, signed by the liar', 'bad-signature, waits', (scene, draw) => {
    const by = { ...scene.victim, keys: scene.liar.keys }
    return write(by, scene.place, undefined, [someone(scene, draw)], { text: words(draw) })
  }),
  lie('in the name of another, brought as the liar’s', 'wrong-author', (scene, draw) => {
    const by = { ...scene.victim, keys: scene.liar.keys }
    const record = write(by, scene.place, undefined, [someone(scene, draw)], { text: words(draw) })
    return { ...told(record), as: scene.liar }
  }),
  lie('a device of the liar’s in another’s account', 'no-member, no-member', (scene, draw) => {
    const by = { ...scene.liar, account: scene.victim.account }
    return write(by, scene.place, undefined, [someone(scene, draw)], { text: words(draw) })
  }),
  lie('a stranger', 'no-member, no-member', (scene, draw) =>
    write(writer(words(draw)), scene.place, undefined, [someone(scene, draw)], { text: words(draw) }),
  ),
  lie('of another conversation', 'wrong-conversation, wrong-segment', (scene, draw) => {
    const place = { ...scene.place, conversation: unknownId(draw) }
    return write(scene.liar, place, tip(scene), [], { text: words(draw) })
  }),
  lie('of a segment nobody opened', 'unknown-segment, wrong-segment', (scene, draw) => {
    const segment = segmentId(crypto, scene.place.conversation, 7 + draw(99))
    return write(scene.liar, { ...scene.place, segment }, undefined, [], { text: words(draw) })
  }),
  lie('the signature of an earlier record', 'bad-signature, waits', (scene, draw) => {
    const earlier = scene.honest.find(({ header }) => equalBytes(header.content.device, scene.liar.device))!
    return { ...told(next(scene, draw)), signature: earlier.signature }
  }),
  lie('a damaged signature', 'bad-signature, waits', (scene, draw) => {
    const record = told(next(scene, draw))
    const signature = record.signature.slice() as Signature
    signature[draw(signature.length)]! ^= 1 << draw(8)
    return { ...record, signature }
  }),
  lie('an old record of another, signed anew', 'bad-signature, nothing', (scene, draw) => {
    const old = someoneElse(scene, draw)
    const signature = signAs(crypto, scene.liar.keys, 'record', scene.place.conversation, old.header.id)
    return { ...told(old), signature }
  }),
  lie('another body than it commits to', 'bad-commitment', (scene, draw) => {
    const record = told(next(scene, draw))
    const { salt, body } = record.said
    const said = pick(
      [
        { salt, body: idFor(words(draw)) },
        { salt: unknownId(draw), body },
      ],
      draw,
    )
    return { ...record, said }
  }),
]

/** Lies that count nowhere. */
export const recordLies: readonly RecordLie[] = [...misshapen, ...miscounted, ...mislinked, ...misattributed]

/** Keeps what was written among what counts, so that more is built on it. */
function counting(scene: SegmentScene, record: Written): Written {
  scene.counting.push(record.header)
  return record
}

/** What a member may do to everybody and everybody has to take alike: forks, floods of branches, clocks of fancy. */
export const equivocations: readonly RecordLie[] = [
  lie('a second record with one predecessor', 'accepted, counts', (scene, draw) =>
    counting(scene, write(scene.liar, scene.place, pick(scene.own, draw), [], { text: words(draw) })),
  ),
  lie('a second first record', 'accepted, counts', (scene, draw) =>
    counting(scene, first(scene, draw, { aseq: 1 + draw(2 ** 40), selfPrev: unknownId(draw) })),
  ),
  lie('a branch of a branch', 'accepted, counts', (scene, draw) => {
    const from = scene.counting[draw(scene.counting.length)]
    if (from === undefined || from.content.sseq === limits.segmentRecords) return undefined
    return counting(
      scene,
      write(scene.liar, scene.place, from, [someone(scene, draw)], { text: words(draw) }),
    )
  }),
  lie('both branches of its own fork at once', 'accepted, counts', (scene, draw) => {
    const branches = scene.counting.slice(-8)
    if (branches.length < 2) return undefined
    const refs = branches.filter(({ content }) => content.sseq !== 1).slice(0, 8)
    return counting(scene, write(scene.liar, scene.place, undefined, refs, { text: words(draw) }))
  }),
  lie('a child before its parent', 'held, waits', (scene, draw) => {
    const parent = next(scene, draw)
    const child = write(scene.liar, scene.place, parent.header, [], { text: words(draw) })
    scene.keptBack.push({ parent, child })
    return child
  }),
  lie('the parent after its child', 'accepted, counts', (scene) => {
    const kept = scene.keptBack.shift()
    if (kept === undefined) return undefined
    counting(scene, kept.child)
    return counting(scene, kept.parent)
  }),
  lie('the year 2099, or none', 'accepted, counts', (scene, draw) =>
    counting(
      scene,
      next(scene, draw, { timestampMs: pick([0, Date.UTC(2099, 1), Number.MAX_SAFE_INTEGER], draw) }),
    ),
  ),
  lie('hints to nowhere', 'accepted, counts', (scene, draw) =>
    counting(
      scene,
      next(scene, draw, { xrefs: [unknownId(draw), unknownId(draw)], ttlMs: draw(2) * 2 ** 50 }),
    ),
  ),
  lie('an old record of another, sealed again', 'accepted, nothing', (scene, draw) =>
    someoneElse(scene, draw),
  ),
  lie('the words of another as its own', 'accepted, counts', (scene, draw) => {
    const { body, header } = someoneElse(scene, draw)
    const text = new TextDecoder().decode(body)
    const timestampMs = header.content.timestampMs + draw(2 ** 30)
    return counting(scene, next(scene, draw, { text, timestampMs }))
  }),
]
