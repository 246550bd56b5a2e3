/** Lean frames of sync by a member: links, counters and signatures that do not hold once the records are written again. */
import { encode as encodeAnything } from 'cborg'
import { signAs, type Signature } from '../../../packages/core/src/crypto/index.ts'
import {
  decodeRuns,
  encodeRuns,
  linksHeld,
  recordsOfRuns,
  type CountedRecord,
  type DecodedRuns,
  type RecordHeader,
} from '../../../packages/core/src/history/index.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { equalBytes } from '../../../packages/core/src/wire/index.ts'
import { crypto, idFor, write, writer, type Writer, type Written } from '../../core/history/segment-world.ts'
import type { Draw } from '../mutator.ts'
import type { Lie } from './lie.ts'
import type { LiarsView } from './segment-target.ts'

type RunLie = Lie<LiarsView, Uint8Array>

/** A number for (device, sseq), as frames say links. */
const deviceStep = 512
const words = (draw: Draw): string => `lie ${draw(2 ** 30)} ${draw(2 ** 30)}`
const unknownId = (draw: Draw): Uint8Array => idFor(words(draw))

/** A chain of three records by a writer, going on from what is held. */
function chain(target: LiarsView, draw: Draw, by: Writer, after?: RecordHeader): readonly Written[] {
  const records: Written[] = []
  for (let i = 0; i < 3; i++)
    records.push(write(by, target.scene.place, records.at(-1)?.header ?? after, [], { text: words(draw) }))
  return records
}

const ownChain = (target: LiarsView, draw: Draw): readonly Written[] =>
  chain(target, draw, target.scene.liar, target.scene.own.at(-1))

/** The frame an honest sender would write for these. */
function framed({ scene: { place } }: LiarsView, records: readonly CountedRecord[]): DecodedRuns {
  const [frame] = encodeRuns(place.conversation, { segment: place.segment, records, places: new Map() })
  return decodeRuns(frame!)!
}

/** Values as the frame's lists hold them, whatever they are. */
const plain = (value: unknown): unknown => {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value
  return (Array.isArray(value) ? (value as unknown[]) : Object.values(value)).map(plain)
}

/** Signs the last record of each run as the receiver will write it again. */
function resigned({ scene: { place, liar }, set }: LiarsView, frame: DecodedRuns): DecodedRuns {
  const bare = { ...frame, runs: frame.runs.map((run) => ({ ...run, signature: zero })) }
  const { arrivals } = recordsOfRuns(crypto, bare, linksHeld(set, 'liar'))
  const ends = arrivals.filter(({ signature }) => signature !== null)
  const signatures = ends.map(({ header }) =>
    signAs(crypto, liar.keys, 'record', place.conversation, header.id),
  )
  return { ...frame, runs: frame.runs.map((run, i) => ({ ...run, signature: signatures[i] ?? zero })) }
}

const zero = new Uint8Array(64) as Signature

type Run = DecodedRuns['runs'][number]
type Item = DecodedRuns['items'][number]

/** A lie in a frame of the liar's next records; signed as it will be read unless it is about signatures. */
const lie = (
  name: string,
  answer: string,
  change: (frame: DecodedRuns, target: LiarsView, draw: Draw) => Record<string, unknown> | undefined,
  sign = true,
): RunLie => ({
  name,
  answers: [answer],
  tell: (target, draw) => {
    const frame = framed(target, ownChain(target, draw))
    const changed = change(frame, target, draw)
    if (changed === undefined) return undefined
    const told = { ...frame, ...changed }
    return encodeAnything(plain(sign ? resigned(target, told) : told))
  },
})

const withRun = ({ runs }: DecodedRuns, part: Partial<Run>): { runs: readonly Run[] } => ({
  runs: runs.map((run) => ({ ...run, ...part })),
})
const withItem = ({ items }: DecodedRuns, at: number, part: Partial<Item>): { items: readonly Item[] } => ({
  items: items.map((item, i) => (i === at ? { ...item, ...part } : item)),
})
const rare = { earlierMs: 0, ttlMs: null, target: null, groupHeads: null, xrefs: [] }

