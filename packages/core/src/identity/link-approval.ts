import {
  pakeKey,
  pakeSeedBytes,
  pakeShare,
  Secret,
  sizes,
  type CryptoProvider,
  type DhPublicKey,
  type KemPublicKey,
} from '../crypto/index.ts'
import { UsageError } from '../errors.ts'
import { limits } from '../limits.ts'
import { equalBytes } from '../wire/index.ts'
import { approvalHands } from './link-approval-hand.ts'
import {
  endedApproval,
  refusedApproval,
  type ApprovalStage,
  type ApprovalStep,
  type ApprovalTarget,
  type LinkApproval,
} from './link-approval-state.ts'
import {
  encodeLinkRefusal,
  linkFrame,
  linkNonceBytes,
  linkRefusalOf,
  linkSessionBytes,
  type LinkFrame,
} from './link-frame.ts'
import {
  commitToNonce,
  hashKemKey,
  linkChannel,
  linkChannelId,
  linkEmojiOf,
  linkRoot,
  linkTranscript,
  openLinkMessage,
  proveRoot,
  type LinkExchange,
} from './link-keys.ts'
import { linkStep } from './link-step.ts'

/** Fresh random bytes one approval takes, of either way. */
export const approvalEntropyBytes: number =
  sizes.seed + sizes.kemCoins + linkNonceBytes + linkSessionBytes + pakeSeedBytes

/**
 * Begins an approval on a channel to the new device: with the link that was read, or with the code and one of
 * the devices found by it. `entropy` is `approvalEntropyBytes` fresh random bytes, for this one channel; `nowMs`
 * is monotonic. What is kept of the target's secret is a copy.
 */
export function beginApproval(
  crypto: CryptoProvider,
  target: ApprovalTarget,
  entropy: Uint8Array,
  nowMs: number,
): ApprovalStep {
  if (entropy.length !== approvalEntropyBytes)
    throw new UsageError('E_ENTROPY_LENGTH', 'wrong number of random bytes', {
      detail: { given: entropy.length, needed: approvalEntropyBytes },
    })
  let at = 0
  const take = (length: number): Uint8Array => entropy.slice(at, (at += length))
  const ephemeral = crypto.dhKeyPair(take(sizes.seed))
  const [coins, nonce] = [new Secret(take(sizes.kemCoins)), take(linkNonceBytes)]
  const session = take(linkSessionBytes)
  const own = { ephemeral, coins, nonce }
  const begun = (stage: ApprovalStage, frame: LinkFrame): ApprovalStep => {
    const { transportKey } = target.way === 'link' ? target.link : target.device
    const approval: LinkApproval = { way: target.way, transportKey, deadlineMs: nowMs + limits.linkMs, stage }
    return linkStep(approval, approval, [linkFrame.encode(frame)])
  }
  if (target.way === 'link') {
    const { ephemeral: ephemeralNew, kemHash, commitment, secret } = target.link
    const binding = { ephemeral: ephemeralNew, kemHash, commitment }
    return begun({ at: 'asked', own, binding, secret: secret.copy() }, { kind: 'ask' })
  }
  const { locator, password } = target.code
  const channel = linkChannelId(target.device.transportKey, locator)
  const terms = { password: password.copy(), channel, session }
  const seed = new Secret(take(pakeSeedBytes))
  const share = pakeShare({ ...terms, password: terms.password.expose() }, seed)
  return begun(
    { at: 'exchanging', own, locator, session, share, seed, password: terms.password, channel },
    { kind: 'exchange', session, share },
  )
}

/** Takes a frame of the channel. `nowMs` is monotonic. */
export function approvalReceives(
  crypto: CryptoProvider,
  approval: LinkApproval,
  input: Uint8Array,
  nowMs: number,
): ApprovalStep {
  const { stage } = approval
  if (stage.at === 'finished' || stage.at === 'ended') return linkStep(approval, approval)
  const decoded = linkFrame.decode(input)
  if (decoded.ok && decoded.value.kind === 'refused')
    return endedApproval(approval, linkRefusalOf(decoded.value.reason), 'peer')
  if (nowMs >= approval.deadlineMs)
    return endedApproval(approval, 'expired', 'us', [encodeLinkRefusal('expired')])
  if (!decoded.ok) return refusedApproval(approval, 'malformed')
  switch (stage.at) {
    case 'asked':
      return isGivenKey(crypto, approval, stage, decoded.value, nowMs)
    case 'exchanging':
      return isOpened(crypto, approval, stage, decoded.value, nowMs)
    case 'answered':
      return isRevealed(crypto, approval, stage, decoded.value, nowMs)
    default:
      return approvalHands(crypto, approval, stage, decoded.value, nowMs)
  }
}

