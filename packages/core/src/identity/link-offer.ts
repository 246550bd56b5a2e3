import {
  kdf,
  noSalt,
  pakeKey,
  pakeSeedBytes,
  pakeShare,
  Secret,
  sizes,
  type CryptoProvider,
} from '../crypto/index.ts'
import { UsageError } from '../errors.ts'
import { limits } from '../limits.ts'
import { formatLinkCode, linkCodeBytes, linkCodeOf } from './link-code.ts'
import { encodeLinkRefusal, linkFrame, linkNonceBytes, linkRefusalOf, type LinkFrame } from './link-frame.ts'
import {
  commitToNonce,
  hashKemKey,
  linkChannel,
  linkChannelId,
  linkEmojiOf,
  linkRoot,
  linkTranscript,
  provesRoot,
  sealLinkMessage,
  type LinkWay,
} from './link-keys.ts'
import { joinReceives } from './link-offer-join.ts'
import {
  endedOffer,
  failedOffer,
  type LinkOffer,
  type OfferDevice,
  type OfferSecrets,
  type OfferStep,
} from './link-offer-state.ts'
import { linkStep } from './link-step.ts'
import { formatDeviceLink, linkSecretBytes } from './link-text.ts'

/** Fresh random bytes one offer takes, of either way. */
export const offerEntropyBytes: number =
  linkSecretBytes + linkCodeBytes + sizes.seed + sizes.kemSeed + linkNonceBytes + sizes.seed

/**
 * Begins an offer: the new device fixes its keys and its nonce. `entropy` is `offerEntropyBytes` fresh random
 * bytes, of which everything that is kept is a copy; `nowMs` is monotonic.
 */
export function beginOffer(
  crypto: CryptoProvider,
  own: OfferDevice,
  way: LinkWay,
  entropy: Uint8Array,
  nowMs: number,
): LinkOffer {
  if (entropy.length !== offerEntropyBytes)
    throw new UsageError('E_ENTROPY_LENGTH', 'wrong number of random bytes', {
      detail: { given: entropy.length, needed: offerEntropyBytes },
    })
  let at = 0
  const take = (length: number): Uint8Array => entropy.slice(at, (at += length))
  const [ofLink, ofCode] = [take(linkSecretBytes), take(linkCodeBytes)]
  const code = way === 'code' ? linkCodeOf(ofCode) : undefined
  const secrets: OfferSecrets = {
    secret: code?.password ?? new Secret(ofLink.slice()),
    ephemeral: crypto.dhKeyPair(take(sizes.seed)),
    kem: crypto.kemKeyPair(take(sizes.kemSeed)),
    nonce: new Secret(take(linkNonceBytes)),
    pakeSeed: new Secret(take(sizes.seed)),
  }
  for (const bytes of [ofLink, ofCode]) bytes.fill(0)
  const offer: LinkOffer = {
    ...{ own, way, locator: code?.locator ?? null },
    deadlineMs: nowMs + limits.linkMs,
    attemptsLeft: way === 'code' ? limits.linkCodeAttempts : limits.linkAttempts,
    stage: { at: 'waiting', secrets },
  }
  // Throws here and not when it is shown, should its addresses fit no link.
  offerText(crypto, offer)
  return offer
}

/** The link or code to show; undefined once it is used up, burned or expired. It holds the secret: show it only. */
export function offerText(crypto: CryptoProvider, offer: LinkOffer): string | undefined {
  const { own, locator, stage } = offer
  if (stage.at !== 'waiting' && stage.at !== 'offered') return undefined
  const { secret, ephemeral, kem, nonce } = stage.secrets
  if (locator !== null) return formatLinkCode({ locator, password: secret })
  return formatDeviceLink({
    ...{ secret, transportKey: own.transportKey, addresses: own.addresses },
    ephemeral: ephemeral.publicKey,
    kemHash: hashKemKey(crypto, kem.publicKey),
    commitment: commitToNonce(crypto, nonce.expose()),
  })
}

/** Takes a frame of the one channel at work. `nowMs` is monotonic. */
export function offerReceives(
  crypto: CryptoProvider,
  offer: LinkOffer,
  input: Uint8Array,
  nowMs: number,
): OfferStep {
  const decoded = linkFrame.decode(input)
  const { stage } = offer
  if (decoded.ok && decoded.value.kind === 'refused')
    return failedOffer(offer, linkRefusalOf(decoded.value.reason), 'peer')
  if (stage.at === 'finished') return linkStep(offer, offer, [encodeLinkRefusal('used')])
  if (stage.at === 'ended') return linkStep(offer, offer, [encodeLinkRefusal(stage.answer)])
  if (nowMs >= offer.deadlineMs) return endedOffer(offer, 'expired', 'us', [encodeLinkRefusal('expired')])
  if (!decoded.ok) return failedOffer(offer, 'malformed')
  switch (stage.at) {
    case 'waiting':
      return opens(crypto, offer, stage.secrets, decoded.value)
    case 'offered':
      return isAnswered(crypto, offer, stage, decoded.value, nowMs)
    default:
      return joinReceives(crypto, offer, stage, decoded.value, nowMs)
  }
}

