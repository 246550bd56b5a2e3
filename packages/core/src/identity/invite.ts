import { kdf, noSalt, Secret, type CryptoProvider, type SignKeyPair } from '../crypto/index.ts'
import { UsageError } from '../errors.ts'
import { limits } from '../limits.ts'
import { concat, frame, fromBase64Url, list, text, toBase64Url } from '../wire/index.ts'
import type { AccountId } from './ids.ts'

const accountBytes = 32
const secretBytes = 16

/** An invite link taken apart. Who holds it may read the invite's record and use the invite up. */
export interface InviteLink {
  readonly account: AccountId
  /** 16 bytes. */
  readonly secret: Secret
  /** Host of the relay that serves the page behind the link, with its port; null for `sotto:` links. */
  readonly host: string | null
  /** Multiaddrs of the inviter, at most two: hints for peers without a relay or DHT in common. */
  readonly addresses: readonly string[]
}

/** Why text is no invite link; every one of them is the person's `E_INVITE_MALFORMED`. */
export type InviteLinkFault = 'too-long' | 'scheme' | 'host' | 'base64' | 'length' | 'addresses'

/** A link, or why there is none. */
export type ParsedInvite =
  | { readonly ok: true; readonly link: InviteLink }
  | { readonly ok: false; readonly code: 'E_INVITE_MALFORMED'; readonly reason: InviteLinkFault }

const addressesFrame = frame('invite-addresses', list(text(limits.addressBytes), limits.inviteAddresses))

/**
 * Writes `https://HOST/i#F`, `http://HOST/i#F` for a loopback host, or `sotto:i#F` without one, where F is
 * base64url of account id and secret, with `.` and the addresses when there are any
 * (docs/protocol/invite.md §1). Throws a UsageError for what no reader would take.
 */
export function formatInvite(link: InviteLink): string {
  if (link.account.length !== accountBytes || link.secret.length !== secretBytes)
    throw new UsageError('E_LENGTH', 'an invite names an account of 32 bytes and a secret of 16')
  if (link.host !== null && !isHost(link.host))
    throw new UsageError('E_HOST', 'the host of an invite is a lower-case name or address')
  if (link.addresses.length > limits.inviteAddresses || !link.addresses.every(isAddress))
    throw new UsageError('E_ADDRESS', `an invite carries at most ${limits.inviteAddresses} multiaddrs`)
  const origin =
    link.host === null ? 'sotto:i' : `${isLoopback(link.host) ? 'http' : 'https'}://${link.host}/i`
  const identity = toBase64Url(concat(link.account, link.secret.expose()))
  const hints = link.addresses.length === 0 ? '' : `.${toBase64Url(addressesFrame.encode(link.addresses))}`
  return `${origin}#${identity}${hints}`
}

/** Reads an invite link; white space around it is the person's, everything else must be exact. */
export function parseInvite(input: string): ParsedInvite {
  if (input.length > limits.inviteLinkChars) return fault('too-long')
  const link = input.trim()
  const hash = link.indexOf('#')
  if (hash < 0) return fault('scheme')
  const host = hostOf(link.slice(0, hash))
  if (typeof host === 'object' && host !== null) return fault(host.fault)
  return readFragment(link.slice(hash + 1), host)
}

const fault = (reason: InviteLinkFault): ParsedInvite => ({ ok: false, code: 'E_INVITE_MALFORMED', reason })

/** The host in front of the fragment, null when the link names none. */
function hostOf(origin: string): string | null | { readonly fault: InviteLinkFault } {
  if (origin.toLowerCase() === 'sotto:i') return null
  const parts = /^(https?):\/\/([^/?]+)\/i$/i.exec(origin)
  const [scheme, host] = [parts?.[1]?.toLowerCase(), parts?.[2]?.toLowerCase()]
  if (scheme === undefined || host === undefined) return { fault: 'scheme' }
  if (!isHost(host) || (scheme === 'http' && !isLoopback(host))) return { fault: 'host' }
  return host
}

