import type { CryptoProvider, SignPublicKey, Signature } from '../crypto/index.ts'
import { limits } from '../limits.ts'
import { compareBytes, equalBytes, idKey, toHex } from '../wire/index.ts'
import { judgeLinks, linksWellFormed, requiredLinks, type LinkRefusal } from './links.ts'
import { type RecordContent } from './record-frame.ts'
import { verifyRecord, type RecordHeader } from './record.ts'

/** A record that counts, with its own signature where that is known. */
export interface CountedRecord {
  readonly header: RecordHeader
  /** Verified; null where a later record of the device vouches for it. */
  readonly signature: Signature | null
}

/** One copy of a record that does not count yet: something it needs is missing. */
interface WaitingRecord {
  readonly id: string
  readonly header: RecordHeader
  /** Not verified unless `proven`; null when there was none or it proved wrong. */
  readonly signature: Signature | null
  /** Its own signature verifies. */
  readonly proven: boolean
  readonly carrier: string
  readonly arrival: number
}

/**
 * The records of one segment that are held. What counts is a function of the records and signatures that
 * arrived, never of their order (history.md §6), as long as nothing was dropped for want of room.
 */
export interface SegmentSet {
  readonly conversation: Uint8Array
  readonly segment: Uint8Array
  /** Records that count, by `idKey`. */
  readonly counted: ReadonlyMap<string, CountedRecord>
  /** Copies that wait, by id, carrier and signature. Not shown, cited, folded or served. */
  readonly waiting: ReadonlyMap<string, WaitingRecord>
  readonly arrivals: number
}

/** Whether a record's device might write what it wrote, by the heads it names: fixed for ever once known. */
export type AuthorStanding =
  | { readonly standing: 'member'; readonly identityKey: SignPublicKey }
  /** Heads or log not held yet. */
  | { readonly standing: 'unknown' }
  | { readonly standing: 'none' }

/** Answers from the rooms that know membership and device logs. */
export type AuthorOf = (content: RecordContent) => AuthorStanding

/** A record as somebody brought it, its bytes read (`readRecord`) or written again (`readRuns`). */
export interface Arrival {
  readonly header: RecordHeader
  readonly signature: Signature | null
}

/** What a batch changed. */
export interface SegmentGrowth {
  readonly set: SegmentSet
  /** Records that count now and did not before, in (lamport, id) order. */
  readonly counted: readonly RecordHeader[]
  /** Copies refused for good. */
  readonly refused: readonly SegmentRefusal[]
  /** Copies dropped for want of room; whoever brought them may bring them again. */
  readonly dropped: number
}

export type SegmentRefusal = 'wrong-segment' | 'no-member' | LinkRefusal

export const emptySegment = (conversation: Uint8Array, segment: Uint8Array): SegmentSet => ({
  conversation,
  segment,
  counted: new Map(),
  waiting: new Map(),
  arrivals: 0,
})

/** (lamport, id): the shown order within a segment, in which every record follows those it requires. */
export const compareHeaders = (a: RecordHeader, b: RecordHeader): number =>
  a.content.lamport - b.content.lamport || compareBytes(a.id, b.id)

/**
 * Adds what a carrier brought, or with nothing judges again what waits. A record counts when its links are held
 * and right, when its own signature verifies or a record with right links that is itself authentic names it as
 * `selfPrev`, when its author was a member, and when all it requires counts. At most `limits.heldRecords` copies
 * wait; beyond that the carrier with the most loses its oldest.
 */
export function growSegment(
  crypto: CryptoProvider,
  set: SegmentSet,
  carrier: string,
  batch: readonly Arrival[],
  authorOf: AuthorOf,
): SegmentGrowth {
  const growth = new Growth(crypto, set, authorOf)
  for (const arrival of batch) growth.take(carrier, arrival)
  growth.judge()
  return growth.finish()
}

/** Copies of one waiting record, and what is known of it in this batch. */
interface Candidate {
  readonly id: string
  readonly header: RecordHeader
  readonly author: AuthorStanding
  /** Ids of those it requires. */
  readonly required: readonly string[]
  readonly keys: string[]
}

/** The work of one batch; it owns copies of the set's maps and no one else sees it. */
class Growth {
  readonly #crypto: CryptoProvider
  readonly #set: SegmentSet
  readonly #authorOf: AuthorOf
  readonly #counted: Map<string, CountedRecord>
  readonly #waiting: Map<string, WaitingRecord>
  readonly #refused: SegmentRefusal[] = []
  readonly #new: RecordHeader[] = []
  #arrivals: number
  #dropped = 0

  constructor(crypto: CryptoProvider, set: SegmentSet, authorOf: AuthorOf) {
    this.#crypto = crypto
    this.#set = set
    this.#authorOf = authorOf
    this.#counted = new Map(set.counted)
    this.#waiting = new Map(set.waiting)
    this.#arrivals = set.arrivals
  }