type Stage<At extends ApprovalStage['at']> = Extract<ApprovalStage, { readonly at: At }>

/** With a link: the key must be the one the link is bound to. */
function isGivenKey(
  crypto: CryptoProvider,
  approval: LinkApproval,
  { own, binding, secret }: Stage<'asked'>,
  frame: LinkFrame,
  nowMs: number,
): ApprovalStep {
  if (frame.kind !== 'key') return refusedApproval(approval, 'unexpected')
  if (!equalBytes(hashKemKey(crypto, frame.kemKey), binding.kemHash))
    return refusedApproval(approval, 'changed')
  return answers(crypto, approval, own, { ...binding, kemKey: frame.kemKey }, secret, null, nowMs)
}

/** With a code: the end of the password exchange, and what the new device binds itself to. */
function isOpened(
  crypto: CryptoProvider,
  approval: LinkApproval,
  stage: Stage<'exchanging'>,
  frame: LinkFrame,
  nowMs: number,
): ApprovalStep {
  if (frame.kind !== 'opening') return refusedApproval(approval, 'unexpected')
  const { own, locator, session, share, seed, password, channel } = stage
  const terms = { password: password.expose(), channel, session }
  const secret = pakeKey(terms, seed, { initiator: share, responder: frame.share }, 'responder')
  if (secret === undefined) return refusedApproval(approval, 'bad-key')
  const exchange = { locator, session, shareOld: share, shareNew: frame.share }
  const step = answers(crypto, approval, own, frame, secret, exchange, nowMs)
  secret.wipe()
  return step
}

/** Agrees on the root and proves it, and names this end's nonce: the other is bound to its own by now. */
function answers(
  crypto: CryptoProvider,
  approval: LinkApproval,
  own: Stage<'asked'>['own'],
  theirs: {
    readonly ephemeral: DhPublicKey
    readonly kemKey: KemPublicKey
    readonly commitment: Uint8Array
  },
  secret: Secret,
  exchange: LinkExchange | null,
  nowMs: number,
): ApprovalStep {
  const dh = crypto.dh(own.ephemeral, theirs.ephemeral)
  const kem = crypto.kemEncapsulate(theirs.kemKey, own.coins.expose())
  if (dh === undefined || kem === undefined) return refusedApproval(approval, 'bad-key')
  const root = linkRoot(crypto, approval.way, secret, dh, kem.sharedSecret)
  const transcript = linkTranscript(crypto, {
    transportKey: approval.transportKey,
    exchange,
    ephemeralNew: theirs.ephemeral,
    kemKey: theirs.kemKey,
    commitment: theirs.commitment,
    ephemeralOld: own.ephemeral.publicKey,
    ciphertext: kem.ciphertext,
    nonceOld: own.nonce,
  })
  const answer = linkFrame.encode({
    kind: 'answer',
    ephemeral: own.ephemeral.publicKey,
    ciphertext: kem.ciphertext,
    nonce: own.nonce,
    proof: proveRoot(crypto, transcript, root),
  })
  const { commitment } = theirs
  const after: LinkApproval = {
    ...approval,
    deadlineMs: nowMs + limits.linkMs,
    stage: { at: 'answered', root, transcript, nonce: own.nonce, commitment },
  }
  return linkStep(approval, after, [answer])
}

/** The reveal must be what was committed to; its first message proves that the other end knows the secret too. */
function isRevealed(
  crypto: CryptoProvider,
  approval: LinkApproval,
  { root, transcript, nonce, commitment }: Stage<'answered'>,
  frame: LinkFrame,
  nowMs: number,
): ApprovalStep {
  if (frame.kind !== 'reveal') return refusedApproval(approval, 'unexpected')
  if (!equalBytes(commitToNonce(crypto, frame.nonce), commitment)) return refusedApproval(approval, 'changed')
  const channel = linkChannel(crypto, transcript, root, frame.nonce, 'old')
  const opened = openLinkMessage(crypto, channel, frame.sealed)
  if (opened === 'unreadable') return refusedApproval(approval, 'wrong-secret')
  if (opened === 'malformed') return refusedApproval(approval, 'malformed')
  if (opened.message.kind !== 'name') return refusedApproval(approval, 'unexpected')
  const { name } = opened.message
  const emoji = linkEmojiOf(crypto, transcript, frame.nonce, nonce)
  const after: LinkApproval = {
    ...approval,
    deadlineMs: nowMs + limits.linkMs,
    stage: { at: 'compared', channel: opened.channel, deviceName: name },
  }
  return linkStep(approval, after, [], [{ kind: 'compare', emoji, deviceName: name }])
}
