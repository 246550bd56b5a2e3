import { limits } from '../limits.ts'
import { linkProtocol, type DeviceId } from '../identity/index.ts'
import { mailboxProtocol } from '../mailbox/index.ts'
import type { NetworkEvent } from '../ports/index.ts'
import { fromHex, idHex } from '../wire/index.ts'
import type { ConnectionState } from './api.ts'
import type { Channel, PeerLink, Purpose, RelayLink, Step } from './context.ts'
import { emit } from './events.ts'
import { receiveRatchetFrame } from './frame-ratchet.ts'
import { answerInvite } from './invites.ts'
import { lookLater } from './late-records.ts'
import { linkChannelClosed, linkOnline, receiveLinkFrame } from './link-new.ts'
import { approvalClosed, linkAnswered, linkOpened } from './link-old.ts'
import { linkTo, peersByPeerId } from './lookup.ts'
import { findMe, isOwn } from './me.ts'
import { currentBundle } from './prekeys.ts'
import { directProtocol, inviteProtocol } from './protocols.ts'
import { keepUnsure } from './outbox-rows.ts'
import { relayFrame, relayLost, relayOpened } from './relay-input.ts'
import { peerIdIn, relayLink } from './relay-link.ts'
import { inviteAnswered, inviteOpened } from './resolve.ts'
import { conversationRows, peerRows, relayRows } from './tables.ts'
import { receiveTopic } from './topic-input.ts'
import { noteFailure, noteSuccess, wakeAt } from './timers.ts'

/** What the network port tells. */
export async function onNetworkEvent(step: Step, event: NetworkEvent): Promise<void> {
  switch (event.type) {
    case 'opened': {
      onInbound(step, { ...event, inbound: true })
      return
    }
    case 'frame':
      return onFrame(step, event.channel, event.frame)
    case 'closed': {
      onClosed(step, event.channel)
      return
    }
    case 'peer': {
      onPeer(step, event)
      return
    }
    case 'discovered': {
      noteNearby(step, event.peer, event.addresses)
      hurry(step, event.peer)
      return
    }
    case 'addresses': {
      onAddresses(step, event.addresses)
      return
    }
    case 'message':
      return receiveTopic(step, event)
  }
}

/** A connection came or went. The first after none says that the network is back: then nothing waits for its turn. */
function onPeer(step: Step, event: Extract<NetworkEvent, { readonly type: 'peer' }>): void {
  const { live } = step.context
  const back = event.connected && live.connected.size === 0
  if (event.connected) live.connected.set(event.peer, event.route)
  else live.connected.delete(event.peer)
  if (event.connected) {
    hurry(step, event.peer)
    if (!live.published) publishSoon(step)
  }
  for (const link of live.relays.values())
    if (back || (event.connected && peerIdIn(link.address) === event.peer)) hurryRelay(step, link)
  if (back) for (const link of live.peers.values()) link.nextMs = 0
  tellConnection(step)
}

function hurryRelay(step: Step, link: RelayLink): void {
  link.nextMs = 0
  if (link.channel === undefined && !link.opening) wakeAt(step, step.monoMs)
}

/** A contact is near: no reason to wait for the next attempt. */
function hurry(step: Step, peerId: string): void {
  for (const peer of peersByPeerId(step, peerId)) linkTo(step, peer.device).nextMs = 0
}

/** New addresses make a new bundle, which contacts and the DHT are told. */
function onAddresses(step: Step, addresses: readonly string[]): void {
  const { live } = step.context
  live.addresses = addresses
  linkOnline(step)
  if (findMe(step) === undefined) return
  currentBundle(step)
  publishSoon(step)
}

/** In a moment, when what is new about a connection or an address is known to all of it. */
function publishSoon(step: Step): void {
  const { live } = step.context
  live.publishMs = Math.min(live.publishMs, step.monoMs + limits.publishDelayMs)
  wakeAt(step, live.publishMs)
}

/** Remembers who says to be on the local network; anybody there can say so, so the oldest make room. */
function noteNearby(step: Step, peer: string, addresses: readonly string[]): void {
  const { nearby } = step.context.live
  nearby.delete(peer)
  nearby.set(peer, addresses.slice(0, limits.bundleAddresses))
  const [oldest] = nearby.keys()
  if (nearby.size > limits.nearbyPeers && oldest !== undefined) nearby.delete(oldest)
}

function onInbound(step: Step, channel: Channel): void {
  const { live } = step.context
  live.channels.set(channel.channel, channel)
  if (channel.protocol !== directProtocol) return
  adoptKnown(step, channel)
}

/** From now on the device is reached on this channel; everything kept for it is sent there. */
function adoptChannel(step: Step, device: DeviceId, channel: number): void {
  const link = linkTo(step, device)
  link.channel = channel
  link.sent.clear()
  noteSuccess(link)
  link.met = true
  link.awaited = false
  link.seeds.clear()
}

async function onFrame(step: Step, number: number, frame: Uint8Array): Promise<void> {
  const channel = step.context.live.channels.get(number)
  if (channel === undefined) return
  if (channel.protocol === linkProtocol) return onLinkFrame(step, channel, frame)
  if (findMe(step) === undefined) return
  if ((step.context.live.strange.get(number) ?? 0) >= limits.strangeFrames) return
  switch (channel.protocol) {
    case directProtocol:
      await receiveRatchetFrame(step, frame, { via: 'channel', channel: number, peerId: channel.peer })
      {
        adoptKnown(step, channel)
        if (peersByPeerId(step, channel.peer).length === 0) countStrange(step, number)
        return
      }
    case inviteProtocol: {
      countStrange(step, number)
      if (channel.inbound) answerInvite(step, number, frame)
      else inviteAnswered(step, number, frame)
      return
    }
    case mailboxProtocol: {
      const link = relayByChannel(step, number)
      return link === undefined ? undefined : relayFrame(step, link, frame)
    }
    default:
      return
  }
}

