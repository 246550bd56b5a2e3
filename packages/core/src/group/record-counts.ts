import type { DeviceAddress } from '../identity/index.ts'
import { addressKey } from '../identity/index.ts'
import { toHex } from '../wire/index.ts'
import { compareAuthority, endersOf, faultOf, lastCuts, wordsOn } from './judge.ts'
import type { Judge } from './judge-gather.ts'
import { liveGrants, type Membership } from './membership.ts'
import { lastSeenOf, type LastSeen } from './op.ts'
import { within, type OpEntry } from './op-graph.ts'

/** Which messages count (docs/protocol/group.md §5): the word of who was in when they wrote, as far as it reaches. */

/** Whether a record counts, or why it is shown collapsed. */
export type RecordVerdict =
  | { readonly counts: true }
  | {
      readonly counts: false
      /**
       * `not-a-member`: at the heads it cites, its device was none of a member's. `device-out`: its device is out,
       * and no word reaches to it. `sent-while-removed`: its author was removed meanwhile, and no frontier reaches to it.
       */
      readonly reason: 'not-a-member' | 'device-out' | 'sent-while-removed'
    }

/**
 * Whether a record by this device counts. `then` is what the heads it cites say (`membershipAt`), `now` what
 * the whole set says, both of one set. `reaches` tells whether a record id that somebody named is this record or
 * one that follows it by `selfPrev`; the caller, who holds the records, knows.
 */
export function recordCounts(
  now: Membership,
  then: Membership,
  author: DeviceAddress,
  reaches: (named: Uint8Array) => boolean,
): RecordVerdict {
  const account = toHex(author.account)
  if (!wasIn(then, account, toHex(author.device))) return { counts: false, reason: 'not-a-member' }
  const covered = ({ record }: LastSeen): boolean => record !== null && reaches(record.id)
  if (!deviceStands(now, author, covered)) return { counts: false, reason: 'device-out' }
  if (now.judge.set.conversation.kind === 'direct' || stillIn(now, then, account)) return { counts: true }
  const named = speakers(now, then, account).flatMap(({ op }) =>
    op.args.kind === 'revoke' && toHex(op.args.account) === account
      ? (lastSeenOf(op.args.frontier, toHex(author.device)) ?? [])
      : [],
  )
  return named.some(covered) ? { counts: true } : { counts: false, reason: 'sent-while-removed' }
}

/** Member at the heads, with the device active as they pin it. What a direct conversation's heads do not pin, its sessions vouch for. */
function wasIn(then: Membership, account: string, device: string): boolean {
  if (!then.members.has(account)) return false
  const state = then.accounts.get(account)
  return state === undefined ? then.judge.set.conversation.kind === 'direct' : state.active.has(device)
}

/** The device stands by its account's log, nobody has said yet how far its words reach, or what was said covers the record. */
function deviceStands(now: Membership, author: DeviceAddress, covered: (seen: LastSeen) => boolean): boolean {
  const account = toHex(author.account)
  const state = now.accounts.get(account)
  if (state === undefined || state.active.has(toHex(author.device))) return true
  const by = addressKey(author)
  const words = wordsOn(now.judge, by)
  const cuts = lastCuts(now.judge, account, by, () => true)
  if (cuts.length > 0) return cuts.every(({ seen }) => covered(seen))
  return words.length === 0 || words.some(({ seen }) => covered(seen))
}

/**
 * Whether a device's record of this number may count by what its account says of the device: one beyond every word on a
 * device that is out does not, whatever it follows.
 */
export const mayCount = (now: Membership, author: DeviceAddress, aseq: number): boolean =>
  deviceStands(now, author, ({ record }) => record !== null && aseq <= record.aseq)

/** Whether a standing device has said how far this one's words reach. */
export const isSpokenOf = (now: Membership, author: DeviceAddress): boolean =>
  wordsOn(now.judge, addressKey(author)).length > 0

/** Whether a grant the account held there still counts, and no removal unaware of the record's heads ended it. */
function stillIn(now: Membership, then: Membership, account: string): boolean {
  return liveGrants(then.judge, account).some(
    (grant) =>
      faultOf(now.judge, grant) === null && !endersOf(now.judge, grant).some((ender) => ends(then, ender)),
  )
}

/** Leaving and demotion take no word back; nor does a removal that the record's author knew of. */
const ends = (then: Membership, ender: OpEntry): boolean =>
  ender.op.args.kind === 'revoke' && !within(then.judge.clock, ender)

/** Of the removals that ended the account's grants, or undid them from above, those of the highest authority. */
function speakers(now: Membership, then: Membership, account: string): readonly OpEntry[] {
  const all = new Set(liveGrants(then.judge, account).flatMap((grant) => removalsOf(now.judge, then, grant)))
  const list = [...all].sort(compareAuthority)
  const [first] = list
  return first === undefined ? [] : list.filter((one) => compareAuthority(one, first) === 0)
}

/** Removals of the holder, and of those above whose removal undid the grant. */
function removalsOf(judge: Judge, then: Membership, grant: OpEntry): readonly OpEntry[] {
  const found = endersOf(judge, grant).filter((ender) => ends(then, ender))
  for (let at: OpEntry | undefined = grant; at !== undefined; at = at.cap) {
    const fault = faultOf(judge, at)
    if (fault?.reason !== 'author-removed') continue
    const by = judge.set.byId.get(toHex(fault.by))
    if (by !== undefined && ends(then, by)) found.push(by)
  }
  return found
}
