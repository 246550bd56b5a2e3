import { Secret, sizes, type DhPublicKey, type SignPublicKey } from '../crypto/index.ts'
import { UsageError } from '../errors.ts'
import { limits } from '../limits.ts'
import { bytes, fields, frame, fromBase64Url, list, literal, text, toBase64Url } from '../wire/index.ts'
import { parseLinkCode, type LinkCode } from './link-code.ts'

const scheme = 'sotto:l#'
export const linkSecretBytes = 16

/** What a new device binds itself to before it hears from anybody: its keys, and a number it will reveal. */
export interface LinkBinding {
  readonly ephemeral: DhPublicKey
  /** `Id("link-kem", the ML-KEM key)`. */
  readonly kemHash: Uint8Array
  /** `Id("link-nonce", the new device's nonce)`. */
  readonly commitment: Uint8Array
}

/** A link of a new device taken apart. Who holds it may try to add that device to an account. */
export interface DeviceLink extends LinkBinding {
  /** 16 bytes. */
  readonly secret: Secret
  /** The new device's transport key; `peerIdOf` gives its PeerId. */
  readonly transportKey: SignPublicKey
  /** Multiaddrs of the new device, at most two. */
  readonly addresses: readonly string[]
}

/** Why a person's input is neither a link nor a code. */
export type LinkInputFault = 'too-long' | 'scheme' | 'base64' | 'content' | 'code'

/** What a person scanned, pasted or typed on the old device, or why it is nothing. */
export type ParsedLinkInput =
  | { readonly ok: true; readonly way: 'link'; readonly link: DeviceLink }
  | { readonly ok: true; readonly way: 'code'; readonly code: LinkCode }
  | { readonly ok: false; readonly code: 'E_LINK_MALFORMED'; readonly reason: LinkInputFault }

export const transportKeyShape = bytes<SignPublicKey>(sizes.signPublic)

const deviceLinkFrame = frame(
  'device-link',
  fields({
    version: literal(1),
    ephemeral: bytes<DhPublicKey>(sizes.dhPublic),
    kemHash: bytes(sizes.hash),
    commitment: bytes(sizes.hash),
    secret: bytes(linkSecretBytes),
    transportKey: transportKeyShape,
    addresses: list(text(limits.addressBytes), limits.linkAddresses),
  }),
  1024,
)

/** Writes `sotto:l#F` (docs/protocol/linking.md §2). Throws a UsageError for addresses no reader would take. */
export function formatDeviceLink(link: DeviceLink): string {
  if (link.addresses.length > limits.linkAddresses || !link.addresses.every(isAddress))
    throw new UsageError('E_ADDRESS', `a link carries at most ${limits.linkAddresses} multiaddrs`)
  return scheme + toBase64Url(deviceLinkFrame.encode({ ...link, version: 1, secret: link.secret.expose() }))
}

/**
 * Reads a link or a short code. White space around it and the case of the scheme are the person's; a link of
 * any other kind is refused, so that an invite can hide no device link and the other way round.
 */
export function parseLinkInput(input: string): ParsedLinkInput {
  if (input.length > limits.linkChars) return fault('too-long')
  const trimmed = input.trim()
  if (!trimmed.includes(':')) {
    const code = parseLinkCode(trimmed)
    return code === undefined ? fault('code') : { ok: true, way: 'code', code }
  }
  if (trimmed.slice(0, scheme.length).toLowerCase() !== scheme) return fault('scheme')
  const encoded = fromBase64Url(trimmed.slice(scheme.length))
  if (encoded === undefined) return fault('base64')
  const decoded = deviceLinkFrame.decode(encoded)
  if (!decoded.ok || !decoded.value.addresses.every(isAddress)) return fault('content')
  const { version: _, secret, ...link } = decoded.value
  return { ok: true, way: 'link', link: { ...link, secret: new Secret(secret) } }
}

const fault = (reason: LinkInputFault): ParsedLinkInput => ({ ok: false, code: 'E_LINK_MALFORMED', reason })

/** Printable ASCII that starts like a multiaddr; the network decides whether it can and may be dialled. */
export const isAddress = (address: string): boolean =>
  /^\/[!-~]+$/.test(address) && address.length <= limits.addressBytes
