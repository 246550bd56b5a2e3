import type { ConnectionGater, PeerId } from '@libp2p/interface'
import { getNetConfig, isGlobalUnicast, isLoopback, isPrivate } from '@libp2p/utils'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { limits } from '../../src/limits.ts'

/** How a gate decides. */
export interface GateOptions {
  /** Whether loopback may be dialled at all: false in a page that did not come from loopback. Default true. */
  readonly loopback?: boolean
}

/** A peer seen on the local network. */
export interface LocalPeer {
  readonly peer: string
  readonly addresses: readonly string[]
}

/**
 * Which addresses are dialled and which peers spoken to. Made before its libp2p node, given to the recipe
 * and to `createLibp2pNetwork`. Private, loopback and unprotected name addresses are dialled only once
 * `permit` was told of them: by the person, an invite, a contact's signed bundle, or mDNS. What identify,
 * the DHT or another peer merely says is not enough.
 */
export class AddressGate {
  /** Reserves a circuit slot at a connected relay; set by the recipe when the node can be relayed. */
  reserve: ((relay: PeerId) => Promise<void>) | undefined
  /** How a peer stands on topics, negative: nothing is passed on through it; set by the network. */
  standing: ((peer: string) => number) | undefined
  /** Told of every peer mDNS sees; set by the network. */
  seenLocally: ((seen: LocalPeer) => void) | undefined
  readonly #permitted = new Set<string>()
  readonly #loopback: boolean

  constructor(options: GateOptions = {}) {
    this.#loopback = options.loopback ?? true
  }

  /** The person, a signed bundle or mDNS named this address. The oldest of very many is forgotten. */
  permit(address: Multiaddr): void {
    const host = hostOf(address)
    if (host === undefined) return
    this.#permitted.delete(host)
    this.#permitted.add(host)
    if (this.#permitted.size <= limits.permittedAddresses) return
    const oldest = this.#permitted.values().next().value
    if (oldest !== undefined) this.#permitted.delete(oldest)
  }

  /** Whether the node would dial this address now. */
  allows(address: Multiaddr): boolean {
    const host = hostOf(address)
    if (host === undefined) return true
    if (!this.#loopback && reachesLoopback(address)) return false
    return this.#permitted.has(host) || isPublic(address)
  }

  /** For `createLibp2p`. Ed25519 peers only: their key is the id, and its check costs the same for all. */
  connectionGater(): ConnectionGater {
    return {
      denyDialPeer: (peer) => peer.type !== 'Ed25519',
      denyDialMultiaddr: (address) => !this.allows(address),
      denyInboundEncryptedConnection: (peer) => peer.type !== 'Ed25519',
      denyOutboundEncryptedConnection: (peer) => peer.type !== 'Ed25519',
      filterMultiaddrForPeer: () => true,
    }
  }
}

/** Transport, host and port in front of everything else; undefined for addresses without one (`/memory/…`). */
function hostOf(address: Multiaddr): string | undefined {
  const head: string[] = []
  for (const { name, value } of address.getComponents()) {
    if (!['ip4', 'ip6', 'ip6zone', 'dns', 'dns4', 'dns6', 'dnsaddr', 'tcp', 'udp'].includes(name)) break
    head.push(name, (value ?? '').toLowerCase())
  }
  return head.length === 0 ? undefined : head.join('/')
}

const localName = /(^|[.])(localhost|local|internal|lan|home|arpa|intranet|corp)[.]?$/i

function reachesLoopback(address: Multiaddr): boolean {
  return (
    isLoopback(address) || isMappedLoopback(address) || /(^|[.])localhost[.]?$/i.test(nameOf(address) ?? '')
  )
}

function isMappedLoopback(address: Multiaddr): boolean {
  const [first] = address.getComponents()
  return first?.name === 'ip6' && /^(::|::1|::ffff:(7f|127[.]).*)$/i.test(first.value ?? '')
}

function nameOf(address: Multiaddr): string | undefined {
  const [first] = address.getComponents()
  return first?.name.startsWith('dns') === true ? (first.value ?? '') : undefined
}

/** A public IP, or a full name behind TLS, whose certificate a machine on the local network cannot show. */
function isPublic(address: Multiaddr): boolean {
  const name = nameOf(address)
  if (name !== undefined) return name.includes('.') && !localName.test(name) && isSecured(address)
  try {
    getNetConfig(address)
  } catch {
    return false
  }
  return !isPrivate(address) && !isLoopback(address) && isUnicast(address)
}

function isUnicast(address: Multiaddr): boolean {
  const [first] = address.getComponents()
  if (first?.name === 'ip6') return isGlobalUnicast(address)
  // 224.0.0.0/3 is multicast and reserved.
  return Number((first?.value ?? '').split('.')[0]) < 224
}

function isSecured(address: Multiaddr): boolean {
  const before = address.toString().split('/p2p-circuit')[0] ?? ''
  return /[/](wss|tls)([/]|$)/.test(before)
}

/** Reads an address; undefined when it is none. */
export function readAddress(address: string): Multiaddr | undefined {
  try {
    return multiaddr(address)
  } catch {
    return undefined
  }
}