/** The first frame. An exchange counts before its answer leaves: that is what a guesser learns from. */
function opens(crypto: CryptoProvider, offer: LinkOffer, secrets: OfferSecrets, frame: LinkFrame): OfferStep {
  const attemptsLeft = offer.attemptsLeft - 1
  const { ephemeral, kem, nonce } = secrets
  if (offer.locator === null) {
    if (frame.kind !== 'ask') return failedOffer(offer, 'unexpected')
    const send = [linkFrame.encode({ kind: 'key', kemKey: kem.publicKey })]
    return linkStep(
      offer,
      { ...offer, attemptsLeft, stage: { at: 'offered', secrets, exchange: null } },
      send,
    )
  }
  if (frame.kind !== 'exchange') return failedOffer(offer, 'unexpected')
  const { session, share: shareOld } = frame
  const terms = {
    password: secrets.secret.expose(),
    channel: linkChannelId(offer.own.transportKey, offer.locator),
    session,
  }
  const scalar = kdf(crypto, noSalt, secrets.pakeSeed.expose(), 'link-pake', [attemptsLeft], pakeSeedBytes)
  const seed = new Secret(scalar)
  const shareNew = pakeShare(terms, seed)
  const key = pakeKey(terms, seed, { initiator: shareOld, responder: shareNew }, 'initiator')
  seed.wipe()
  if (key === undefined) return failedOffer({ ...offer, attemptsLeft }, 'bad-key')
  const exchange = { locator: offer.locator, session, shareOld, shareNew, key }
  const opening = linkFrame.encode({
    kind: 'opening',
    share: shareNew,
    ephemeral: ephemeral.publicKey,
    kemKey: kem.publicKey,
    commitment: commitToNonce(crypto, nonce.expose()),
  })
  return linkStep(offer, { ...offer, attemptsLeft, stage: { at: 'offered', secrets, exchange } }, [opening])
}

/** The answer proves the secret, or costs the exchange. */
function isAnswered(
  crypto: CryptoProvider,
  offer: LinkOffer,
  stage: Extract<LinkOffer['stage'], { readonly at: 'offered' }>,
  frame: LinkFrame,
  nowMs: number,
): OfferStep {
  if (frame.kind !== 'answer') return failedOffer(offer, 'unexpected')
  const { secrets, exchange } = stage
  const { ephemeral, kem, nonce } = secrets
  const dh = crypto.dh(ephemeral, frame.ephemeral)
  const shared = crypto.kemDecapsulate(kem, frame.ciphertext)
  if (dh === undefined || shared === undefined) return failedOffer(offer, 'bad-key')
  const root = linkRoot(crypto, offer.way, exchange?.key ?? secrets.secret, dh, shared)
  const transcript = linkTranscript(crypto, {
    transportKey: offer.own.transportKey,
    exchange,
    ephemeralNew: ephemeral.publicKey,
    kemKey: kem.publicKey,
    commitment: commitToNonce(crypto, nonce.expose()),
    ephemeralOld: frame.ephemeral,
    ciphertext: frame.ciphertext,
    nonceOld: frame.nonce,
  })
  if (!provesRoot(crypto, transcript, root, frame.proof)) {
    root.wipe()
    return failedOffer(offer, 'wrong-secret')
  }
  const nonceNew = nonce.expose().slice()
  const { channel, sealed } = sealLinkMessage(
    crypto,
    linkChannel(crypto, transcript, root, nonceNew, 'new'),
    { kind: 'name', name: offer.own.name },
  )
  root.wipe()
  const emoji = linkEmojiOf(crypto, transcript, nonceNew, frame.nonce)
  const reveal = linkFrame.encode({ kind: 'reveal', nonce: nonceNew, sealed })
  const after: LinkOffer = {
    ...offer,
    deadlineMs: nowMs + limits.linkMs,
    stage: { at: 'compared', channel, confirmed: false },
  }
  return linkStep(offer, after, [reveal], [{ kind: 'compare', emoji }])
}
