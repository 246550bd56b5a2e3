import { Secret, sizes } from '../crypto/index.ts'
import { sealRecord, recordExpiry } from '../discovery/index.ts'
import { PortError, UsageError } from '../errors.ts'
import {
  beginOffer,
  completeOffer,
  confirmOffer,
  encodeLinkRefusal,
  endOffer,
  offerEntropyBytes,
  offerReceives,
  offerText,
  openingWay,
  publishingLinkPlaces,
  readBundle,
  writeLinkRecord,
  logOps,
  type LinkDelivery,
  type LinkOffer,
  type LinkWay,
  type OfferStep,
} from '../identity/index.ts'
import { limits } from '../limits.ts'
import { toBase32 } from '../wire/index.ts'
import { ensurePeers, takeBundles } from './accounts.ts'
import type { Commands } from './api.ts'
import { checkName, makeNotes } from './command-account.ts'
import type { NewLinking, NewSeeds, Step } from './context.ts'
import { emit } from './events.ts'
import { failLinking, linkFailure, sendLinkFrames } from './linking.ts'
import { findMe } from './me.ts'
import { currentBundle } from './prekeys.ts'
import { logRows, onlyRow, selfRows, type Self } from './tables.ts'
import { wakeAt } from './timers.ts'

/**
 * Linking, at the new device. It has no account yet: its keys are made, it goes online under its transport key, and
 * shows a link and a code that both stand for it. Nothing is stored before the account's device has handed over the
 * log that names this device.
 */

/** The record behind a code is put again while nobody came: DHT nodes may only be found after the first time. */
const republishMs = 10_000

/** A device that has no address yet, as a tab before a relay took it in, waits this long for one. */
const addressWaitMs = 5_000

type Settle = (value: unknown) => void
type Fail = (error: unknown) => void

/** Shows a link and a code as soon as the device is online. */
export function commandLinkOffer(
  step: Step,
  input: Commands['link-offer']['in'],
  settle: Settle,
  fail: Fail,
): void {
  if (findMe(step) !== undefined)
    throw new UsageError('E_ALREADY_INITIALISED', 'this home has an account already')
  const { live } = step.context
  const name = checkName(input.deviceName)
  const before = live.linking
  if (before?.at === 'new') before.waiting?.fail(linkFailure('cancelled'))
  const seeds: NewSeeds = before?.at === 'new' ? before.seeds : newSeeds(step)
  const linking: NewLinking = {
    ...{ at: 'new', name, seeds, offers: new Map(), shown: undefined, channel: undefined, way: undefined },
    waiting: { settle, fail },
    joined: undefined,
    publishMs: 0,
    showMs: undefined,
  }
  live.linking = linking
  if (live.online) linkOnline(step)
  else step.effects.push({ kind: 'connect', seed: seeds.transport })
}

/** Keys for another try are new, for the account may have taken those of the last one in; where it is reached stays. */
function newSeeds({ context: { live, random } }: Step): NewSeeds {
  const draw = (): Secret => new Secret(random.bytes(sizes.seed))
  live.newTransport ??= draw()
  return { identity: draw(), exchange: draw(), transport: live.newTransport }
}

/** The device is online, or has new addresses: what waits to be shown is shown. */
export function linkOnline(step: Step): void {
  const { linking, addresses } = step.context.live
  if (linking?.at !== 'new' || linking.shown !== undefined) return
  linking.showMs ??= step.monoMs + addressWaitMs
  // A link without addresses is only good where the other device finds this one by itself.
  if (addresses.length > 0 || step.monoMs >= linking.showMs) makeOffers(step, linking)
  else wakeAt(step, linking.showMs)
}

function makeOffers(step: Step, linking: NewLinking): void {
  const { crypto, random, live } = step.context
  const { seeds } = linking
  const own = {
    keys: {
      identity: crypto.signKeyPair(seeds.identity.expose()),
      agreement: crypto.dhKeyPair(seeds.exchange.expose()),
    },
    transportKey: crypto.signKeyPair(seeds.transport.expose()).publicKey,
    name: linking.name,
    addresses: live.addresses.slice(0, limits.linkAddresses),
  }
  for (const way of ['link', 'code'] as const) {
    const entropy = random.bytes(offerEntropyBytes)
    linking.offers.set(way, beginOffer(crypto, own, way, entropy, step.monoMs))
    entropy.fill(0)
  }
  const [link, code] = (['link', 'code'] as const).map((way) => {
    const offer = linking.offers.get(way)
    return offer === undefined ? undefined : offerText(crypto, offer)
  })
  if (link === undefined || code === undefined) return
  linking.shown = { link, code, expiresAtMs: step.nowMs + limits.linkMs }
  const { waiting, shown } = linking
  linking.waiting = undefined
  step.effects.push({
    kind: 'settle',
    run: () => waiting?.settle(shown),
    fail: (error) => waiting?.fail(error),
  })
  tickLinkOffer(step)
}

