import type { InviteRecordTerms, WayTerms } from '../identity/index.ts'
import { readBundle } from '../identity/index.ts'
import { equalBytes, idHex } from '../wire/index.ts'
import type { Step } from './context.ts'
import { membershipOf } from './groups.ts'
import { peersOf } from './lookup.ts'
import { activeDevice, storedLog } from './logs.ts'
import { requireMe } from './me.ts'
import { conversationRows, groupInviteRows, type Conversation, type Peer } from './tables.ts'
import { sureNow } from './timers.ts'

/** The group an invite of ours is into. */
export function groupOfInvite(step: Step, inviteId: Uint8Array): Conversation | undefined {
  const row = step.tx.get(groupInviteRows, inviteId)
  return row === undefined ? undefined : step.tx.get(conversationRows, row.conversation)
}

/** What the record of an invite says of its group: its name, and who else may let somebody in. */
export function groupTerms(step: Step, inviteId: Uint8Array): InviteRecordTerms['group'] {
  const row = step.tx.get(groupInviteRows, inviteId)
  const group = groupOfInvite(step, inviteId)
  if (row === undefined || group === undefined) return null
  return { conversation: row.conversation, invite: row.op, name: group.title, ways: waysInto(step, group) }
}

/** Devices of other members that may let somebody in, one of each account first, and those heard of last. */
function waysInto(step: Step, conversation: Conversation): readonly WayTerms[] {
  const { self } = requireMe(step)
  const { members, policy } = membershipOf(step, conversation)
  const ranked: { readonly way: WayTerms; readonly nth: number; readonly heardAtMs: number }[] = []
  for (const { account, role } of members.values()) {
    const log = storedLog(step, account)
    const may = role !== 'member' || policy.membersAdmit
    if (!may || log === undefined || equalBytes(account, self.account)) continue
    const peers = [...peersOf(step, account)].sort((a, b) => b.heardAtMs - a.heardAtMs)
    const ways = peers.flatMap((peer) => {
      const bundle = activeDevice(step, log, peer.device) === undefined ? undefined : freshBundle(step, peer)
      const way = bundle === undefined ? [] : [{ log, device: peer.device, bundle }]
      return way.map((one) => ({ way: one, heardAtMs: peer.heardAtMs }))
    })
    ranked.push(...ways.map((one, nth) => ({ ...one, nth })))
  }
  ranked.sort((a, b) => a.nth - b.nth || b.heardAtMs - a.heardAtMs || (keyOf(a.way) < keyOf(b.way) ? -1 : 1))
  return ranked.map(({ way }) => way)
}

const keyOf = ({ device }: WayTerms): string => idHex(device)

function freshBundle(step: Step, peer: Peer): Uint8Array | undefined {
  if (peer.bundle === null) return undefined
  return readBundle(step.context.crypto, peer.bundle, sureNow(step), peer).verdict === 'accepted'
    ? peer.bundle
    : undefined
}
