/** The frozen conversations, played by the room on the fast provider and by a second implementation. */
import { expect } from 'chai'
import { readFileSync } from 'node:fs'
import { nodeProvider } from '../../support/session-world.ts'
import { SecondSession } from '../../support/second-session.ts'
import { bytesBetween, fields, frame, literal } from '../../../packages/core/src/wire/index.ts'
import { conversations, playConversation, type SessionVector } from './conversation.ts'

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))
const load = (name: string): SessionVector =>
  JSON.parse(readFileSync(new URL(`${name}.json`, import.meta.url), 'utf8')) as SessionVector

const ratchet = frame('ratchet', fields({ version: literal(1), kind: literal(1), head: bytesBetween(74, 3_000), body: bytesBetween(16, 65_536) }))
const handshake = frame(
  'first-flight',
  fields({
    version: literal(1),
    kind: literal(2),
    clear: bytesBetween(1, 2_000),
    nonce: bytesBetween(24, 24),
    inner: bytesBetween(16, 40_000),
    first: bytesBetween(1, 65_536),
  }),
)

const must = <T>(decoded: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string }): T => {
  if (!decoded.ok) throw new Error(decoded.reason)
  return decoded.value
}

/** Head and body of a frame of either kind. */
function partsOf(bytes: Uint8Array): { readonly head: Uint8Array; readonly body: Uint8Array } {
  const plain = ratchet.decode(bytes)
  return plain.ok ? plain.value : must(ratchet.decode(must(handshake.decode(bytes)).first))
}

function secondEnds(vector: SessionVector): { readonly initiator: SecondSession; readonly responder: SecondSession } {
  const [a, b] = [vector.initiator, vector.responder]
  const identity = (party: typeof a) => ({
    account: hex(party.account),
    device: hex(party.device),
    certificate: hex(party.certificate),
    identity: hex(party.identitySeed),
    agreement: hex(party.agreementSeed),
  })
  const invite = vector.inviteSecret === null ? undefined : hex(vector.inviteSecret)
  const dhPublic = (seed: string): Uint8Array => nodeProvider.dhKeyPair(hex(seed)).publicKey
  const bundle = {
    account: hex(b.account),
    device: hex(b.device),
    agreement: dhPublic(b.agreementSeed),
    bytes: hex(b.bundle),
    signedPrekey: dhPublic(b.signedPrekeySeed),
    kemPrekey: nodeProvider.kemKeyPair(hex(b.kemPrekeySeed)).publicKey,
  }
  const prekeys = { signedPrekey: hex(b.signedPrekeySeed), kemSeed: hex(b.kemPrekeySeed) }
  const { clear, nonce, inner } = must(handshake.decode(hex(vector.messages[0]!.frame)))
  return {
    initiator: SecondSession.initiate(identity(a), bundle, invite, hex(vector.handshakeEntropy)),
    responder: SecondSession.respond(
      { ...identity(b), ...prekeys, bundle: bundle.bytes },
      { account: hex(a.account), device: hex(a.device), agreement: dhPublic(a.agreementSeed) },
      invite,
      [clear, nonce, inner],
    ),
  }
}

describe('vectors: sessions', () => {
  for (const { name, messages, invited } of conversations) {
    it(`${name}: the room repeats every byte`, () => {
      expect(playConversation(nodeProvider, name, messages, invited)).to.deep.equal(load(name))
    })

    it(`${name}: a second implementation seals the same frames and opens them`, () => {
      const vector = load(name)
      const ends = secondEnds(vector)
      for (const message of vector.messages) {
        const other = message.from === 'initiator' ? 'responder' : 'initiator'
        const frameBytes = hex(message.frame)
        expect(Buffer.from(ends[message.from].seal(hex(message.plaintext), hex(message.entropy))).toString('hex')).to.equal(message.frame)
        const { head, body } = partsOf(frameBytes)
        expect(Buffer.from(ends[other].open(head, body)).toString('hex')).to.equal(message.plaintext)
      }
    })
  }

  it('post-quantum: the conversation holds a whole step, offered by one end and answered by the other', () => {
    const large = load('post-quantum').messages.slice(2).filter((message) => message.frame.length / 2 > 1_100)
    expect(new Set(large.map((message) => message.from))).to.deep.equal(new Set(['initiator', 'responder']))
  })

  it('the part that hides the initiator opens to the account and certificate, in their places', () => {
    const vector = load('first-words')
    const { clear, nonce, inner } = must(handshake.decode(hex(vector.messages[0]!.frame)))
    const prekeys = { signedPrekey: hex(vector.responder.signedPrekeySeed), kemSeed: hex(vector.responder.kemPrekeySeed) }
    const plain = Buffer.from(SecondSession.openInner(prekeys, [clear, nonce, inner])).toString('hex')
    expect(plain.startsWith(`855820${vector.initiator.account}`)).to.equal(true)
    expect(plain).to.include(vector.initiator.certificate)
  })
})
