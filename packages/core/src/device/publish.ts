import { sizes, type SignPublicKey } from '../crypto/index.ts'
import {
  accountSlot,
  deviceSlot,
  encodeHeads,
  openRecords,
  publishingDays,
  readingDays,
  recordExpiry,
  recordKey,
  sealRecord,
} from '../discovery/index.ts'
import { logOps, readBundle } from '../identity/index.ts'
import { limits } from '../limits.ts'
import { fromHex } from '../wire/index.ts'
import type { GetPurpose, Step } from './context.ts'
import { renewInvites } from './invites.ts'
import { linkTo } from './lookup.ts'
import { headsOf, storedLog } from './logs.ts'
import { findMe } from './me.ts'
import { withBundle } from './accounts.ts'
import { currentBundle } from './prekeys.ts'
import { contactRows, peerRows } from './tables.ts'
import { sureNow, wakeAt } from './timers.ts'

/** Puts the own records in the DHT: log heads, this device's bundle, and every open invite. */
export function publishDue(step: Step): void {
  const { live, crypto, random } = step.context
  const me = findMe(step)
  if (me === undefined || !live.online) return
  if (step.monoMs < live.publishMs) return wakeAt(step, live.publishMs)
  live.publishMs = step.monoMs + limits.dhtRepublishMs
  const log = storedLog(step, me.self.account)
  if (log === undefined) return
  const records = [
    { slot: accountSlot, plaintext: encodeHeads(headsOf(log), logOps(log)) },
    { slot: deviceSlot(me.self.device), plaintext: currentBundle(step) },
  ]
  for (const day of publishingDays(step.nowMs)) {
    for (const { slot, plaintext } of records) {
      const nonce = random.bytes(sizes.aeadNonce)
      const draft = {
        discovery: me.discovery,
        day,
        slot,
        seq: step.nowMs,
        notAfterMs: recordExpiry(step.nowMs),
        plaintext,
        nonce,
      }
      step.effects.push({ kind: 'put', ...sealRecord(crypto, draft), inviteId: undefined })
    }
  }
  renewInvites(step)
  wakeAt(step, live.publishMs)
}

/** Looks in the DHT for newer bundles of devices that could not be reached. */
export function lookUpBundles(step: Step): void {
  const { live, crypto } = step.context
  for (const key of live.lookups) {
    live.lookups.delete(key)
    const peer = step.tx.get(peerRows, fromHex(key))
    const contact = peer === undefined ? undefined : step.tx.get(contactRows, peer.account)
    if (peer === undefined || contact?.discovery === null || contact?.discovery === undefined) continue
    for (const day of readingDays(step.nowMs)) {
      const place = recordKey(crypto, contact.discovery as SignPublicKey, {
        day,
        slot: deviceSlot(peer.device),
      })
      const purpose: GetPurpose = { for: 'bundle', account: peer.account, device: peer.device, day }
      if (place !== undefined) step.effects.push({ kind: 'get', key: place, purpose })
    }
  }
}

/** A bundle from the DHT: a hint, believed only as far as its signature and only when it is newer. */
export function bundleFound(
  step: Step,
  purpose: Extract<GetPurpose, { for: 'bundle' }>,
  values: readonly Uint8Array[],
): void {
  const { crypto } = step.context
  const peer = step.tx.get(peerRows, purpose.device)
  const contact = step.tx.get(contactRows, purpose.account)
  if (peer === undefined || contact?.discovery === null || contact?.discovery === undefined) return
  const place = { day: purpose.day, slot: deviceSlot(purpose.device) }
  const [best] = openRecords(crypto, contact.discovery as SignPublicKey, place, values, step.nowMs)
  if (best === undefined) return
  const found = readBundle(crypto, best.plaintext, sureNow(step), peer)
  if (found.verdict !== 'accepted') return
  const held = peer.bundle === null ? undefined : readBundle(crypto, peer.bundle, 0, peer)
  if (held?.verdict === 'accepted' && held.value.seq >= found.value.seq) return
  step.tx.put(peerRows, peer.device, withBundle(peer, found.value))
  const link = linkTo(step, peer.device)
  if (!link.opening) link.nextMs = step.monoMs
}
