import type { DhKeyPair, KemKeyPair, Secret, SignPublicKey } from '../crypto/index.ts'
import type { Account } from './account.ts'
import type { DeviceCertificate, DeviceKeys } from './certificate.ts'
import type { DeviceLog } from './device-log.ts'
import type { LinkEmoji } from './link-emoji.ts'
import { encodeLinkRefusal, type LinkRefusal } from './link-frame.ts'
import type { LinkChannel, LinkExchange, LinkWay } from './link-keys.ts'
import { linkStep, type LinkEnd, type LinkEnded, type LinkStep } from './link-step.ts'

/** The device that wants to be linked. Its private keys stay with the caller and never enter a frame. */
export interface OfferDevice {
  readonly keys: DeviceKeys
  readonly transportKey: SignPublicKey
  /** What the old device's person is shown. */
  readonly name: string
  /** Multiaddrs for a link, at most `limits.linkAddresses`; a code's record has its own. */
  readonly addresses: readonly string[]
}

/** What the new device has fixed before it hears from anybody. */
export interface OfferSecrets {
  /** The 16 bytes of a link, or the five characters of a code. */
  readonly secret: Secret
  readonly ephemeral: DhKeyPair
  readonly kem: KemKeyPair
  readonly nonce: Secret
  /** 32 bytes from which each password exchange has a scalar of its own. */
  readonly pakeSeed: Secret
}

interface Joining {
  readonly channel: LinkChannel
  readonly account: Account
  readonly accountName: string
  /** The old device's clock when its person confirmed, Unix milliseconds. */
  readonly nowMs: number
}

/** Where an offer stands; see `LinkOffer`. */
export type OfferStage =
  | { readonly at: 'waiting'; readonly secrets: OfferSecrets }
  | {
      readonly at: 'offered'
      readonly secrets: OfferSecrets
      readonly exchange: (LinkExchange & { readonly key: Secret }) | null
    }
  | { readonly at: 'compared'; readonly channel: LinkChannel; readonly confirmed: boolean }
  | ({ readonly at: 'invited' } & Joining)
  | ({
      readonly at: 'certified'
      readonly certificate: DeviceCertificate
      readonly ops: readonly Uint8Array[]
      readonly introductions: readonly Uint8Array[]
      readonly bytes: number
    } & Joining)
  | { readonly at: 'delivered'; readonly channel: LinkChannel }
  | { readonly at: 'joined'; readonly channel: LinkChannel }
  | { readonly at: 'finished' }
  /** `answer` is what later frames are told. */
  | { readonly at: 'ended'; readonly answer: 'burned' | 'expired' | 'used' }

/**
 * Linking, at the new device. Plain data; every call gives the next state.
 *
 *     waiting ──ask, exchange──▶ offered ──answer──▶ compared ──account──▶ invited
 *        ▲  ╲                      │                    │ (confirmed before:    │
 *        │   ╲ five minutes        │ failed exchange    │  straight on)         │ confirm
 *        ╰────╲────────────────────┤                    ▼                       ▼
 *              ╲                   │ the last one    certified ◀────────────────╯
 *               ▼                  ▼                    │ page*, last; the log holds this device
 *             ended ◀── any refusal, anywhere ──        ▼
 *                                                   delivered ──complete──▶ joined ──finished──▶ finished
 *
 * A link or code is used up by the first `answer` that proves its secret, whatever comes of it.
 */
export interface LinkOffer {
  readonly own: OfferDevice
  readonly way: LinkWay
  /** The three characters of a code; null for a link. */
  readonly locator: string | null
  /** Monotonic milliseconds at which `endOffer(…, 'expired')` is due, moved on by each step after the proof. */
  readonly deadlineMs: number
  /** Exchanges it still takes part in. */
  readonly attemptsLeft: number
  readonly stage: OfferStage
}

/** Everything an old device hands over; the caller stores it before it completes the offer. */
export interface LinkDelivery {
  readonly account: Account
  readonly accountName: string
  readonly certificate: DeviceCertificate
  /** The account's log, in which this device is active. */
  readonly log: DeviceLog
  readonly discoverySeed: Secret
  /** As the old device's caller wrote them. */
  readonly introductions: readonly Uint8Array[]
  /** The old device's key bundle, unread. */
  readonly bundle: Uint8Array
}

/** What a new device's caller hears. */
export type OfferEvent =
  /** Show the pictures; `confirmOffer` when the person says that the other device shows the same. */
  | { readonly kind: 'compare'; readonly emoji: readonly LinkEmoji[] }
  /** The old device's person confirmed. */
  | { readonly kind: 'account'; readonly account: Account; readonly name: string }
  | { readonly kind: 'delivered'; readonly delivery: LinkDelivery }
  | { readonly kind: 'finished' }
  /** An exchange failed; close this channel, the link or code stays good for `left` more. */
  | {
      readonly kind: 'failed'
      readonly reason: LinkRefusal
      readonly by: 'us' | 'peer'
      readonly left: number
    }
  | LinkEnded

export type OfferStep = LinkStep<LinkOffer, OfferEvent>

/**
 * Ends the whole offer. From the delivery on the account counts this device and everything is here: what is
 * lost then is a courtesy, and the offer is finished.
 */
export const endedOffer = (
  offer: LinkOffer,
  reason: LinkRefusal,
  by: 'us' | 'peer',
  send: readonly Uint8Array[] = [],
): OfferStep => {
  const { at } = offer.stage
  if (at === 'delivered' || at === 'joined')
    return linkStep(offer, { ...offer, stage: { at: 'finished' } }, send, [{ kind: 'finished' }])
  const answer = reason === 'burned' || reason === 'expired' ? reason : 'used'
  return linkStep(offer, { ...offer, stage: { at: 'ended', answer } }, send, [{ kind: 'ended', reason, by }])
}

/** What a refusal does: before the proof it costs the exchange, after it the offer. */
export function failedOffer(offer: LinkOffer, reason: LinkRefusal, by: 'us' | 'peer' = 'us'): OfferStep {
  const { stage, attemptsLeft } = offer
  const send = by === 'us' && reason !== 'closed' ? [encodeLinkRefusal(reason)] : []
  switch (stage.at) {
    case 'waiting':
    case 'offered': {
      if (attemptsLeft === 0) return endedOffer(offer, 'burned', by, send)
      const back: LinkOffer = { ...offer, stage: { at: 'waiting', secrets: stage.secrets } }
      return linkStep(offer, back, send, [{ kind: 'failed', reason, by, left: attemptsLeft }])
    }
    case 'finished':
    case 'ended':
      return linkStep(offer, offer, send)
    default:
      return endedOffer(offer, reason, by, send)
  }
}

/**
 * Ends an offer, or only its exchange when the channel is gone before the proof. After the delivery a channel
 * that closes finishes the offer.
 */
export function endOffer(offer: LinkOffer, why: LinkEnd): OfferStep {
  const { at } = offer.stage
  if (at === 'finished' || at === 'ended') return linkStep(offer, offer)
  if (why === 'closed') return at === 'waiting' ? linkStep(offer, offer) : failedOffer(offer, 'closed')
  return endedOffer(offer, why, 'us', at === 'waiting' ? [] : [encodeLinkRefusal(why)])
}
