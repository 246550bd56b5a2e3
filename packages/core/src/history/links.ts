import { limits } from '../limits.ts'
import { compareBytes, equalBytes } from '../wire/index.ts'
import { recordKinds, type RecordContent } from './record-frame.ts'

/** What the rules of links ask about a record that is held. */
export interface LinkedRecord {
  readonly segment: Uint8Array
  readonly account: Uint8Array
  readonly device: Uint8Array
  readonly aseq: number
  readonly sseq: number
  readonly lamport: number
}

/** Why a record breaks the rules of links: the same for every replica, for it follows from hashes alone. */
export type LinkRefusal = 'bad-links' | 'bad-counter' | 'bad-lamport'

/**
 * What a record alone says of its links (history.md §3, rule 2): sorted, without repeats, few, consistent, and a
 * target exactly where its kind has one.
 */
export function linksWellFormed(content: RecordContent): boolean {
  const { refs, xrefs, groupHeads, selfPrev } = content
  if (content.sseq < 1 || !targetFits(content)) return false
  if (refs.length + xrefs.length > limits.recordLinks) return false
  if ((content.aseq === 0) !== (selfPrev === null)) return false
  if (![refs, xrefs, groupHeads].every(ascending)) return false
  return selfPrev === null || !refs.some((ref) => equalBytes(ref, selfPrev))
}

/** A message may answer another; edits, redactions and reactions are about one; a timer is about none. */
function targetFits({ kind, target }: RecordContent): boolean {
  if (kind === recordKinds.msg) return true
  return (target === null) === (kind === recordKinds.timer)
}

const ascending = (ids: readonly Uint8Array[]): boolean =>
  ids.every((id, i) => i === 0 || compareBytes(ids[i - 1] ?? id, id) < 0)

/** The records of its segment that must be held before a record counts: its `refs`, then `selfPrev`. */
export const requiredLinks = (content: RecordContent): readonly Uint8Array[] =>
  content.sseq > 1 && content.selfPrev !== null ? [...content.refs, content.selfPrev] : content.refs

/**
 * Judges a record by those it requires (history.md §3, rules 5 and 6), given in the order of `requiredLinks`.
 * `missing` when one of them is not held and nothing that is held speaks against it; undefined when all is well.
 */
export function judgeLinks(
  content: RecordContent,
  links: readonly (LinkedRecord | undefined)[],
): LinkRefusal | 'missing' | undefined {
  let [greatest, missing] = [0, false]
  for (const [i, link] of links.entries()) {
    if (link === undefined) {
      missing = true
      continue
    }
    if (!equalBytes(link.segment, content.segment)) return 'bad-links'
    const refusal = i === content.refs.length ? continues(content, link) : undefined
    if (refusal !== undefined) return refusal
    greatest = Math.max(greatest, link.lamport)
  }
  if (content.lamport <= greatest) return 'bad-lamport'
  if (missing) return 'missing'
  return content.lamport === greatest + 1 ? undefined : 'bad-lamport'
}

function continues(content: RecordContent, previous: LinkedRecord): LinkRefusal | undefined {
  if (!equalBytes(previous.device, content.device) || !equalBytes(previous.account, content.account))
    return 'bad-links'
  return previous.sseq + 1 === content.sseq && previous.aseq + 1 === content.aseq ? undefined : 'bad-counter'
}
