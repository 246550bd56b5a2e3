import type { Connection, Libp2p, PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { networkError } from '../../src/ports/index.ts'
import { toNetworkError } from './errors.ts'
import type { AddressGate } from './gate.ts'
import { addressesOf, bestOf, kindOf, routeOf, type AddressKind } from './peer.ts'
import { deadline } from './timer.ts'

/** Times of a dialer, in milliseconds. */
export interface DialerOptions {
  /** One try. */
  readonly dialMs: number
  /** A relayed peer is tried directly in the background no more often than this. */
  readonly upgradeMs: number
  readonly monotonicMs: () => number
}

/**
 * Finds a connection to a peer: an open one, else its direct addresses, then WebRTC (twice, since first
 * dials may hang), then circuits, then what the DHT knows. Concurrent wishes for one peer share one search.
 */
export class Dialer {
  readonly #node: Libp2p
  readonly #gate: AddressGate
  readonly #options: DialerOptions
  readonly #searches = new Map<string, Promise<Connection>>()
  readonly #upgrades = new Map<string, number>()
  readonly #stopped = new AbortController()

  constructor(node: Libp2p, gate: AddressGate, options: DialerOptions) {
    this.#node = node
    this.#gate = gate
    this.#options = options
  }

  /** The addresses were given by the person, an invite or a signed bundle: they become dialable. */
  async connect(peer: PeerId, addresses: readonly string[]): Promise<Connection> {
    const given = addressesOf(peer, addresses)
    for (const address of given) this.#gate.permit(address)
    const existing = bestOf(this.#node.getConnections(peer))
    if (existing !== undefined) {
      if (routeOf(existing) === 'relayed') this.#upgrade(peer, given)
      return existing
    }
    const key = peer.toString()
    const running = this.#searches.get(key)
    if (running !== undefined) return running
    const search = this.#search(peer, given).finally(() => this.#searches.delete(key))
    this.#searches.set(key, search)
    return search
  }

  /** Ends every dial. */
  stop(): void {
    this.#stopped.abort()
  }

  async #search(peer: PeerId, given: readonly Multiaddr[]): Promise<Connection> {
    const allowed = given.filter((address) => this.#gate.allows(address))
    if (given.length > 0 && allowed.length === 0) throw networkError('E_NET_REFUSED')
    const failures: unknown[] = []
    const known = [...this.#ways(allowed), () => this.#look(peer)]
    const ways = allowed.length > 0 ? known : [() => this.#dial(peer)]
    for (const way of ways) {
      try {
        return await way()
      } catch (failure) {
        if (this.#stopped.signal.aborted) throw networkError('E_NET_CLOSED', failure)
        failures.push(failure)
      }
    }
    throw worst(failures)
  }

  /** One try for all direct addresses together, two for WebRTC, one for the circuits. */
  #ways(addresses: readonly Multiaddr[]): (() => Promise<Connection>)[] {
    const of = (kind: AddressKind) => addresses.filter((address) => kindOf(address) === kind)
    const [direct, webrtc, circuit] = [of('direct'), of('webrtc'), of('circuit')]
    return [
      ...(direct.length > 0 ? [() => this.#dial(direct)] : []),
      ...(webrtc.length > 0 ? [() => this.#dial(webrtc), () => this.#dial(webrtc)] : []),
      ...(circuit.length > 0 ? [() => this.#dial(circuit)] : []),
    ]
  }

  async #dial(target: PeerId | readonly Multiaddr[]): Promise<Connection> {
    const signal = deadline(this.#options.dialMs, this.#stopped.signal)
    return this.#node.dial(isAddresses(target) ? [...target] : target, { signal })
  }

  /** Asks the DHT where the peer is. What it says is dialled only if public or permitted before. */
  async #look(peer: PeerId): Promise<Connection> {
    if (this.#node.getConnections().length === 0) throw networkError('E_NET_UNREACHABLE')
    const signal = deadline(this.#options.dialMs, this.#stopped.signal)
    const { multiaddrs } = await this.#node.peerRouting.findPeer(peer, { signal })
    const allowed = addressesOf(peer, multiaddrs.map(String)).filter((address) => this.#gate.allows(address))
    if (allowed.length === 0) throw networkError('E_NET_UNREACHABLE')
    return this.#dial(allowed)
  }

  /** A relayed peer that names a direct way is tried there in the background. */
  #upgrade(peer: PeerId, given: readonly Multiaddr[]): void {
    const better = given.filter((address) => kindOf(address) !== 'circuit' && this.#gate.allows(address))
    const key = peer.toString()
    const now = this.#options.monotonicMs()
    const last = this.#upgrades.get(key)
    if (better.length === 0 || (last !== undefined && now - last < this.#options.upgradeMs)) return
    this.#upgrades.set(key, now)
    if (this.#upgrades.size > 1_000) this.#upgrades.clear()
    void this.#tryEach(this.#ways(better))
  }

  async #tryEach(ways: readonly (() => Promise<Connection>)[]): Promise<void> {
    for (const way of ways) {
      try {
        await way()
        return
      } catch {
        // The relayed connection goes on serving.
      }
    }
  }
}

function isAddresses(target: PeerId | readonly Multiaddr[]): target is readonly Multiaddr[] {
  return Array.isArray(target)
}

/** A timeout says more than that there was nothing else to try. */
function worst(failures: readonly unknown[]): Error {
  const errors = failures.map(toNetworkError)
  return (
    errors.find((error) => error.code === 'E_NET_TIMEOUT') ??
    errors.find((error) => error.code === 'E_NET_UNREACHABLE') ??
    errors[0] ??
    networkError('E_NET_UNREACHABLE')
  )
}
