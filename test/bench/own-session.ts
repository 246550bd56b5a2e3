/** Our sessions behind the interface the peers are compared by. */
import type { CryptoProvider } from '../../packages/core/src/crypto/index.ts'
import { readBundle, readCertificate } from '../../packages/core/src/identity/index.ts'
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
import { makeDevice, startMs } from '../support/session-device.ts'
import type { PreparedPeer, SessionPair, SessionPeer } from './session-peer.ts'

/** Random bytes drawn from the system in large helpings, as a device's Random port does. */
function pooledRandom(): (length: number) => Uint8Array {
  const pool = new Uint8Array(16_384)
  let at = pool.length
  return (length) => {
    if (at + length > pool.length) {
      globalThis.crypto.getRandomValues(pool)
      at = 0
    }
    at += length
    return pool.slice(at - length, at)
  }
}

const must = <T extends { readonly ok: boolean }>(result: T): Extract<T, { readonly ok: true }> => {
  if (!result.ok) throw new Error(JSON.stringify(result))
  return result as Extract<T, { readonly ok: true }>
}

/**
 * What happens to a state after each message. `serialised`: written out, as a device does before it commits, and
 * gone on with in memory. `loaded`: also read back before the next, as a store without memory would. `live`: neither.
 */
export type Keeping = 'serialised' | 'loaded' | 'live'

/** Sotto over a provider. */
export const sottoSessions = (
  crypto: CryptoProvider,
  name = 'Sotto',
  keeping: Keeping = 'serialised',
): SessionPeer => ({
  name,
  prepare: async (text) => prepare(crypto, text, keeping),
})

const loaded = (bytes: Uint8Array): Pairwise => {
  const peer = decodePairwise(bytes)
  if (peer === undefined) throw new Error('a state does not read')
  return peer
}

function prepare(crypto: CryptoProvider, text: Uint8Array, keeping: Keeping): PreparedPeer {
  const [alice, bob] = [makeDevice(crypto, 'bench/alice'), makeDevice(crypto, 'bench/bob')]
  const random = pooledRandom()

  const keep = (peer: Pairwise): Pairwise => {
    if (keeping === 'live') return peer
    const bytes = encodePairwise(peer)
    return keeping === 'loaded' ? loaded(bytes) : peer
  }

  const seal = (from: Pairwise): { readonly peer: Pairwise; readonly frame: Uint8Array } => {
    const sealed = must(sealTo(crypto, from, text, random(sealEntropyBytes), startMs))
    return { peer: keep(sealed.peer), frame: sealed.frame }
  }

  const establish = (): { a: Pairwise; b: Pairwise; firstBytes: number } => {
    const options = { logHeads: [] }
    const bundle = readBundle(crypto, bob.bundle.bytes, startMs, bob.own.certificate)
    if (bundle.verdict !== 'accepted') throw new Error('the bundle does not read')
    const begun = newSession(
      crypto,
      noSessions,
      { own: alice.own, bundle: bundle.value, options },
      random(initiateEntropyBytes),
      startMs,
    )
    const first = seal(must(begun).peer)
    const flight = decodeFirstFlight(first.frame)
    if (flight === undefined) throw new Error('the first flight does not decode')
    const opened = must(openHandshake(crypto, bob.prekeys, flight, startMs))
    const certificate = readCertificate(crypto, opened.claims.certificate)
    if (certificate === undefined) throw new Error('the certificate does not read')
    const accepted = must(acceptHandshake(crypto, bob.own, bob.prekeys, opened, certificate, [], startMs))
    const reply = seal(adopt(noSessions, accepted.session))
    const a = keep(must(openFrom(crypto, first.peer, reply.frame, startMs)).peer)
    return { a, b: reply.peer, firstBytes: first.frame.length }
  }

  const pair = (): SessionPair => {
    let { a, b } = establish()
    const open = (to: Pairwise, frame: Uint8Array): Pairwise => {
      return keep(must(openFrom(crypto, to, frame, startMs)).peer)
    }
    return {
      forth: () => {
        const { peer, frame } = seal(a)
        a = peer
        b = open(b, frame)
        return frame.length
      },
      back: () => {
        const { peer, frame } = seal(b)
        b = peer
        a = open(a, frame)
        return frame.length
      },
    }
  }
  return { establish: () => establish().firstBytes, pair }
}