/** What the frame's reader refuses. */
const misshapen: readonly RunLie[] = [
  lie(
    'a run of a device that is not listed',
    'malformed',
    (frame, _, draw) => withRun(frame, { device: 1 + draw(limits.syncDevices - 1) }),
    false,
  ),
  lie(
    'a record of a run that is not listed',
    'malformed',
    (frame, _, draw) => withItem(frame, draw(3), { run: 1 + draw(limits.syncRunRecords - 1) }),
    false,
  ),
  lie(
    'a link to a device that is not listed',
    'malformed',
    (frame, _, draw) => withItem(frame, draw(3), { near: [deviceStep * (1 + draw(1_000))] }),
    false,
  ),
  lie(
    'commitments too many or too few',
    'malformed',
    ({ commits }, _, draw) => ({
      commits: draw(2) === 0 ? commits.slice(1) : new Uint8Array(commits.length + 32),
    }),
    false,
  ),
  lie(
    'a bomb of records',
    'malformed',
    ({ items }, _, draw) => ({
      items: Array.from({ length: limits.syncRunRecords + 1 + draw(99) }, () => items[0]),
    }),
    false,
  ),
  lie(
    'a value of another type',
    'malformed',
    (frame, _, draw) => {
      const hostile = ['__proto__', NaN, null, -1, 2n ** 60n, [[[[]]]], '\u202e'][draw(7)]
      return draw(2) === 0
        ? withRun(frame, { aseq: hostile } as unknown as Partial<Run>)
        : withItem(frame, 1, { laterMs: hostile } as unknown as Partial<Item>)
    },
    false,
  ),
]

/** What cannot be written again. */
const lost: readonly RunLie[] = [
  lie('a place where nothing is', 'lost', (frame, _, draw) => withItem(frame, 0, { near: [490 + draw(10)] })),
  {
    // Once branches count, and while chains of the liar's wait, there may be something at that place.
    ...lie('a link to a later record of the frame', 'lost', (frame, { scene }) =>
      scene.counting.length > 0 ? undefined : withItem(frame, 0, { near: [frame.runs[0]!.sseq + 2] }),
    ),
    answers: ['lost', 'waits'],
  },
  lie('a link to an id nobody has', 'lost', (frame, _, draw) =>
    withItem(frame, 0, { far: [unknownId(draw)] }),
  ),
  lie('a place where the device forked', 'lost', (frame, { scene }) => {
    const place = scene.own.at(-1)!.content.sseq + 1
    const there = scene.counting.filter(({ content }) => content.sseq === place)
    return there.length < 2 ? undefined : withItem(frame, 0, { near: [place] })
  }),
  lie('a run that goes on from an id nobody has', 'lost', (frame, _, draw) =>
    withRun(frame, { selfPrev: unknownId(draw) }),
  ),
  lie('a clock before its beginning', 'lost', (frame, _, draw) =>
    withItem(frame, 0, { laterMs: 0, rare: { ...rare, earlierMs: 1 + draw(2 ** 40) } }),
  ),
  lie('what is seldom said though it is not so', 'lost', (frame) => withItem(frame, 0, { rare })),
  lie('a kind there is none of', 'lost', (frame, _, draw) => withItem(frame, 0, { what: 5 + draw(3) })),
  lie('more links than a record has', 'lost', (frame, { scene }) =>
    withItem(frame, 0, {
      near: [frame.runs[0]!.sseq - 1],
      far: scene.honest.slice(0, 8).map(({ header }) => header.id),
    }),
  ),
]

