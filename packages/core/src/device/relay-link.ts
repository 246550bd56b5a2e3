import { mailboxProtocol, putRequest, type ClientSession, type MailboxReply } from '../mailbox/index.ts'
import { limits } from '../limits.ts'
import { utf8 } from '../wire/index.ts'
import type { RelayLink, RelayRequest, Step } from './context.ts'
import { linkTo } from './lookup.ts'
import { counterKey } from './row.ts'
import { outboxRows, type DepositTarget, type OutboxRow, type Peer } from './tables.ts'
import { wakeAt } from './timers.ts'

/** PeerId at the end of a relay's address. */
export const peerIdIn = (address: string): string => address.split('/p2p/').at(-1) ?? ''

/** Link to a relay, ours or one a contact collects at. */
export function relayLink(step: Step, address: string): RelayLink {
  const { relays } = step.context.live
  const known = relays.get(address)
  if (known !== undefined) return known
  const fresh: RelayLink = {
    address,
    opening: false,
    failures: 0,
    nextMs: 0,
    channel: undefined,
    session: undefined,
    nextId: 1,
    waiting: new Map(),
    putting: new Set(),
    again: new Map(),
    putMs: 0,
    greetedMs: 0,
    breaks: 0,
    window: limits.putsAtOnce,
    unsettled: false,
    settleMs: 0,
    watched: new Set(),
    made: new Set(),
    leaving: new Set(),
  }
  relays.set(address, fresh)
  return fresh
}

/** Opens a channel to a relay unless there is one or it is too early to try again. */
export function wantRelay(step: Step, address: string): RelayLink {
  const link = relayLink(step, address)
  if (link.channel !== undefined || link.opening) return link
  if (step.monoMs < link.nextMs) {
    wakeAt(step, link.nextMs)
    return link
  }
  link.opening = true
  const purpose = { for: 'relay', address } as const
  step.effects.push({
    kind: 'open',
    peer: peerIdIn(address),
    addresses: [address],
    protocol: mailboxProtocol,
    purpose,
  })
  return link
}

/** Asks the relay something; the answer finds its way back by the id. */
export function ask(
  step: Step,
  link: RelayLink,
  request: RelayRequest,
  build: (session: ClientSession, id: number) => Uint8Array,
): void {
  const { session, channel } = link
  if (session === undefined || channel === undefined) return
  const id = link.nextId
  link.nextId += 1
  if (request.kind !== 'other') link.waiting.set(id, request)
  step.effects.push({ kind: 'write', channel, frame: build(session, id) })
}

/** A relay that has no room, or says nothing better, is tried again after this long. */
const fullMs = 60_000

/** How long a relay is left alone that did not take what it was given: as long as it says, within reason. */
export const pauseAfter = (reply: MailboxReply): number =>
  reply.kind === 'busy' ? Math.min(Math.max(reply.retryAfterMs, limits.relayBusyMinMs), fullMs) : fullMs

/** What a relay did not set up, a queue, a log or a record, it is asked for again after a pause. */
export function settleLater(step: Step, link: RelayLink): void {
  link.unsettled = true
  if (link.settleMs <= step.monoMs) link.settleMs = step.monoMs + fullMs
  wakeAt(step, link.settleMs)
}

/** Deposit places of a contact's device whose relay answers now. */
export const readyDeposits = (step: Step, peer: Peer): readonly DepositTarget[] =>
  peer.deposits.filter((target) => step.context.live.relays.get(target.relay)?.session !== undefined)

/** Opens the relays a contact's device collects at. */
export function wantDeposits(step: Step, peer: Peer): void {
  for (const target of peer.deposits) wantRelay(step, target.relay)
}

/**
 * Leaves a frame wherever the device collects and it is not yet; and where it is, from time to time again, the same bytes:
 * of an honest relay that asks nothing but its answer, and one that has thrown it away takes it anew.
 */
export function depositRow(step: Step, peer: Peer, row: OutboxRow): void {
  const { crypto } = step.context
  const { denied } = linkTo(step, peer.device)
  for (const target of readyDeposits(step, peer)) {
    const deniedMs = denied.get(target.relay) ?? 0
    if (step.monoMs < deniedMs) {
      wakeAt(step, deniedMs)
      continue
    }
    const link = relayLink(step, target.relay)
    if (link.putting.has(row.seq) || !hasRoom(link) || step.monoMs < link.putMs) continue
    if (row.relays.includes(target.relay) && (target.intro || !isDueAgain(step, link, row))) continue
    link.putting.add(row.seq)
    const write = crypto.signKeyPair(target.writeSeed.expose())
    ask(step, link, { kind: 'put', row: row.seq }, (session, id) =>
      putRequest(crypto, session, id, write, row.frame, target.intro ? 'intro' : 'inbox'),
    )
  }
}

/** Whether more may be given to a relay before it has confirmed what it was given. */
export const hasRoom = ({ putting, leaving, window }: RelayLink): boolean =>
  putting.size + leaving.size < window

/** The relay has answered: it may be given more at once, up to the limit. */
export function widen(link: RelayLink): void {
  link.window = Math.min(link.window + 1, limits.putsAtOnce)
}

/** Its channel broke: where that took along what was on its way, less is given at once (AIMD, RFC 5681 §3.1). */
export function narrow(link: RelayLink): void {
  if (link.putting.size + link.leaving.size > 0) link.window = Math.max(Math.floor(link.window / 2), 1)
}

/** Rows of a relay above which those that are gone are looked for and forgotten. */
const rowsRemembered = 256

/** Whether a frame that a relay has confirmed is left there again now; each time the pause doubles, up to a day. */
function isDueAgain(step: Step, { again }: RelayLink, { seq }: OutboxRow): boolean {
  const known = again.get(seq)
  const isDue = known !== undefined && step.monoMs >= known.dueMs
  if (known !== undefined && !isDue) {
    wakeAt(step, known.dueMs)
    return false
  }
  const times = known === undefined ? 0 : known.times + 1
  const dueMs = step.monoMs + Math.min(limits.leaveAgainMs * 2 ** times, limits.leaveAgainMaxMs)
  again.set(seq, { dueMs, times })
  wakeAt(step, dueMs)
  if (times === 0 && again.size > rowsRemembered)
    for (const key of again.keys())
      if (step.tx.get(outboxRows, counterKey(key)) === undefined) again.delete(key)
  return isDue
}

/** Id of a relay in views: the hash of its PeerId. */
export const relayIdOf = (step: Step, address: string): Uint8Array =>
  step.context.crypto.sha256(utf8(peerIdIn(address)))
