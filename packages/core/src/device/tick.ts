import { limits } from '../limits.ts'
import { readRecord } from '../history/index.ts'
import { expirePrekeys, encodePrekeys } from '../identity/index.ts'
import type { Step } from './context.ts'
import { admitInTime } from './group-ops.ts'
import { tickLinkOffer } from './link-new.ts'
import { tickLinkApproval } from './link-old.ts'
import { findMe } from './me.ts'
import { eraseDue } from './messages.ts'
import { currentBundle, ownPrekeys } from './prekeys.ts'
import { lookUpBundles, publishDue } from './publish.ts'
import { tickTopics } from './topics.ts'
import { renewDevices, watchExpiry } from './renewal.ts'
import { tendRelays } from './relay-input.ts'
import { tickResolves } from './resolve.ts'
import { settleJoinRequests } from './join-requests.ts'
import { clearWarning, warn } from './warnings.ts'
import {
  conversationRows,
  heldRows,
  joinRequestRows,
  metaRows,
  onlyRow,
  prekeyRows,
  replayRows,
} from './tables.ts'

/** Periodic work: relays, DHT, prekeys, lookups that ran out of time. Delivery itself is `flush`, after every batch. */
export async function tick(step: Step): Promise<void> {
  tickLinkOffer(step)
  tickLinkApproval(step)
  if (findMe(step) === undefined) return
  tickResolves(step)
  await admitInTime(step)
  if (step.context.live.online) {
    currentBundle(step)
    tendRelays(step)
    publishDue(step)
    lookUpBundles(step)
    await eraseDue(step)
    tickTopics(step)
  }
  watchClock(step)
  if (!step.context.live.clockDoubted) expire(step)
}

/**
 * Whether the wall clock may be believed: not when it is further from the last batch than any two honest
 * clocks are apart. Until a contact's clock agrees, nothing of our own is erased or expired; sending goes on.
 */
export function watchClock(step: Step): void {
  const { live } = step.context
  const last = step.tx.get(metaRows, onlyRow)?.lastMs ?? step.nowMs
  if (Math.abs(step.nowMs - last) > limits.clockSkewMs) live.clockDoubted = true
  if (live.clockDoubted)
    warn(
      step,
      'E_CLOCK',
      'This device’s clock is far from when it was last used. Nothing expires until a contact agrees with it.',
    )
  else clearWarning(step, 'E_CLOCK')
}

/** Renews the own certificate, and drops what has outlived its use: old prekeys, replay marks and records that waited too long. */
function expire(step: Step): void {
  for (const id of new Set(step.tx.all(joinRequestRows).map(({ conversation }) => conversation))) {
    const conversation = step.tx.get(conversationRows, id)
    if (conversation !== undefined) settleJoinRequests(step, conversation)
  }
  renewDevices(step)
  watchExpiry(step)
  const { crypto } = step.context
  const held = ownPrekeys(step)
  const { prekeys, spent } = expirePrekeys(held, step.nowMs)
  if (spent.length > 0) step.tx.put(prekeyRows, onlyRow, encodePrekeys(prekeys))
  step.spent.push(...spent)
  for (const row of step.tx.all(replayRows))
    if (step.nowMs - row.atMs > limits.prekeyKeepMs) step.tx.delete(replayRows, row.tag)
  for (const row of step.tx.all(heldRows)) {
    const header = step.nowMs - row.atMs > limits.heldMs ? readRecord(crypto, row.record.bytes) : undefined
    if (header !== undefined) step.tx.delete(heldRows, header.id)
  }
}