  take(carrier: string, { header, signature }: Arrival): void {
    const { content } = header
    const here =
      equalBytes(content.conversation, this.#set.conversation) &&
      equalBytes(content.segment, this.#set.segment)
    if (!here) return void this.#refused.push('wrong-segment')
    if (!linksWellFormed(content)) return void this.#refused.push('bad-links')
    const id = idKey(header.id)
    const held = this.#counted.get(id)
    if (held !== undefined) return this.#takeSignature(id, held, signature)
    const key = `${id}/${carrier}/${signature === null ? '' : toHex(signature)}`
    if (this.#waiting.has(key)) return
    this.#waiting.set(key, { id, header, signature, proven: false, carrier, arrival: this.#arrivals++ })
  }

  /** A record that counted by its successor may be shown to have a signature of its own, which a run may end with. */
  #takeSignature(id: string, held: CountedRecord, signature: Signature | null): void {
    if (held.signature !== null || signature === null) return
    const author = this.#authorOf(held.header.content)
    if (author.standing !== 'member') return
    if (verifyRecord(this.#crypto, author.identityKey, held.header, signature))
      this.#counted.set(id, { ...held, signature })
  }

  judge(): void {
    const sound = this.#sound(this.#candidates())
    this.#count(sound, this.#authentic(sound))
  }

  /** Waiting records by ascending lamport, so that each comes after what it may require. */
  #candidates(): readonly Candidate[] {
    const byId = new Map<string, Candidate>()
    for (const [key, { id, header }] of this.#waiting) {
      const known = byId.get(id)
      if (known !== undefined) known.keys.push(key)
      else {
        const required = requiredLinks(header.content).map(idKey)
        byId.set(id, { id, header, author: this.#authorOf(header.content), required, keys: [key] })
      }
    }
    return [...byId.values()].sort((a, b) => compareHeaders(a.header, b.header))
  }

  /** Those whose links are all held and right, by ascending lamport. What breaks a rule goes for good. */
  #sound(candidates: readonly Candidate[]): ReadonlyMap<string, Candidate> {
    const byId = new Map(candidates.map((candidate) => [candidate.id, candidate]))
    const sound = new Map<string, Candidate>()
    for (const candidate of candidates) {
      const { id, header, author, required, keys } = candidate
      const links = required.map((link) => (this.#counted.get(link) ?? byId.get(link))?.header.content)
      const verdict = author.standing === 'none' ? 'no-member' : judgeLinks(header.content, links)
      if (verdict === undefined) {
        if (required.every((link) => this.#counted.has(link) || sound.has(link))) sound.set(id, candidate)
      } else if (verdict !== 'missing') {
        for (const key of keys) this.#waiting.delete(key)
        this.#refused.push(verdict)
      }
    }
    return sound
  }

  /**
   * Ids of the sound records whose own signature verifies or whose successor is authentic, as one that counts already
   * is where the record was lost here and comes again. From the newest back, so that one signature answers for a whole
   * chain.
   */
  #authentic(sound: ReadonlyMap<string, Candidate>): ReadonlySet<string> {
    const vouched = new Set<string>()
    if (sound.size > 0)
      for (const { header } of this.#counted.values()) {
        const { sseq, selfPrev } = header.content
        if (sseq > 1 && selfPrev !== null) vouched.add(idKey(selfPrev))
      }
    for (const candidate of [...sound.values()].reverse()) {
      const { id, header, required } = candidate
      if (!vouched.has(id) && !this.#prove(candidate)) continue
      vouched.add(id)
      const before = required[header.content.refs.length]
      if (before !== undefined) vouched.add(before)
    }
    return vouched
  }

  /** Whether any copy came with a signature that verifies; wrong ones are forgotten, so that each is tried once. */
  #prove({ header, author, keys }: Candidate): boolean {
    if (author.standing !== 'member') return false
    for (const key of keys) {
      const copy = this.#waiting.get(key)
      if (copy?.proven === true) return true
      if (copy === undefined || copy.signature === null) continue
      const proven = verifyRecord(this.#crypto, author.identityKey, header, copy.signature)
      this.#waiting.set(key, proven ? { ...copy, proven } : { ...copy, signature: null })
      if (proven) return true
    }
    return false
  }

  #count(sound: ReadonlyMap<string, Candidate>, authentic: ReadonlySet<string>): void {
    for (const { id, header, author, required, keys } of sound.values()) {
      if (author.standing !== 'member' || !authentic.has(id)) continue
      if (!required.every((link) => this.#counted.has(link))) continue
      const own = keys.map((key) => this.#waiting.get(key)).find((copy) => copy?.proven === true)
      this.#counted.set(id, { header, signature: own?.signature ?? null })
      for (const key of keys) this.#waiting.delete(key)
      this.#new.push(header)
    }
  }

  finish(): SegmentGrowth {
    this.#makeRoom()
    const { conversation, segment } = this.#set
    return {
      set: {
        conversation,
        segment,
        counted: this.#counted,
        waiting: this.#waiting,
        arrivals: this.#arrivals,
      },
      counted: this.#new,
      refused: this.#refused,
      dropped: this.#dropped,
    }
  }

  #makeRoom(): void {
    if (this.#waiting.size <= limits.heldRecords) return
    const byCarrier = new Map<string, [key: string, arrival: number][]>()
    for (const [key, { carrier, arrival }] of this.#waiting) {
      const copies = byCarrier.get(carrier)
      if (copies === undefined) byCarrier.set(carrier, [[key, arrival]])
      else copies.push([key, arrival])
    }
    const queues = [...byCarrier.values()].map((copies) => copies.sort(([, a], [, b]) => b - a))
    while (this.#waiting.size > limits.heldRecords) {
      const longest = queues.reduce((a, b) => (b.length > a.length ? b : a))
      const oldest = longest.pop()
      if (oldest === undefined) return
      this.#waiting.delete(oldest[0])
      this.#dropped += 1
    }
  }
}

/** Of these records the ones none of them names as `selfPrev`: one a device, or one a branch, in id order. */
export function tipsAmong(records: readonly CountedRecord[]): readonly CountedRecord[] {
  const followed = new Set<string>()
  for (const { header } of records)
    if (header.content.sseq > 1 && header.content.selfPrev !== null)
      followed.add(idKey(header.content.selfPrev))
  return records
    .filter(({ header }) => !followed.has(idKey(header.id)))
    .sort((a, b) => compareBytes(a.header.id, b.header.id))
}

/** The tips of a set; each has its signature. */
export const tipsOf = (set: SegmentSet): readonly CountedRecord[] => tipsAmong([...set.counted.values()])
