/** Replicas of one conversation that sync through encoded frames, counted byte by byte. */
import {
  answerGaps,
  answerSync,
  askGaps,
  askSync,
  decodeRuns,
  differing,
  emptySegment,
  encodeRuns,
  growSegment,
  linksHeld,
  pushFor,
  recordsOfRuns,
  summarise,
  syncAnswerFrame,
  syncAskFrame,
  syncGapsFrame,
  type AskDetail,
  type AuthorOf,
  type CountedRecord,
  type Gap,
  type SegmentSet,
  type SegmentSummary,
  type SyncSide,
} from '../../../packages/core/src/history/index.ts'
import { toHex } from '../../../packages/core/src/wire/index.ts'
import { countedIds, crypto, idFor, membersOnly, type Written } from './segment-world.ts'

/** What one exchange cost. */
export interface Traffic {
  asked: number
  answered: number
  rounds: number
  /** Records that came, and that were written again but lost. */
  arrived: number
  lost: number
}

export class Replica {
  readonly conversation: Uint8Array
  readonly authorOf: AuthorOf
  readonly sets = new Map<string, { depth: number; set: SegmentSet }>()
  readonly #summaries = new Map<string, SegmentSummary>()
  visible: (segment: Uint8Array) => boolean = () => true

  constructor(conversation: Uint8Array, authorOf: AuthorOf = membersOnly()) {
    this.conversation = conversation
    this.authorOf = authorOf
  }

  /** Takes records as they were written. */
  hold(depth: number, records: readonly Written[]): void {
    const bySegment = new Map<string, Written[]>()
    for (const record of records) {
      const key = toHex(record.header.content.segment)
      bySegment.set(key, [...(bySegment.get(key) ?? []), record])
    }
    for (const [, some] of bySegment) this.#grow(some[0]!.header.content.segment, depth, some)
  }

  #grow(segment: Uint8Array, depth: number, arrivals: Parameters<typeof growSegment>[3]): number {
    const key = toHex(segment)
    const held = this.sets.get(key)?.set ?? emptySegment(this.conversation, segment)
    const growth = growSegment(crypto, held, 'peer', arrivals, this.authorOf)
    this.replace(depth, growth.set)
    return growth.counted.length
  }

  replace(depth: number, set: SegmentSet): void {
    const key = toHex(set.segment)
    this.sets.set(key, { depth, set })
    const counted = [...set.counted.values()]
    if (counted.length > 0) this.#summaries.set(key, summarise(crypto, set.segment, depth, counted))
  }

  /** Loses records without knowing it from its summaries, as a damaged store does. */
  damage(segment: Uint8Array, lost: (record: CountedRecord) => boolean): void {
    const held = this.sets.get(toHex(segment))!
    const rows = [...held.set.counted.values()].filter((record) => !lost(record))
    const empty = emptySegment(this.conversation, segment)
    const { set } = growSegment(crypto, empty, 'own rows', rows, this.authorOf)
    this.sets.set(toHex(segment), { depth: held.depth, set })
  }

  get side(): SyncSide {
    return {
      conversation: this.conversation,
      summaries: [...this.#summaries.values()],
      visible: this.visible,
      records: (segment) => [...(this.sets.get(toHex(segment))?.set.counted.values() ?? [])],
    }
  }

  takeFrame(bytes: Uint8Array, depthOf: (segment: Uint8Array) => number, traffic: Traffic): void {
    const decoded = decodeRuns(bytes)!
    const held =
      this.sets.get(toHex(decoded.segment))?.set ?? emptySegment(this.conversation, decoded.segment)
    const { arrivals, lost } = recordsOfRuns(crypto, decoded, linksHeld(held, 'peer', 'own rows'))
    traffic.lost += lost
    traffic.arrived += arrivals.length
    this.#grow(decoded.segment, depthOf(decoded.segment), arrivals)
  }

  depthOf = (segment: Uint8Array): number => this.sets.get(toHex(segment))?.depth ?? 0

  ids(): string[] {
    return [...this.sets.values()].flatMap(({ set }) => countedIds(set)).sort()
  }
}

const decoded = <T>(result: { readonly ok: true; readonly value: T } | { readonly ok: false }): T => {
  if (!result.ok) throw new Error('a frame of ours does not decode')
  return result.value
}

let nonces = 0

/** One round trip: `asker` ends with what `answerer` may show it, and pushes what that one lacks. */
export function round(
  asker: Replica,
  answerer: Replica,
  detail: AskDetail,
  traffic: Traffic,
): readonly Uint8Array[] {
  const nonce = idFor(`nonce ${nonces++}`).slice(0, 8)
  const askBytes = syncAskFrame.encode(askSync(crypto, asker.side, nonce, detail))
  const ask = decoded(syncAskFrame.decode(askBytes))
  const reply = answerSync(crypto, answerer.side, ask)
  const frames = reply.sendings.flatMap((sending) => encodeRuns(answerer.conversation, sending))
  const answerBytes = syncAnswerFrame.encode({
    ...{ version: 1, nonce, behind: reply.behind, older: reply.older },
    frames: frames.length,
  })
  traffic.rounds += 1
  traffic.asked += askBytes.length
  traffic.answered += answerBytes.length + frames.reduce((sum, one) => sum + one.length, 0)
  for (const one of frames) asker.takeFrame(one, answerer.depthOf, traffic)
  const answer = decoded(syncAnswerFrame.decode(answerBytes))
  for (const sending of pushFor(crypto, asker.side, nonce, answer.behind))
    for (const one of encodeRuns(asker.conversation, sending)) {
      traffic.asked += one.length
      answerer.takeFrame(one, asker.depthOf, traffic)
    }
  return differing(crypto, asker.side, ask, answer.older)
}

export const noTraffic = (): Traffic => ({ asked: 0, answered: 0, rounds: 0, arrived: 0, lost: 0 })

/** Rounds until an answer lists nothing more. */
export function sync(asker: Replica, answerer: Replica, detail: AskDetail): Traffic {
  const traffic = noTraffic()
  const segments = round(asker, answerer, detail, traffic)
  if (segments.length > 0) round(asker, answerer, { kind: 'segments', segments }, traffic)
  return traffic
}

/** Asks for lost records; gives the bytes of the question. */
export function fill(
  asker: Replica,
  answerer: Replica,
  before: number,
  gaps: readonly Gap[],
  traffic: Traffic,
): number {
  const ask = askGaps(crypto, asker.side, idFor(`nonce ${nonces++}`).slice(0, 8), before, gaps)
  if (ask === undefined) throw new Error('no gap can be named')
  const bytes = syncGapsFrame.encode(ask)
  const sendings = answerGaps(crypto, answerer.side, decoded(syncGapsFrame.decode(bytes)))
  if (sendings === undefined) throw new Error('the two sides do not count alike')
  for (const sending of sendings)
    for (const one of encodeRuns(answerer.conversation, sending)) {
      traffic.answered += one.length
      asker.takeFrame(one, answerer.depthOf, traffic)
    }
  return bytes.length
}