/** Somebody who is no contact may try a few times; then the channel is closed. */
function countStrange(step: Step, number: number): void {
  const { strange } = step.context.live
  const count = (strange.get(number) ?? 0) + 1
  strange.set(number, count)
  if (count === limits.strangeFrames) step.effects.push({ kind: 'close', channel: number })
}

/** A stranger who became a contact on this channel is answered on it. */
function adoptKnown(step: Step, channel: Channel): void {
  for (const { device } of peersByPeerId(step, channel.peer))
    if (linkTo(step, device).channel === undefined) adoptChannel(step, device, channel.channel)
}

const relayByChannel = (step: Step, channel: number): RelayLink | undefined =>
  [...step.context.live.relays.values()].find((link) => link.channel === channel)

/** A frame of linking: at a new device of whoever came, at an old one of whom it went to. */
async function onLinkFrame(step: Step, channel: Channel, frame: Uint8Array): Promise<void> {
  if (channel.inbound) receiveLinkFrame(step, channel.channel, frame)
  else await linkAnswered(step, channel.channel, frame)
}

function onClosed(step: Step, number: number): void {
  const { live } = step.context
  const channel = live.channels.get(number)
  live.channels.delete(number)
  live.strange.delete(number)
  if (channel?.protocol === linkProtocol)
    return channel.inbound ? linkChannelClosed(step, number) : approvalClosed(step, number)
  const relay = relayByChannel(step, number)
  if (relay !== undefined) {
    relayLost(step, relay)
    return tellConnection(step)
  }
  if (channel?.protocol === inviteProtocol && !channel.inbound) return inviteAnswered(step, number, undefined)
  const other = [...live.channels.values()].find(
    (one) => one.protocol === directProtocol && one.peer === channel?.peer,
  )
  for (const [device, link] of live.peers) {
    if (link.channel !== number) continue
    link.channel = undefined
    link.sent.clear()
    keepUnsure(step, link)
    dropSyncs(step, device)
    if (other === undefined) link.nextMs = step.monoMs
    else goOnOn(link, other.channel)
  }
}

/** The two have another channel: what is owed is sent there, and what was asked for on the broken one asked for again. */
function goOnOn(link: PeerLink, channel: number): void {
  link.channel = channel
  link.askAgain = true
  link.seeds.clear()
}

/**
 * What a device was asked for on a channel that broke does not come: it is asked again at the next meeting. There may be
 * none with an own device, whose history is this one's: it is asked through relays then.
 */
function dropSyncs(step: Step, device: string): void {
  const { syncs } = step.context.live
  for (const [key, { kind, mailed }] of syncs) {
    if (!key.endsWith(device)) continue
    syncs.delete(key)
    const conversation = step.tx.get(conversationRows, fromHex(key.slice(0, -device.length)))
    const remote = conversation?.remotes.find((one) => idHex(one.device) === device)
    if (conversation === undefined || remote === undefined || kind !== 'records' || mailed) continue
    if (isOwn(step, remote)) lookLater(step, conversation, remote)
  }
}

/** A channel we asked for is open. */
export function onOpened(step: Step, purpose: Purpose, channel: Channel): void {
  step.context.live.channels.set(channel.channel, channel)
  switch (purpose.for) {
    case 'peer': {
      const link = linkTo(step, purpose.device)
      link.opening = false
      if (link.channel === undefined) adoptChannel(step, purpose.device, channel.channel)
      return
    }
    case 'relay':
      relayOpened(step, purpose.address, channel.channel)
      return tellConnection(step)
    case 'link':
      return linkOpened(step, channel.channel)
    case 'invite':
      return inviteOpened(step, purpose.token, channel.channel)
  }
}

/** A channel we asked for did not come. */
export function onOpenFailed(step: Step, purpose: Purpose): void {
  switch (purpose.for) {
    case 'peer': {
      const link = linkTo(step, purpose.device)
      noteFailure(step, link)
      step.context.live.lookups.add(idHex(purpose.device))
      wakeAt(step, step.monoMs)
      return
    }
    case 'relay':
      relayLost(step, relayLink(step, purpose.address))
      return tellConnection(step)
    case 'link':
      return linkOpened(step, undefined)
    case 'invite':
      return inviteOpened(step, purpose.token, undefined)
  }
}

/** How this device is connected, in one word. */
export function connectionOf(step: Step): ConnectionState {
  const { live } = step.context
  if (!live.online) return 'offline'
  const contacts = new Set(step.tx.all(peerRows).map((peer) => peer.peerId))
  const reached = [...live.connected].filter(([peer]) => contacts.has(peer))
  if (reached.some(([, route]) => route === 'direct')) return 'direct'
  const relays = step.tx.all(relayRows)
  const relayed = relays.some((relay) => live.relays.get(relay.address)?.session !== undefined)
  if (relayed || reached.length > 0) return 'relay'
  if (live.nearby.size > 0) return 'local'
  return live.connected.size > 0 || relays.length > 0 ? 'limited' : 'offline'
}

export function tellConnection(step: Step): void {
  const { live } = step.context
  const connection = connectionOf(step)
  if (connection === live.connection) return
  live.connection = connection
  emit(step, { type: 'connection', connection })
}