/** Ends offers whose time is over, and puts the record behind the code again. */
export function tickLinkOffer(step: Step): void {
  const { linking } = step.context.live
  if (linking?.at === 'new' && linking.shown === undefined && step.context.live.online) linkOnline(step)
  if (linking?.at !== 'new' || linking.shown === undefined) return
  for (const [way, offer] of linking.offers) {
    if (step.monoMs >= offer.deadlineMs) take(step, linking, way, endOffer(offer, 'expired'))
    else wakeAt(step, offer.deadlineMs)
  }
  if (linking.channel !== undefined || linking.offers.size === 0) return
  if (step.monoMs >= linking.publishMs) publish(step, linking)
  wakeAt(step, linking.publishMs)
}

function publish(step: Step, linking: NewLinking): void {
  linking.publishMs = step.monoMs + republishMs
  const { crypto, random, live } = step.context
  const offer = linking.offers.get('code')
  const locator = offer?.locator ?? null
  if (offer === undefined || locator === null) return
  const { transportKey } = offer.own
  const addresses = live.addresses.slice(0, limits.bundleAddresses)
  const plaintext = writeLinkRecord({ transportKey, addresses })
  for (const { seed, day, slot } of publishingLinkPlaces(crypto, locator, transportKey, step.nowMs)) {
    const draft = {
      discovery: crypto.signKeyPair(seed),
      day,
      slot,
      seq: step.nowMs,
      notAfterMs: recordExpiry(step.nowMs),
      plaintext,
      nonce: random.bytes(sizes.aeadNonce),
    }
    step.effects.push({ kind: 'put', ...sealRecord(crypto, draft), inviteId: undefined })
  }
}

/** A frame of the linking protocol on a channel another device opened. */
export function receiveLinkFrame(step: Step, channel: number, frame: Uint8Array): void {
  const { linking } = step.context.live
  if (linking?.at !== 'new') return sendLinkFrames(step, channel, [encodeLinkRefusal('used')], true)
  if (linking.channel !== undefined && linking.channel !== channel) {
    const at = linking.way === undefined ? undefined : linking.offers.get(linking.way)
    if (at?.stage.at !== 'offered' && at?.stage.at !== 'waiting')
      return sendLinkFrames(step, channel, [encodeLinkRefusal('busy')], true)
    // Whoever came before has not proved to know the secret.
    take(step, linking, linking.way ?? 'link', endOffer(at, 'closed'))
  }
  if (linking.channel !== channel) {
    linking.channel = channel
    linking.way = openingWay(frame)
  }
  const { way } = linking
  const offer = way === undefined ? undefined : linking.offers.get(way)
  if (way === undefined || offer === undefined) {
    linking.channel = undefined
    return sendLinkFrames(step, channel, [encodeLinkRefusal('used')], true)
  }
  take(step, linking, way, offerReceives(step.context.crypto, offer, frame, step.monoMs))
}

/** The channel of linking is gone. */
export function linkChannelClosed(step: Step, channel: number): void {
  const { linking } = step.context.live
  if (linking?.at !== 'new' || linking.channel !== channel) return
  const { way } = linking
  linking.channel = undefined
  const offer = way === undefined ? undefined : linking.offers.get(way)
  if (way !== undefined && offer !== undefined) take(step, linking, way, endOffer(offer, 'closed'))
}

/** The person at this device has compared the pictures. */
export function confirmNew(
  step: Step,
  linking: NewLinking,
  match: boolean,
  settle: Settle,
  fail: Fail,
): void {
  const { way } = linking
  const offer = way === undefined ? undefined : linking.offers.get(way)
  if (way === undefined || offer === undefined)
    throw new UsageError('E_LINK_STATE', 'there is nothing to confirm')
  linking.waiting = { settle, fail }
  const { crypto } = step.context
  take(step, linking, way, match ? confirmOffer(crypto, offer, step.monoMs) : endOffer(offer, 'cancelled'))
}

