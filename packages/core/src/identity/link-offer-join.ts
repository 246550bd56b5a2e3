import { Secret, type CryptoProvider } from '../crypto/index.ts'
import { limits } from '../limits.ts'
import { equalBytes, toHex } from '../wire/index.ts'
import { readGenesis, suite } from './account.ts'
import { issueCertificate } from './certificate.ts'
import { addOps } from './log-add.ts'
import { emptyLog } from './log-admit.ts'
import { resolveLog } from './log-state.ts'
import { encodeLinkRefusal, linkFrame, type LinkFrame, type LinkMessage } from './link-frame.ts'
import { openLinkMessage, sealLinkMessage, type LinkChannel } from './link-keys.ts'
import {
  endedOffer,
  failedOffer,
  type LinkOffer,
  type OfferEvent,
  type OfferStage,
  type OfferStep,
} from './link-offer-state.ts'
import { linkStep, wrongStage } from './link-step.ts'

/** The offer from the pictures on: everything is under the channel key. */

type Stage<At extends OfferStage['at']> = Extract<OfferStage, { readonly at: At }>
type JoinStage = Stage<'compared' | 'invited' | 'certified' | 'delivered' | 'joined'>

/** Takes a frame after the proof. */
export function joinReceives(
  crypto: CryptoProvider,
  offer: LinkOffer,
  stage: JoinStage,
  frame: LinkFrame,
  nowMs: number,
): OfferStep {
  if (frame.kind !== 'sealed') return failedOffer(offer, 'unexpected')
  const opened = openLinkMessage(crypto, stage.channel, frame.sealed)
  if (typeof opened === 'string') return failedOffer(offer, opened)
  const { channel, message } = opened
  if (stage.at === 'compared' && message.kind === 'account')
    return isInvited(crypto, offer, { ...stage, channel }, message, nowMs)
  if (stage.at === 'certified' && message.kind === 'page')
    return takesPage(crypto, offer, { ...stage, channel }, message, nowMs)
  if (stage.at === 'certified' && message.kind === 'last')
    return takesLast(crypto, offer, { ...stage, channel }, message, nowMs)
  if (stage.at === 'joined' && message.kind === 'finished')
    return linkStep(offer, { ...offer, stage: { at: 'finished' } }, [], [{ kind: 'finished' }])
  return failedOffer(offer, 'unexpected')
}

const moved = (offer: LinkOffer, stage: OfferStage, nowMs: number): LinkOffer => ({
  ...offer,
  stage,
  deadlineMs: nowMs + limits.linkMs,
})

/** A message as the frame it travels in. */
function said(
  crypto: CryptoProvider,
  channel: LinkChannel,
  message: LinkMessage,
): { readonly channel: LinkChannel; readonly frame: Uint8Array } {
  const sealed = sealLinkMessage(crypto, channel, message)
  return { channel: sealed.channel, frame: linkFrame.encode({ kind: 'sealed', sealed: sealed.sealed }) }
}

function isInvited(
  crypto: CryptoProvider,
  offer: LinkOffer,
  stage: Stage<'compared'>,
  message: Extract<LinkMessage, { readonly kind: 'account' }>,
  nowMs: number,
): OfferStep {
  const account = readGenesis(crypto, message.genesis)
  if (account === undefined) return failedOffer(offer, 'bad-account')
  const invited: Stage<'invited'> = {
    ...{ at: 'invited', channel: stage.channel, account },
    ...{ accountName: message.name, nowMs: message.nowMs },
  }
  const event: OfferEvent = { kind: 'account', account, name: message.name }
  if (stage.confirmed) return certifies(crypto, offer, invited, nowMs, [event])
  return linkStep(offer, moved(offer, invited, nowMs), [], [event])
}

/**
 * The person at the new device says that both show the same pictures. Before the old device's person has said
 * so this is remembered. Throws a UsageError `E_LINK_STATE` when there is nothing to confirm.
 */
