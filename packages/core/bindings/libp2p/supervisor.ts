import type { Libp2p, PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { AddressGate } from './gate.ts'
import { bestOf, routeOf } from './peer.ts'
import { deadline, later } from './timer.ts'

/** Pauses of the supervisor in milliseconds; `random` gives 0 ≤ x < 1 for the jitter. */
export interface SupervisorOptions {
  readonly dialMs: number
  readonly retryMinMs: number
  readonly retryMaxMs: number
  readonly random: () => number
}

interface Attached {
  readonly peer: PeerId
  readonly address: Multiaddr
  failures: number
  busy: boolean
  cancel: (() => void) | undefined
}

/**
 * Keeps a connection to each attached relay or bootstrap peer.
 *
 *   waiting ──timer──▶ dialling ──up──▶ connected ──lost──▶ waiting
 *                      dialling ──failed──▶ waiting (pause doubles, half of it jitter)
 *
 * A reservation dies with the relay's process, so each new connection asks for one again.
 */
export class Supervisor {
  readonly #node: Libp2p
  readonly #gate: AddressGate
  readonly #options: SupervisorOptions
  readonly #attached = new Map<string, Attached>()
  #stopped = false

  constructor(node: Libp2p, gate: AddressGate, options: SupervisorOptions) {
    this.#node = node
    this.#gate = gate
    this.#options = options
  }

  /** Starts keeping this peer; a second address of the same peer replaces the first. */
  attach(peer: PeerId, address: Multiaddr): void {
    this.detach(peer)
    this.#gate.permit(address)
    const entry: Attached = { peer, address, failures: 0, busy: false, cancel: undefined }
    this.#attached.set(peer.toString(), entry)
    void this.#keep(entry)
  }

  /** Forgets the peer; true when it was attached. */
  detach(peer: PeerId): boolean {
    const entry = this.#attached.get(peer.toString())
    entry?.cancel?.()
    return this.#attached.delete(peer.toString())
  }

  /** A connection to the peer came or went. */
  changed(peer: string): void {
    const entry = this.#attached.get(peer)
    if (entry === undefined || entry.busy || entry.cancel !== undefined) return
    if (!this.#isConnected(entry)) this.#schedule(entry)
  }

  stop(): void {
    this.#stopped = true
    for (const entry of this.#attached.values()) entry.cancel?.()
    this.#attached.clear()
  }

  #isConnected(entry: Attached): boolean {
    const best = bestOf(this.#node.getConnections(entry.peer))
    return best !== undefined && routeOf(best) === 'direct'
  }

  #isCurrent(entry: Attached): boolean {
    return !this.#stopped && this.#attached.get(entry.peer.toString()) === entry
  }

  async #keep(entry: Attached): Promise<void> {
    entry.busy = true
    try {
      if (!this.#isConnected(entry)) {
        await this.#node.dial(entry.address, { signal: deadline(this.#options.dialMs) })
      }
      if (this.#isCurrent(entry)) await this.#gate.reserve?.(entry.peer)
      entry.failures = 0
    } catch {
      entry.failures += 1
    } finally {
      entry.busy = false
    }
    if (this.#isCurrent(entry) && (entry.failures > 0 || !this.#isConnected(entry))) this.#schedule(entry)
  }

  #schedule(entry: Attached): void {
    const { retryMinMs, retryMaxMs, random } = this.#options
    const pause = Math.min(retryMaxMs, retryMinMs * 2 ** Math.min(entry.failures, 20))
    entry.cancel?.()
    entry.cancel = later(pause / 2 + (pause / 2) * random(), () => {
      entry.cancel = undefined
      if (this.#isCurrent(entry)) void this.#keep(entry)
    })
  }
}