/** Goes on from a step of an offer. */
function take(step: Step, linking: NewLinking, way: LinkWay, next: OfferStep): void {
  linking.offers.set(way, next.state)
  step.spent.push(...next.spent)
  const ends = next.events.some(({ kind }) => kind === 'ended' || kind === 'failed' || kind === 'finished')
  sendLinkFrames(step, linking.channel, next.send, ends)
  if (ends) linking.channel = undefined
  for (const event of next.events) {
    switch (event.kind) {
      case 'compare':
        emit(step, { type: 'link', state: 'compare', emoji: event.emoji.map(({ symbol }) => symbol) })
        break
      case 'delivered':
        join(step, linking, way, event.delivery)
        return
      case 'ended':
        over(step, linking, way, event.reason)
        break
      case 'finished':
        tellJoined(step, linking)
        forgetLinking(step, linking)
        break
      case 'account':
      case 'failed':
        break
    }
  }
}

/** One way in is over; the other may still be good, unless somebody got as far as the pictures. */
function over(
  step: Step,
  linking: NewLinking,
  way: LinkWay,
  reason: Parameters<typeof failLinking>[2],
): void {
  linking.offers.delete(way)
  const proved = reason !== 'expired' && reason !== 'burned'
  if (linking.offers.size > 0 && !proved) return
  linking.offers.clear()
  failLinking(step, linking, reason)
  step.context.live.linking = undefined
}

/** It is linked: nothing is offered, put or woken for any more, and the way nobody came by leaves no secret. */
function forgetLinking(step: Step, { offers }: NewLinking): void {
  for (const offer of offers.values()) step.spent.push(...endOffer(offer, 'cancelled').spent)
  step.context.live.linking = undefined
}

/** Everything is here: this device is one of the account's. */
function join(step: Step, linking: NewLinking, way: LinkWay, delivery: LinkDelivery): void {
  const { crypto, live } = step.context
  const { account, certificate, log } = delivery
  const { seeds } = linking
  const self: Self = {
    genesis: account.bytes,
    certificate: certificate.bytes,
    account: account.id,
    device: certificate.device,
    name: delivery.accountName,
    deviceName: linking.name,
    identitySeed: seeds.identity,
    exchangeSeed: seeds.exchange,
    transportSeed: seeds.transport,
    discoverySeed: delivery.discoverySeed,
    recovery: null,
    readReceipts: false,
    previews: false,
    cardSeq: 1,
  }
  step.tx.put(selfRows, onlyRow, self)
  step.tx.put(logRows, account.id, { genesis: account.bytes, ops: logOps(log) })
  live.logsVersion += 1
  makeNotes(step, self)
  ensurePeers(step, log)
  takeBundles(step, log, [delivery.bundle])
  if (readBundle(crypto, delivery.bundle, step.nowMs).verdict !== 'accepted')
    step.context.log.event('link-bundle-unread')
  const offer = linking.offers.get(way) as LinkOffer
  const done = completeOffer(crypto, offer, currentBundle(step), step.monoMs)
  linking.offers.set(way, done.state)
  sendLinkFrames(step, linking.channel, done.send)
  linking.joined = { accountId: toBase32(self.account), deviceId: toBase32(self.device) }
  live.publishMs = step.monoMs
  wakeAt(step, step.monoMs)
}

/**
 * Whoever linked a device may end as soon as it is said to be linked, as a command does: until the other device has
 * heard of it that would take the word off the wire.
 */
function tellJoined(step: Step, linking: NewLinking): void {
  const { waiting, joined } = linking
  if (joined === undefined) return
  linking.waiting = undefined
  linking.joined = undefined
  step.effects.push({
    kind: 'settle',
    run: () => waiting?.settle(joined),
    fail: (error) => waiting?.fail(error),
  })
  emit(step, { type: 'link', state: 'linked', ...joined })
}

/** A device that is not online cannot be found by another. */
export const offlineLink = (): PortError =>
  new PortError('E_OFFLINE', 'linking needs the network', { retryable: true, hint: 'sotto up' })
