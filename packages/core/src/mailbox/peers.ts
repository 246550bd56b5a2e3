import { limits } from '../limits.ts'
import { fullBucket, isFull, take, type Bucket, type Rate } from './rate.ts'

interface Peer {
  channels: number
  requests: Bucket
  bytes: Bucket
}

/** The rates of all peers: what one spends on any of its channels counts, and hanging up forgives nothing. */
export class PeerRates {
  readonly #requests: Rate
  readonly #bytes: Rate
  readonly #peers = new Map<string, Peer>()

  /** `requests` and `bytes` are one peer's share. */
  constructor(requests: Rate, bytes: Rate) {
    this.#requests = requests
    this.#bytes = bytes
  }

  joined(name: string, nowMs: number): void {
    this.#of(name, nowMs).channels += 1
  }

  left(name: string, nowMs: number): void {
    this.#of(name, nowMs).channels -= 1
    if (this.#peers.size > limits.relayPeers) this.#forget(nowMs)
  }

  /** Takes one request of `bytes`; zero when it may be served now, else milliseconds to wait. */
  waitMs(name: string, bytes: number, nowMs: number): number {
    const peer = this.#of(name, nowMs)
    const requests = take(peer.requests, this.#requests, 1, nowMs)
    peer.requests = requests.bucket
    if (requests.waitMs > 0) return requests.waitMs
    const spent = take(peer.bytes, this.#bytes, bytes, nowMs)
    peer.bytes = spent.bucket
    return spent.waitMs
  }

  #of(name: string, nowMs: number): Peer {
    const known = this.#peers.get(name)
    if (known !== undefined) return known
    const peer: Peer = {
      channels: 0,
      requests: fullBucket(this.#requests, nowMs),
      bytes: fullBucket(this.#bytes, nowMs),
    }
    this.#peers.set(name, peer)
    return peer
  }

  /** Forgets peers that left and whose rate has recovered; when still too many are left, any that left. */
  #forget(nowMs: number): void {
    for (const [name, peer] of this.#peers) {
      if (peer.channels > 0) continue
      const recovered = isFull(peer.requests, this.#requests, nowMs) && isFull(peer.bytes, this.#bytes, nowMs)
      if (recovered || this.#peers.size > 2 * limits.relayPeers) this.#peers.delete(name)
    }
  }
}
