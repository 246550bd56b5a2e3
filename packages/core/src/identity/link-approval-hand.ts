import type { CryptoProvider, Secret } from '../crypto/index.ts'
import { UsageError } from '../errors.ts'
import { limits } from '../limits.ts'
import { equalBytes } from '../wire/index.ts'
import { suite, type Account } from './account.ts'
import { readCertificate, type DeviceCertificate } from './certificate.ts'
import {
  endedApproval,
  refusedApproval,
  type ApprovalEvent,
  type ApprovalStage,
  type ApprovalStep,
  type LinkApproval,
} from './link-approval-state.ts'
import {
  encodeLinkRefusal,
  linkFrame,
  linkPageBytes,
  linkPageItems,
  type LinkFrame,
  type LinkMessage,
} from './link-frame.ts'
import { openLinkMessage, sealLinkMessage } from './link-keys.ts'
import { linkStep, wrongStage } from './link-step.ts'

/** The approval from the pictures on: everything is under the channel key. */

type Stage<At extends ApprovalStage['at']> = Extract<ApprovalStage, { readonly at: At }>
type HandStage = Stage<'compared' | 'invited' | 'certified' | 'delivering'>

/** Which account the new device is to join. */
export interface ApprovalAccount {
  readonly account: Account
  /** The account's name, as its person is known by. */
  readonly name: string
  /** Wall clock, Unix milliseconds: the new device's certificate begins with it. */
  readonly nowMs: number
}

/** What a new device of the account is given. */
export interface ApprovalDelivery {
  /** The whole log in canonical order, the add of the new device in it (`logOps`). */
  readonly ops: readonly Uint8Array[]
  /** Seed of the discovery key the account's devices share. The caller's: what is kept is a copy. */
  readonly discoverySeed: Secret
  /** One for each contact, at most 60 KiB, in whatever form the two devices' callers understand. */
  readonly introductions: readonly Uint8Array[]
  /** This device's key bundle. */
  readonly bundle: Uint8Array
}

/** Takes a frame after the pictures. */
export function approvalHands(
  crypto: CryptoProvider,
  approval: LinkApproval,
  stage: HandStage,
  frame: LinkFrame,
  nowMs: number,
): ApprovalStep {
  if (frame.kind !== 'sealed') return refusedApproval(approval, 'unexpected')
  const opened = openLinkMessage(crypto, stage.channel, frame.sealed)
  if (typeof opened === 'string') return refusedApproval(approval, opened)
  const { channel, message } = opened
  if (stage.at === 'invited' && message.kind === 'certificate')
    return isCertified(crypto, approval, { ...stage, channel }, message.certificate, nowMs)
  if (stage.at === 'delivering' && message.kind === 'next' && stage.last !== null)
    return delivers(crypto, approval, { ...stage, channel }, nowMs)
  if (stage.at === 'delivering' && message.kind === 'joined' && stage.last === null)
    return isJoined(crypto, approval, { ...stage, channel }, message.bundle)
  return refusedApproval(approval, 'unexpected')
}

/** Seals a message and moves on. */
function says(
  crypto: CryptoProvider,
  approval: LinkApproval,
  stage: HandStage,
  message: LinkMessage,
  nowMs: number,
): ApprovalStep {
  const { channel, sealed } = sealLinkMessage(crypto, stage.channel, message)
  const after: LinkApproval = {
    ...approval,
    deadlineMs: nowMs + limits.linkMs,
    stage: { ...stage, channel },
  }
  return linkStep(approval, after, [linkFrame.encode({ kind: 'sealed', sealed })])
}

/**
 * The person at the old device says that both show the same pictures; only now does the new device learn which
 * account it is. The caller has asked the person to unlock before. `nowMs` is monotonic. Throws a UsageError
 * `E_LINK_STATE` when there is nothing to confirm.
 */
export function confirmApproval(
  crypto: CryptoProvider,
  approval: LinkApproval,
  { account, name, nowMs: accountMs }: ApprovalAccount,
  nowMs: number,
): ApprovalStep {
  const { stage } = approval
  if (stage.at !== 'compared') throw wrongStage('confirmApproval', stage.at)
  if (nowMs >= approval.deadlineMs)
    return endedApproval(approval, 'expired', 'us', [encodeLinkRefusal('expired')])
  const { channel, deviceName } = stage
  const invited: Stage<'invited'> = { at: 'invited', channel, deviceName, account: account.id, accountMs }
  const message: LinkMessage = { kind: 'account', genesis: account.bytes, name, nowMs: accountMs }
  return says(crypto, approval, invited, message, nowMs)
}

