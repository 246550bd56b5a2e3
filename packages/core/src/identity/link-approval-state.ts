import type { DhKeyPair, PakeShare, Secret, SignPublicKey } from '../crypto/index.ts'
import type { DeviceCertificate } from './certificate.ts'
import type { AccountId } from './ids.ts'
import type { LinkCode } from './link-code.ts'
import type { LinkEmoji } from './link-emoji.ts'
import { encodeLinkRefusal, type LinkMessage, type LinkRefusal } from './link-frame.ts'
import type { LinkChannel, LinkWay } from './link-keys.ts'
import type { LinkContact } from './link-place.ts'
import { linkStep, type LinkEnd, type LinkEnded, type LinkStep } from './link-step.ts'
import type { DeviceLink, LinkBinding } from './link-text.ts'

/** What the old device goes by: a link, or a code and one of the devices it led to. */
export type ApprovalTarget =
  | { readonly way: 'link'; readonly link: DeviceLink }
  | { readonly way: 'code'; readonly code: LinkCode; readonly device: LinkContact }

/** This end's fresh halves. */
interface OwnHalves {
  readonly ephemeral: DhKeyPair
  readonly coins: Secret
  readonly nonce: Uint8Array
}

/** Where an approval stands; see `LinkApproval`. */
export type ApprovalStage =
  | {
      readonly at: 'asked'
      readonly own: OwnHalves
      readonly binding: LinkBinding
      readonly secret: Secret
    }
  | {
      readonly at: 'exchanging'
      readonly own: OwnHalves
      readonly locator: string
      readonly session: Uint8Array
      readonly share: PakeShare
      readonly seed: Secret
      readonly password: Secret
      readonly channel: Uint8Array
    }
  | {
      readonly at: 'answered'
      readonly root: Secret
      readonly transcript: Uint8Array
      readonly nonce: Uint8Array
      readonly commitment: Uint8Array
    }
  | { readonly at: 'compared'; readonly channel: LinkChannel; readonly deviceName: string }
  | {
      readonly at: 'invited'
      readonly channel: LinkChannel
      readonly deviceName: string
      readonly account: AccountId
      /** Unix milliseconds the certificate is to begin at. */
      readonly accountMs: number
    }
  | { readonly at: 'certified'; readonly channel: LinkChannel; readonly certificate: DeviceCertificate }
  | {
      readonly at: 'delivering'
      readonly channel: LinkChannel
      /** Pages still to be sent. */
      readonly pages: readonly Extract<LinkMessage, { readonly kind: 'page' }>[]
      /** What follows the pages; null once it is sent. */
      readonly last: { readonly discoverySeed: Secret; readonly bundle: Uint8Array } | null
    }
  | { readonly at: 'finished' }
  | { readonly at: 'ended' }

/**
 * Linking, at a device of the account: one value for one channel. Plain data; every call gives the next state.
 *
 *     link: asked ──key─────────╮
 *                               ├──▶ answered ──reveal──▶ compared ──confirm──▶ invited
 *     code: exchanging ─opening─╯                                                 │ certificate
 *                                                                                 ▼
 *     finished ◀──joined── delivering (page, next)* ◀──deliver, after the add── certified
 *
 *     any refusal, anywhere ──▶ ended
 */
export interface LinkApproval {
  readonly way: LinkWay
  /** Transport key of the new device, by the link or the record its code led to. */
  readonly transportKey: SignPublicKey
  /** Monotonic milliseconds at which `endApproval(…, 'expired')` is due, moved on by each step. */
  readonly deadlineMs: number
  readonly stage: ApprovalStage
}

/** What an old device's caller hears. */
export type ApprovalEvent =
  /** Show pictures and name; `confirmApproval` when the person says that the other device shows the same. */
  | { readonly kind: 'compare'; readonly emoji: readonly LinkEmoji[]; readonly deviceName: string }
  /** Both persons confirmed: append the add of this certificate to the log, store it, then `deliverApproval`. */
  | { readonly kind: 'certified'; readonly certificate: DeviceCertificate; readonly deviceName: string }
  /** The new device has stored everything; this is its key bundle, unread. */
  | { readonly kind: 'finished'; readonly bundle: Uint8Array }
  | LinkEnded

export type ApprovalStep = LinkStep<LinkApproval, ApprovalEvent>

/** Ends the approval. */
export const endedApproval = (
  approval: LinkApproval,
  reason: LinkRefusal,
  by: 'us' | 'peer',
  send: readonly Uint8Array[] = [],
): ApprovalStep =>
  linkStep(approval, { ...approval, stage: { at: 'ended' } }, send, [{ kind: 'ended', reason, by }])

/** Ends the approval because of what the peer sent, and says so. */
export const refusedApproval = (approval: LinkApproval, reason: LinkRefusal): ApprovalStep =>
  endedApproval(approval, reason, 'us', [encodeLinkRefusal(reason)])

/** Ends an approval; without effect when it is over. */
export function endApproval(approval: LinkApproval, why: LinkEnd): ApprovalStep {
  const { at } = approval.stage
  if (at === 'finished' || at === 'ended') return linkStep(approval, approval)
  return endedApproval(approval, why, 'us', why === 'closed' ? [] : [encodeLinkRefusal(why)])
}