/** What is written again, and refused as records are. */
const unsound: readonly RunLie[] = [
  lie('a hole in the numbers', 'bad-counter', (frame, _, draw) =>
    withRun(frame, { aseq: frame.runs[0]!.aseq + 1 + draw(2 ** 40) }),
  ),
  lie('a number of the segment that does not follow', 'bad-counter', (frame) =>
    withRun(frame, { sseq: frame.runs[0]!.sseq + 1 }),
  ),
  lie('a run over the end of the segment', 'bad-counter', (frame) =>
    withRun(frame, { sseq: limits.segmentRecords }),
  ),
  lie('a run that goes on from another’s record', 'bad-links', (frame, { scene }, draw) => {
    const others = scene.honest.filter(({ header }) => equalBytes(header.content.device, scene.victim.device))
    return withRun(frame, { selfPrev: others[draw(others.length)]!.header.id })
  }),
  lie('a link twice', 'bad-links', (frame, { scene }) => {
    const { id } = scene.honest.find(({ header }) =>
      equalBytes(header.content.device, scene.victim.device),
    )!.header
    return withItem(frame, 2, { far: [id, id] })
  }),
  lie('heads out of order', 'bad-links', (frame) =>
    withItem(frame, 2, {
      rare: { ...rare, groupHeads: [new Uint8Array(32).fill(2), new Uint8Array(32).fill(1)] },
    }),
  ),
  lie('a target where there is none', 'bad-links', (frame, _, draw) =>
    withItem(frame, 2, { what: 4, rare: { ...rare, target: unknownId(draw) } }),
  ),
  lie('a first record with nothing before it', 'bad-links', (frame) =>
    withRun(frame, { sseq: 1, selfPrev: null }),
  ),
  lie('of another conversation', 'wrong-segment', (_frame, _, draw) => ({ conversation: unknownId(draw) })),
  lie('a stranger', 'no-member', (_frame, _, draw) => {
    const { account, device } = writer(words(draw))
    return { devices: [{ account, device }] }
  }),
]

/** Chains that nobody vouches for. */
const unsigned: readonly RunLie[] = [
  lie('a chain without a signature', 'waits', (frame) => withRun(frame, { signature: null }), false),
  lie(
    'a chain with the signature of another',
    'waits',
    (frame, { scene }) => withRun(frame, { signature: scene.honest[0]!.signature }),
    false,
  ),
  lie(
    'other commitments than were signed',
    'waits',
    ({ commits }, _, draw) => ({
      commits: Uint8Array.from([...unknownId(draw), ...commits.subarray(32)]),
    }),
    false,
  ),
  lie('the chain of another, signed by the liar', 'waits', (frame, { scene }) => {
    const { account, device } = scene.victim
    const last = scene.honest.findLast(({ header }) => equalBytes(header.content.device, device))!.header
    const { aseq, sseq } = last.content
    return {
      devices: [{ account, device }],
      ...withRun(frame, { aseq: aseq + 1, sseq: sseq + 1, selfPrev: last.id }),
    }
  }),
  {
    name: 'what is held of another, signed anew',
    answers: ['nothing'],
    tell: (target) => {
      const { honest, victim } = target.scene
      const old = honest.filter(({ header }) => equalBytes(header.content.device, victim.device))
      const frame = framed(target, old)
      return encodeAnything(plain(resigned(target, frame)))
    },
  },
]

/** Lies that count nowhere. */
export const runLies: readonly RunLie[] = [...misshapen, ...lost, ...unsound, ...unsigned]

const branch = (name: string, tell: (target: LiarsView, draw: Draw) => readonly Written[]): RunLie => ({
  name,
  answers: ['counts'],
  tell: (target, draw) => {
    const records = tell(target, draw)
    target.scene.counting.push(...records.map(({ header }) => header))
    return encodeAnything(plain(framed(target, records)))
  },
})

/** Branches a member may send, which everybody takes alike. */
export const runEquivocations: readonly RunLie[] = [
  branch('a branch from its last', ownChain),
  branch('a branch from anywhere', (target, draw) => {
    const { liar, own } = target.scene
    return chain(target, draw, liar, own[draw(own.length)])
  }),
  branch('two branches in one frame', (target, draw) => [
    ...ownChain(target, draw),
    ...ownChain(target, draw),
  ]),
  {
    name: 'one signature for a chain',
    answers: ['counts'],
    tell: (target, draw) => {
      const records = ownChain(target, draw)
      target.scene.counting.push(...records.map(({ header }) => header))
      const lean = records.map((one, i) => ({ ...one, signature: i === 2 ? one.signature : null }))
      return encodeAnything(plain(framed(target, lean)))
    },
  },
]
