import { Secret, type SignPublicKey } from '../crypto/index.ts'
import { readBundle, type KeyBundle } from '../identity/index.ts'
import { withBundle } from './accounts.ts'
import type { Step } from './context.ts'
import { sureNow } from './timers.ts'
import { emit } from './events.ts'
import { activeDevice, storedLog } from './logs.ts'
import { linkTo, peersOf } from './lookup.ts'
import { rowKey } from './outbox-rows.ts'
import type { PayloadItem } from './payload.ts'
import { contactRows, contactStates, outboxRows, peerRows, requestRows, type Peer } from './tables.ts'
import { contactView } from './views.ts'
import { equalBytes } from '../wire/index.ts'

type Card = Extract<PayloadItem, { readonly kind: 'card' }>

/** Takes in what a contact's device says of itself: name, bundle, where it collects, its discovery key. */
export function receiveCard(step: Step, peer: Peer, card: Card): void {
  const contact = step.tx.get(contactRows, peer.account)
  if (contact === undefined) return
  const bundle = readBundle(step.context.crypto, card.bundle, sureNow(step), peer)
  const log = storedLog(step, peer.account)
  if (
    bundle.verdict !== 'accepted' ||
    log === undefined ||
    activeDevice(step, log, peer.device) === undefined
  )
    return step.context.log.event('card-rejected')
  step.tx.put(peerRows, peer.device, {
    ...(card.seq > peer.cardSeen ? places(peer, card, bundle.value) : peer),
    // One that is behind hears what it last told, and counts on from there.
    name: card.seq > peer.cardSeen ? card.deviceName : peer.name,
    cardDue: Math.max(card.seq, peer.cardSeen),
    cardSeen: Math.max(card.seq, peer.cardSeen),
  })
  if (card.seq <= peer.cardSeen) return
  const first =
    !peersOf(step, peer.account).some(
      (one) => one.cardSeen > 0 && one !== peer && !equalBytes(one.device, peer.device),
    ) && peer.cardSeen === 0
  depositAgain(step, peer)
  const changed = {
    ...contact,
    name: card.name,
    discovery: card.discovery as SignPublicKey,
  }
  step.tx.put(contactRows, contact.account, changed)
  if (contact.state === contactStates.requested) nameRequest(step, changed.account, card.name)
  if (contact.state !== contactStates.connected) return
  const change = first ? 'added' : 'changed'
  if (change === 'added' || contact.name !== card.name)
    emit(step, { type: 'contact', contact: contactView(step, changed), change })
}

/** A new card may name queues made anew at a relay that lost them; what waited there is left there again. */
function depositAgain(step: Step, peer: Peer): void {
  linkTo(step, peer.device).denied.clear()
  for (const row of step.tx.all(outboxRows))
    if (equalBytes(row.device, peer.device) && row.relays.length > 0)
      step.tx.put(outboxRows, rowKey(row.seq), { ...row, relays: [] })
}

/** Where the device is, and where it collects: at the queues its card names, or where it takes first words. */
function places(peer: Peer, { queues }: Card, bundle: KeyBundle): Peer {
  const deposits = queues.map(({ relay, writeSeed }) => ({
    relay,
    writeSeed: new Secret(writeSeed),
    intro: false,
  }))
  if (deposits.length === 0)
    return withBundle({ ...peer, deposits: peer.deposits.filter(({ intro }) => intro) }, bundle)
  return { ...peer, bundle: bundle.bytes, addresses: bundle.addresses, deposits }
}

function nameRequest(step: Step, account: Uint8Array, name: string): void {
  const request = step.tx.get(requestRows, account)
  if (request === undefined || request.name === name) return
  step.tx.put(requestRows, account, { ...request, name })
}

/** Cards a contact may say it has of ours beyond the last we remember, after a restored copy. */
const cardJump = 1_000_000

/** They have our card: rows that carried only that are done. */
export function receiveCardGot(step: Step, peer: Peer, seq: number): void {
  if (seq <= peer.cardAcked) return
  if (seq > peer.cardSent) {
    if (seq - peer.cardSent <= cardJump)
      step.tx.put(peerRows, peer.device, { ...peer, cardSent: seq, cardOf: 0 })
    return
  }
  step.tx.put(peerRows, peer.device, { ...peer, cardAcked: seq })
  for (const row of step.tx.all(outboxRows)) {
    if (!equalBytes(row.device, peer.device) || row.cardSeq === 0 || row.cardSeq > seq) continue
    if (row.aseqs.length === 0 && row.state === null) step.tx.delete(outboxRows, rowKey(row.seq))
    else step.tx.put(outboxRows, rowKey(row.seq), { ...row, cardSeq: 0 })
  }
}
