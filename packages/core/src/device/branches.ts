import { readRecord, requiredLinks, type RecordHeader } from '../history/index.ts'
import type { DeviceAddress } from '../identity/index.ts'
import { limits } from '../limits.ts'
import { equalBytes, idKey } from '../wire/index.ts'
import type { Step } from './context.ts'
import { remoteOf } from './conversations.ts'
import { findLink } from './records.ts'
import { recordsIn } from './segments.ts'
import { heldRows, type Conversation } from './tables.ts'

/**
 * A device that writes many records of one number in a segment is heard with the first of them, and with those that
 * somebody else's records stand on: without these, whoever was shown one branch could not be heard by whoever was
 * shown others.
 */

/** How many records of each number each device has in a segment. */
export type Branches = Map<string, number>

const numberOf = ({ content }: RecordHeader): string => `${idKey(content.device)}/${content.sseq}`

/** Counts one more. */
export function addBranch(branches: Branches, header: RecordHeader): void {
  branches.set(numberOf(header), (branches.get(numberOf(header)) ?? 0) + 1)
}

export function branchesAmong(headers: Iterable<RecordHeader>): Branches {
  const branches: Branches = new Map()
  for (const header of headers) addBranch(branches, header)
  return branches
}

/** Branches of a segment, counted once for all records of one input. */
const counted = new WeakMap<Step, Map<string, Branches>>()

/**
 * Branches a record may add to. Outside of sync only a device's first record in a segment is free to be another one:
 * the number of a later one follows from the record before, and one that is taken is refused.
 */
export async function branchesFor(
  step: Step,
  conversation: Conversation,
  { content }: RecordHeader,
  segment: number,
): Promise<Branches> {
  const author = { account: content.account, device: content.device } as DeviceAddress
  const { last } = remoteOf(conversation, author)
  const link = content.sseq > 1 || last === null ? undefined : await findLink(step, last.id)
  if (link === undefined || !equalBytes(link.segment, content.segment)) return new Map()
  const known = counted.get(step) ?? new Map<string, Branches>()
  counted.set(step, known)
  const key = idKey(content.segment)
  const branches =
    known.get(key) ??
    branchesAmong((await recordsIn(step, conversation, segment)).map(({ header }) => header))
  known.set(key, branches)
  return branches
}

/** Whether there is room for a record, beside those that came with it. */
export function mayBranch(
  step: Step,
  branches: Branches,
  header: RecordHeader,
  beside: readonly RecordHeader[] = [],
): boolean {
  const held = branches.get(numberOf(header)) ?? 0
  if (held < limits.recordForkBranches) return true
  if (held >= limits.segmentRecords) return false
  const waiting = step.tx.all(heldRows).map((row) => readRecord(step.context.crypto, row.record.bytes))
  return [...waiting, ...beside].some(
    (other) =>
      other !== undefined &&
      !equalBytes(other.content.account, header.content.account) &&
      requiredLinks(other.content).some((link) => equalBytes(link, header.id)),
  )
}