export function confirmOffer(crypto: CryptoProvider, offer: LinkOffer, nowMs: number): OfferStep {
  const { stage } = offer
  if (stage.at !== 'compared' && stage.at !== 'invited') throw wrongStage('confirmOffer', stage.at)
  if (nowMs >= offer.deadlineMs) return endedOffer(offer, 'expired', 'us', [encodeLinkRefusal('expired')])
  if (stage.at === 'invited') return certifies(crypto, offer, stage, nowMs, [])
  return linkStep(offer, moved(offer, { ...stage, confirmed: true }, nowMs))
}

/**
 * Issues the certificate, with its proof of possession for this account alone. Its times are by the old
 * device's clock, whose add has to take it: a new device often has a wrong one.
 */
function certifies(
  crypto: CryptoProvider,
  offer: LinkOffer,
  { channel, account, accountName, nowMs: accountMs }: Stage<'invited'>,
  nowMs: number,
  events: readonly OfferEvent[],
): OfferStep {
  const certificate = issueCertificate(crypto, account.id, offer.own.keys, {
    transportKey: offer.own.transportKey,
    suite,
    minSuite: suite,
    notBeforeMs: accountMs,
    notAfterMs: accountMs + limits.certificateMs,
  })
  const out = said(crypto, channel, { kind: 'certificate', certificate: certificate.bytes })
  const stage: Stage<'certified'> = {
    ...{ at: 'certified', channel: out.channel, account, accountName, nowMs: accountMs },
    ...{ certificate, ops: [], introductions: [], bytes: 0 },
  }
  return linkStep(offer, moved(offer, stage, nowMs), [out.frame], events)
}

function takesPage(
  crypto: CryptoProvider,
  offer: LinkOffer,
  stage: Stage<'certified'>,
  page: Extract<LinkMessage, { readonly kind: 'page' }>,
  nowMs: number,
): OfferStep {
  const added = [...page.ops, ...page.introductions].reduce((sum, item) => sum + item.length, 0)
  if (added === 0) return failedOffer(offer, 'unexpected')
  const ops = [...stage.ops, ...page.ops]
  const introductions = [...stage.introductions, ...page.introductions]
  const bytes = stage.bytes + added
  const fits =
    ops.length <= limits.deviceLogOps &&
    introductions.length <= limits.linkIntroductions &&
    bytes <= limits.linkBytes
  if (!fits) return failedOffer(offer, 'too-large')
  const out = said(crypto, stage.channel, { kind: 'next' })
  const after: OfferStage = { ...stage, channel: out.channel, ops, introductions, bytes }
  return linkStep(offer, moved(offer, after, nowMs), [out.frame])
}

/** The end of the delivery: it counts only if the log says that this device is one of the account's. */
function takesLast(
  crypto: CryptoProvider,
  offer: LinkOffer,
  stage: Stage<'certified'>,
  last: Extract<LinkMessage, { readonly kind: 'last' }>,
  nowMs: number,
): OfferStep {
  const { account, accountName, certificate, introductions } = stage
  const { log } = addOps(crypto, emptyLog(account), stage.ops, stage.nowMs)
  const active = resolveLog(log).active.get(toHex(certificate.device))
  if (active === undefined || !equalBytes(active.certificate.bytes, certificate.bytes))
    return failedOffer(offer, 'not-added')
  const discoverySeed = new Secret(last.discoverySeed.slice())
  const delivery = {
    account,
    accountName,
    certificate,
    log,
    discoverySeed,
    introductions,
    bundle: last.bundle,
  }
  const after = moved(offer, { at: 'delivered', channel: stage.channel }, nowMs)
  return linkStep(offer, after, [], [{ kind: 'delivered', delivery }])
}

/**
 * Says that the delivery is stored and gives this device's own bundle in exchange. Throws a UsageError
 * `E_LINK_STATE` before there is a delivery; without effect when the channel is gone meanwhile.
 */
export function completeOffer(
  crypto: CryptoProvider,
  offer: LinkOffer,
  bundle: Uint8Array,
  nowMs: number,
): OfferStep {
  const { stage } = offer
  if (stage.at === 'finished') return linkStep(offer, offer)
  if (stage.at !== 'delivered') throw wrongStage('completeOffer', stage.at)
  const out = said(crypto, stage.channel, { kind: 'joined', bundle })
  return linkStep(offer, moved(offer, { at: 'joined', channel: out.channel }, nowMs), [out.frame])
}
