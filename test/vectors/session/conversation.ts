/** The conversation that the frozen vectors are made of, played by the session room. */
import type { CryptoProvider } from '../../../packages/core/src/crypto/index.ts'
import { readCertificate } from '../../../packages/core/src/identity/index.ts'
import { seededRandom } from '../../../packages/core/src/memory/index.ts'
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
} from '../../../packages/core/src/session/index.ts'
import { toHex, utf8 } from '../../../packages/core/src/wire/index.ts'
import { makeDevice, startMs, type TestDevice } from '../../support/session-world.ts'

/** One message: who seals, with which random bytes, what comes out. All hex. */
export interface VectorMessage {
  readonly from: 'initiator' | 'responder'
  readonly entropy: string
  readonly plaintext: string
  readonly frame: string
}

export interface VectorParty {
  readonly account: string
  readonly device: string
  readonly certificate: string
  readonly identitySeed: string
  readonly agreementSeed: string
}

export interface SessionVector {
  readonly name: string
  readonly initiator: VectorParty
  readonly responder: VectorParty & {
    readonly bundle: string
    readonly signedPrekeySeed: string
    readonly kemPrekeySeed: string
  }
  readonly inviteSecret: string | null
  readonly handshakeEntropy: string
  readonly sessionId: string
  readonly messages: readonly VectorMessage[]
  /** SHA-256 of both ends' stored state after the last message. */
  readonly finalState: { readonly initiator: string; readonly responder: string }
}

const party = ({ own }: TestDevice): VectorParty => ({
  account: toHex(own.certificate.account),
  device: toHex(own.certificate.device),
  certificate: toHex(own.certificate.bytes),
  identitySeed: toHex(own.keys.identity.secret.expose()),
  agreementSeed: toHex(own.keys.agreement.secret.expose()),
})

/** Who sends, in order: a burst, turns, and enough of both for post-quantum steps. */
const turns = (count: number): readonly boolean[] =>
  Array.from({ length: count }, (_, i) => i < 2 || (i % 7 < 4 ? i % 2 === 0 : i % 3 === 0))

/** Plays one conversation from a seed. */
export function playConversation(crypto: CryptoProvider, name: string, messages: number, invited: boolean): SessionVector {
  const [a, b] = [makeDevice(crypto, `${name}/a`), makeDevice(crypto, `${name}/b`)]
  const random = seededRandom(crypto, `vector/${name}`)
  const invite = invited ? random.bytes(32) : undefined
  const handshakeEntropy = random.bytes(initiateEntropyBytes)
  const begun = newSession(crypto, noSessions, { own: a.own, bundle: b.bundle, options: { logHeads: [], invite } }, handshakeEntropy, startMs)
  if (!begun.ok) throw new Error(begun.reason)
  let [alice, bob]: [Pairwise, Pairwise] = [begun.peer, noSessions]
  const sessionId = toHex(alice.sessions[0]!.id)
  const out: VectorMessage[] = []
  for (const [i, fromAlice] of turns(messages).entries()) {
    const entropy = random.bytes(sealEntropyBytes)
    const plaintext = utf8(`${name} ${i}`)
    const sealed = sealTo(crypto, fromAlice ? alice : bob, plaintext, entropy, startMs)
    if (!sealed.ok) throw new Error(sealed.reason)
    if (fromAlice) alice = sealed.peer
    else bob = sealed.peer
    if (fromAlice) bob = openAt(crypto, b, bob, sealed.frame, invite)
    else alice = openAt(crypto, a, alice, sealed.frame, undefined)
    out.push({ from: fromAlice ? 'initiator' : 'responder', entropy: toHex(entropy), plaintext: toHex(plaintext), frame: toHex(sealed.frame) })
  }
  return {
    name,
    initiator: party(a),
    responder: {
      ...party(b),
      bundle: toHex(b.bundle.bytes),
      signedPrekeySeed: toHex(b.prekeys.own.signed.secret.expose()),
      kemPrekeySeed: toHex(b.prekeys.own.kem.secret.expose()),
    },
    inviteSecret: invite === undefined ? null : toHex(invite),
    handshakeEntropy: toHex(handshakeEntropy),
    sessionId,
    messages: out,
    finalState: {
      initiator: toHex(crypto.sha256(encodePairwise(alice))),
      responder: toHex(crypto.sha256(encodePairwise(bob))),
    },
  }
}

function openAt(crypto: CryptoProvider, device: TestDevice, peer: Pairwise, frame: Uint8Array, invite: Uint8Array | undefined): Pairwise {
  const opened = openFrom(crypto, peer, frame, startMs)
  if (opened.ok) return opened.peer
  const flight = decodeFirstFlight(frame)
  const handshake = flight && openHandshake(crypto, device.prekeys, flight, startMs)
  const certificate = handshake?.ok === true ? readCertificate(crypto, handshake.claims.certificate) : undefined
  if (handshake?.ok !== true || certificate === undefined) throw new Error(opened.reason)
  const invites = invite === undefined ? [] : [invite]
  const accepted = acceptHandshake(crypto, device.own, device.prekeys, handshake, certificate, invites, startMs)
  if (!accepted.ok) throw new Error(accepted.reason)
  return adopt(peer, accepted.session)
}

/** The frozen conversations. */
export const conversations = [
  { name: 'first-words', messages: 8, invited: false },
  { name: 'by-invite', messages: 8, invited: true },
  { name: 'post-quantum', messages: 150, invited: false },
] as const