function readFragment(fragment: string, host: string | null): ParsedInvite {
  const [identityText = '', hintText, ...rest] = fragment.split('.')
  const identity = fromBase64Url(identityText)
  if (identity === undefined || rest.length > 0) return fault('base64')
  if (identity.length !== accountBytes + secretBytes) return fault('length')
  const addresses = hintText === undefined ? [] : readAddresses(hintText)
  if (addresses === undefined) return fault('addresses')
  const account = identity.slice(0, accountBytes) as AccountId
  const secret = new Secret(identity.slice(accountBytes))
  return { ok: true, link: { account, secret, host, addresses } }
}

/** An empty list has no encoding, so that one set of addresses has one link. */
function readAddresses(hintText: string): readonly string[] | undefined {
  const encoded = fromBase64Url(hintText)
  const decoded = encoded === undefined ? undefined : addressesFrame.decode(encoded)
  if (decoded?.ok !== true || decoded.value.length === 0) return undefined
  return decoded.value.every(isAddress) ? decoded.value : undefined
}

const name = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/
const ipv6 = /^\[[0-9a-f:.]{2,45}\]$/

/** A DNS name, an IPv4 or a bracketed IPv6 address, lower case, with an optional port. */
function isHost(host: string): boolean {
  const parts = /^(\[[^\]]*\]|[^:[\]]+)(?::([1-9][0-9]{0,4}))?$/.exec(host)
  const [machine, port] = [parts?.[1], parts?.[2]]
  if (machine === undefined || (port !== undefined && Number(port) > 0xffff)) return false
  return name.test(machine) || ipv6.test(machine)
}

/** Whether a host never leaves the machine: the only place where `http` is as good as `https`. */
const isLoopback = (host: string): boolean =>
  /^(localhost|127(\.(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])){3}|\[::1\])(:[0-9]+)?$/.test(host)

/** Printable ASCII that starts like a multiaddr; the network decides whether it can and may be dialled. */
const isAddress = (address: string): boolean =>
  /^\/[!-~]+$/.test(address) && address.length <= limits.addressBytes

/** Everything a link's secret yields for the account it names. */
export interface InviteKeys {
  /** 32 bytes; names the invite among the inviter's and inside its record. */
  readonly inviteId: Uint8Array
  /** Discovery key pair of the invite's DHT record, at slot 0 (docs/protocol/discovery.md). */
  readonly discovery: SignKeyPair
  /** 32 bytes: where a relay keeps its copy. */
  readonly locator: Uint8Array
  /** Key of the relay's copy. */
  readonly copyKey: Secret
  /** 32 bytes, mixed into the handshake: proof that the initiator holds the link. */
  readonly psk: Secret
  /** The key whose holders may be admitted to the group of the invite, if it is into one. */
  readonly admit: SignKeyPair
}

/** Derives what holder and maker of a link share. */
export function inviteKeys(crypto: CryptoProvider, link: Pick<InviteLink, 'account' | 'secret'>): InviteKeys {
  const derive = (purpose: string): Uint8Array =>
    kdf(crypto, noSalt, link.secret.expose(), purpose, [link.account])
  return {
    inviteId: derive('invite-id'),
    discovery: crypto.signKeyPair(derive('invite-discovery')),
    locator: derive('invite-locator'),
    copyKey: new Secret(derive('invite-copy')),
    psk: new Secret(derive('invite-psk')),
    admit: crypto.signKeyPair(derive('invite-admit')),
  }
}

/**
 * The key that may replace or delete the relay's copy, from 32 random bytes only the inviter's account has.
 * It does not come from the link's secret, or whoever holds the link could delete the record.
 */
export const inviteEditKey = (crypto: CryptoProvider, editSeed: Secret): SignKeyPair =>
  crypto.signKeyPair(kdf(crypto, noSalt, editSeed.expose(), 'invite-edit'))
