/** Our sessions behind the interface the peers are compared by. */
import { randomFillSync } from 'node:crypto'
import type { CryptoProvider } from '../../packages/core/src/crypto/index.ts'
import { readBundle, readCertificate } from '../../packages/core/src/identity/index.ts'
import {
  acceptHandshake,
  adopt,
  decodeFirstFlight,
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
import { makeDevice, startMs } from '../support/session-world.ts'
import type { PreparedPeer, SessionPair, SessionPeer } from './session-peer.ts'

/** Random bytes drawn from the system in large helpings, as a device's Random port does. */
function pooledRandom(): (length: number) => Uint8Array {
  const pool = new Uint8Array(16_384)
  let at = pool.length
  return (length) => {
    if (at + length > pool.length) {
      randomFillSync(pool)
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

/** Sotto over a provider. */
export const sottoSessions = (crypto: CryptoProvider, name = 'Sotto'): SessionPeer => ({
  name,
  prepare: async (text) => prepare(crypto, text),
})

function prepare(crypto: CryptoProvider, text: Uint8Array): PreparedPeer {
  const [alice, bob] = [makeDevice(crypto, 'bench/alice'), makeDevice(crypto, 'bench/bob')]
  const random = pooledRandom()

  const seal = (from: Pairwise): { readonly peer: Pairwise; readonly frame: Uint8Array } => {
    const sealed = must(sealTo(crypto, from, text, random(sealEntropyBytes), startMs))
    encodePairwise(sealed.peer)
    return sealed
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
    const a = must(openFrom(crypto, first.peer, reply.frame, startMs)).peer
    encodePairwise(a)
    return { a, b: reply.peer, firstBytes: first.frame.length }
  }

  const pair = (): SessionPair => {
    let { a, b } = establish()
    const open = (to: Pairwise, frame: Uint8Array): Pairwise => {
      const { peer } = must(openFrom(crypto, to, frame, startMs))
      encodePairwise(peer)
      return peer
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