/** The certificate must be for this account, speak under the key that was dialled, and live by this clock. */
function isCertified(
  crypto: CryptoProvider,
  approval: LinkApproval,
  { channel, deviceName, account, accountMs }: Stage<'invited'>,
  bytes: Uint8Array,
  nowMs: number,
): ApprovalStep {
  const certificate = readCertificate(crypto, bytes)
  const sound =
    certificate !== undefined &&
    equalBytes(certificate.account, account) &&
    equalBytes(certificate.transportKey, approval.transportKey) &&
    certificate.minSuite <= suite &&
    certificate.notBeforeMs === accountMs
  if (!sound) return refusedApproval(approval, 'bad-certificate')
  const event: ApprovalEvent = { kind: 'certified', certificate: withoutView(certificate), deviceName }
  const after: LinkApproval = {
    ...approval,
    deadlineMs: nowMs + limits.linkMs,
    stage: { at: 'certified', channel, certificate: event.certificate },
  }
  return linkStep(approval, after, [], [event])
}

/** The certificate with bytes of its own, not a piece of the message it came in. */
const withoutView = (certificate: DeviceCertificate): DeviceCertificate => ({
  ...certificate,
  bytes: certificate.bytes.slice(),
})

/**
 * Hands everything over, after the add is in the stored log. Throws a UsageError `E_LINK_STATE` before there is
 * a certificate, `E_LINK_TOO_LARGE` for more than a new device takes.
 */
export function deliverApproval(
  crypto: CryptoProvider,
  approval: LinkApproval,
  delivery: ApprovalDelivery,
  nowMs: number,
): ApprovalStep {
  const { stage } = approval
  if (stage.at !== 'certified') throw wrongStage('deliverApproval', stage.at)
  const { ops, introductions, discoverySeed, bundle } = delivery
  const total = [...ops, ...introductions].reduce((sum, item) => sum + item.length, 0)
  const takes =
    introductions.length <= limits.linkIntroductions &&
    introductions.every((item) => item.length > 0 && item.length <= linkPageBytes) &&
    total <= limits.linkBytes
  if (!takes)
    throw new UsageError('E_LINK_TOO_LARGE', 'a new device takes no introductions as many or as long')
  const pages = pagesOf(ops, introductions)
  const last = { discoverySeed: discoverySeed.copy(), bundle }
  return delivers(crypto, approval, { at: 'delivering', channel: stage.channel, pages, last }, nowMs)
}

/** The next page, or what follows the last one. */
function delivers(
  crypto: CryptoProvider,
  approval: LinkApproval,
  stage: Stage<'delivering'>,
  nowMs: number,
): ApprovalStep {
  const [page, ...pages] = stage.pages
  if (page !== undefined) return says(crypto, approval, { ...stage, pages }, page, nowMs)
  if (stage.last === null) return refusedApproval(approval, 'unexpected')
  const { discoverySeed, bundle } = stage.last
  const message: LinkMessage = { kind: 'last', discoverySeed: discoverySeed.expose(), bundle }
  return says(crypto, approval, { ...stage, last: null }, message, nowMs)
}

function isJoined(
  crypto: CryptoProvider,
  approval: LinkApproval,
  stage: Stage<'delivering'>,
  bundle: Uint8Array,
): ApprovalStep {
  const { sealed } = sealLinkMessage(crypto, stage.channel, { kind: 'finished' })
  const send = [linkFrame.encode({ kind: 'sealed', sealed })]
  const after: LinkApproval = { ...approval, stage: { at: 'finished' } }
  return linkStep(approval, after, send, [{ kind: 'finished', bundle }])
}

type Page = Extract<LinkMessage, { readonly kind: 'page' }>

/** Items into as few pages as hold them in order; 3 bytes of head each. */
function pagesOf(ops: readonly Uint8Array[], introductions: readonly Uint8Array[]): readonly Page[] {
  const pages: { kind: 'page'; ops: Uint8Array[]; introductions: Uint8Array[] }[] = []
  let room = 0
  const put = (item: Uint8Array, where: 'ops' | 'introductions'): void => {
    let page = pages.at(-1)
    if (page === undefined || item.length > room || page[where].length === linkPageItems) {
      page = { kind: 'page', ops: [], introductions: [] }
      pages.push(page)
      room = linkPageBytes
    }
    page[where].push(item)
    room -= item.length + 3
  }
  for (const op of ops) put(op, 'ops')
  for (const introduction of introductions) put(introduction, 'introductions')
  return pages
}
