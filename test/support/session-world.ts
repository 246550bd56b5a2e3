/** Two devices and everything between them, for tests of sessions. */
import { createNodeProvider } from '../../packages/core/bindings/crypto-node/index.ts'
import type { CryptoProvider } from '../../packages/core/src/crypto/index.ts'
import { readCertificate } from '../../packages/core/src/identity/index.ts'
import { seededRandom } from '../../packages/core/src/memory/index.ts'
import type { Random } from '../../packages/core/src/ports/index.ts'
import {
  acceptHandshake,
  adopt,
  decodeFirstFlight,
  decodePairwise,
  encodePairwise,
  initiateEntropyBytes,
  newSession,
  noSessions,
  openFrom,
  openHandshake,
  sealEntropyBytes,
  sealTo,
  type Pairwise,
} from '../../packages/core/src/session/index.ts'
import { toHex, utf8 } from '../../packages/core/src/wire/index.ts'
import { makeDevice, startMs, type TestDevice } from './session-device.ts'

export { dayMs, makeDevice, startMs, type TestDevice } from './session-device.ts'

export const nodeProvider: CryptoProvider = await createNodeProvider()

/** What became of a frame at an endpoint. */
export type Received = { readonly text: string } | { readonly refused: string }

/** One device's end of a pair, the way a device uses the room: state as bytes, replay cache, one clock. */
export class Endpoint {
  readonly crypto: CryptoProvider
  readonly device: TestDevice
  readonly #random: Random
  #state: Uint8Array = encodePairwise(noSessions)
  readonly #replays = new Set<string>()
  nowMs = startMs

  constructor(crypto: CryptoProvider, device: TestDevice, seed: string) {
    this.crypto = crypto
    this.device = device
    this.#random = seededRandom(crypto, `endpoint/${seed}`)
  }

  get peer(): Pairwise {
    const peer = decodePairwise(this.#state)
    if (peer === undefined) throw new Error('stored state does not decode')
    return peer
  }

  set peer(peer: Pairwise) {
    this.#state = encodePairwise(peer)
  }

  snapshot(): Uint8Array {
    return this.#state.slice()
  }

  restore(snapshot: Uint8Array): void {
    this.#state = snapshot.slice()
  }

  begin(to: TestDevice, invite?: Uint8Array): void {
    const options = { logHeads: [], invite }
    const entropy = this.#random.bytes(initiateEntropyBytes)
    const begun = newSession(
      this.crypto,
      this.peer,
      { own: this.device.own, bundle: to.bundle, options },
      entropy,
      this.nowMs,
    )
    if (!begun.ok) throw new Error(begun.reason)
    this.peer = begun.peer
  }

  send(text: string): Uint8Array {
    const sealed = sealTo(
      this.crypto,
      this.peer,
      utf8(text),
      this.#random.bytes(sealEntropyBytes),
      this.nowMs,
    )
    if (!sealed.ok) throw new Error(sealed.reason)
    this.peer = sealed.peer
    return sealed.frame
  }

  receive(frame: Uint8Array): Received {
    const opened = openFrom(this.crypto, this.peer, frame, this.nowMs)
    if (opened.ok) {
      this.peer = opened.peer
      return { text: new TextDecoder().decode(opened.plaintext) }
    }
    return opened.reason === 'handshake' ? this.#respond(frame) : { refused: opened.reason }
  }

  #respond(frame: Uint8Array): Received {
    const flight = decodeFirstFlight(frame)
    if (flight === undefined) return { refused: 'malformed' }
    const replay = toHex(flight.replayKey)
    if (this.#replays.has(replay)) return { refused: 'replayed' }
    const opened = openHandshake(this.crypto, this.device.prekeys, flight, this.nowMs)
    if (!opened.ok) return { refused: opened.reason }
    const certificate = readCertificate(this.crypto, opened.claims.certificate)
    if (certificate === undefined) return { refused: 'bad-certificate' }
    const accepted = acceptHandshake(
      this.crypto,
      this.device.own,
      this.device.prekeys,
      opened,
      certificate,
      [],
      this.nowMs,
    )
    if (!accepted.ok) return { refused: accepted.reason }
    this.#replays.add(replay)
    this.peer = adopt(this.peer, accepted.session)
    return { text: new TextDecoder().decode(accepted.plaintext) }
  }
}

const devices = [makeDevice(nodeProvider, 'alice'), makeDevice(nodeProvider, 'bob')] as const

/** Two strangers with their bundles at hand. */
export function twoEndpoints(
  crypto: CryptoProvider = nodeProvider,
  seed = 'pair',
): readonly [alice: Endpoint, bob: Endpoint] {
  return [new Endpoint(crypto, devices[0], `${seed}/alice`), new Endpoint(crypto, devices[1], `${seed}/bob`)]
}

/** Two endpoints after one message each way. */
export function establishedPair(
  crypto: CryptoProvider = nodeProvider,
  seed = 'pair',
): readonly [alice: Endpoint, bob: Endpoint] {
  const [alice, bob] = twoEndpoints(crypto, seed)
  alice.begin(bob.device)
  bob.receive(alice.send('hello'))
  alice.receive(bob.send('hello yourself'))
  return [alice, bob]
}

/** The text, or an error naming the refusal. */
export function textOf(received: Received): string {
  if ('refused' in received) throw new Error(received.refused)
  return received.text
}

/** The reason a frame was refused, or `accepted`. */
export const refusalOf = (received: Received): string =>
  'refused' in received ? received.refused : 'accepted'
