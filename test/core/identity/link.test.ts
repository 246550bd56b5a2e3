import { expect } from 'chai'
import { Secret, type CryptoProvider } from '../../../packages/core/src/crypto/index.ts'
import { UsageError } from '../../../packages/core/src/errors.ts'
import {
  beginOffer,
  certificateBytes,
  encodeLinkRefusal,
  issueCertificate,
  linkPageBytes,
  logOps,
  resolveLog,
  type LinkWay,
} from '../../../packages/core/src/identity/index.ts'
import { linkFrame, type LinkFrame } from '../../../packages/core/src/identity/link-frame.ts'
import { sealLinkMessage } from '../../../packages/core/src/identity/link-keys.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { toHex } from '../../../packages/core/src/wire/index.ts'
import { recordingProvider } from '../../support/recording-provider.ts'
import { Channel, emojiAt, entropyOf, Home, newDevice, NewEnd, OldEnd, pair, targetOf } from './link-world.ts'
import { crypto, seedOf, startMs } from './support.ts'

const ways: readonly LinkWay[] = ['link', 'code']
const decoded = (frame: Uint8Array): LinkFrame => {
  const result = linkFrame.decode(frame)
  if (!result.ok) throw new Error(result.reason)
  return result.value
}
/** Whether every secret of a state that was left is overwritten. */
const secretsOf = (value: unknown): readonly Secret[] => {
  if (value instanceof Secret) return [value]
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return []
  return Object.values(value).flatMap(secretsOf)
}

for (const way of ways)
  describe(`linking by ${way}`, () => {
    it('makes the new device one of the account, with everything it needs', () => {
      const home = new Home('ada')
      const channel = pair(way).meet()
      const { offer, approval } = channel
      expect(emojiAt(offer)).to.equal(emojiAt(approval)).and.to.have.length.above(5)
      expect(offer.event('compare')?.emoji).to.have.length(6)
      expect(approval.event('compare')?.deviceName).to.equal("ada's phone")
      expect(offer.event('account'), 'before the old person confirmed').to.equal(undefined)

      const introductions = [seedOf('brian'), entropyOf('clara', 5_000)]
      channel.finish(home, introductions)
      expect(offer.state.stage.at).to.equal('finished')
      expect(approval.state.stage.at).to.equal('finished')
      const delivery = offer.event('delivered')!.delivery
      expect(toHex(delivery.account.id)).to.equal(toHex(home.scene.account.id))
      expect(delivery.accountName).to.equal('Ada')
      expect(delivery.introductions.map(toHex)).to.deep.equal(introductions.map(toHex))
      expect(toHex(delivery.discoverySeed.expose())).to.equal(toHex(home.discoverySeed))
      expect(toHex(delivery.bundle)).to.equal(toHex(home.bundle))
      expect(logOps(delivery.log).map(toHex)).to.deep.equal(logOps(home.log).map(toHex))
      const active = resolveLog(home.log).active.get(toHex(delivery.certificate.device))
      expect(toHex(active!.transportKey)).to.equal(toHex(offer.own.transportKey))
      expect(toHex(approval.event('finished')!.bundle)).to.equal(toHex(seedOf('bundle')))
    })

    it('goes the same way when the new device confirms first', () => {
      const home = new Home('ada')
      const channel = pair(way).meet()
      channel.carry(channel.offer.confirms(), 'new')
      expect(channel.approval.event('certified')).to.equal(undefined)
      channel.finish(home)
      expect(channel.offer.state.stage.at).to.equal('finished')
    })

    it('adds nobody before both persons have confirmed', () => {
      const home = new Home('ada')
      const old = pair(way).meet()
      old.carry(old.approval.confirms(home), 'old')
      expect(old.approval.event('certified')).to.equal(undefined)
      expect(old.offer.event('account')?.name).to.equal('Ada')
      const fresh = pair(way).meet()
      fresh.carry(fresh.offer.confirms(), 'new')
      expect(fresh.approval.event('certified')).to.equal(undefined)
      expect(fresh.carried.map(({ frame }) => decoded(frame).kind)).to.not.include('sealed')
    })

    it('pages a long log and many introductions', () => {
      const home = new Home('ada', 300)
      const introductions = Array.from({ length: 70 }, (_, i) => entropyOf(`friend ${i}`, 3_000))
      const largest = entropyOf('largest', linkPageBytes)
      const channel = pair(way)
        .meet()
        .finish(home, [...introductions, largest])
      const delivery = channel.offer.event('delivered')!.delivery
      expect(delivery.introductions).to.have.length(71)
      expect(delivery.log.entries).to.have.length(302)
      for (const { frame } of channel.carried) expect(frame.length).to.be.at.most(limits.frameBytes)
    })

    it('wipes every secret of every state it leaves, and keeps the caller’s', () => {
      const home = new Home('ada')
      const offer = new NewEnd('ada', way)
      const approval = new OldEnd('ada', targetOf(offer.text, offer.contact))
      const seen = new Set<Secret>()
      const watch = (): void => {
        for (const secret of [...secretsOf(offer.state.stage), ...secretsOf(approval.state.stage)])
          seen.add(secret)
      }
      watch()
      const channel = new Channel(offer, approval, (frame) => {
        watch()
        return [frame]
      })
      channel.meet()
      watch()
      channel.finish(home)
      expect(seen.size).to.be.greaterThan(10)
      for (const secret of seen) expect(secret.wiped).to.equal(true)
      for (const secret of secretsOf(offer.own)) expect(secret.wiped).to.equal(false)
      const { discoverySeed } = offer.event('delivered')!.delivery
      expect(discoverySeed.wiped).to.equal(false)
    })

    it('never seals or sends a private key, and never seals twice under one key and nonce', () => {
      const plain: string[] = []
      const recorder = recordingProvider(crypto)
      const provider: CryptoProvider = {
        ...recorder.crypto,
        seal: (key, nonce, plaintext, associated) => {
          plain.push(toHex(plaintext))
          return recorder.crypto.seal(key, nonce, plaintext, associated)
        },
      }
      const offer = new NewEnd('ada', way, provider)
      const approval = new OldEnd('ada', targetOf(offer.text, offer.contact), provider)
      const { stage } = offer.state
      if (stage.at !== 'waiting') throw new Error(stage.at)
      const { nonce, ...never } = stage.secrets
      const fixed = secretsOf(never).map((secret) => toHex(secret.expose()))
      const revealed = toHex(nonce.expose())
      const channel = new Channel(offer, approval).meet().finish(new Home('ada'))
      expect(channel.offer.state.stage.at).to.equal('finished')
      const said = [...plain, ...channel.carried.map(({ frame }) => toHex(frame))].join('/')
      for (const label of ['identity', 'agreement', 'transport'])
        expect(said).to.not.include(toHex(seedOf(`ada ${label}`)))
      expect(fixed).to.have.length(4)
      for (const secret of fixed) expect(said).to.not.include(secret)
      expect(said, 'what is meant to be sent is found').to.include(toHex(offer.own.keys.identity.publicKey))
      expect(said).to.include(revealed)
      expect(recorder.sealed()).to.be.greaterThan(6)
      expect(recorder.reused()).to.equal(0)
    })

    it('expires after five minutes, at either end, to the millisecond', () => {
      const late = pair(way)
      const [first] = late.approval.first
      const onTime = pair(way).offer.receives(first!, limits.linkMs - 1)
      expect(decoded(onTime[0]!).kind).to.be.oneOf(['key', 'opening'])
      const answer = late.offer.receives(first!, limits.linkMs)
      expect(decoded(answer[0]!).kind).to.equal('refused')
      expect(late.offer.event('ended')?.reason).to.equal('expired')
      expect(late.offer.text).to.equal('')
      late.carry(answer, 'new')
      expect(late.approval.event('ended')).to.deep.equal({ kind: 'ended', reason: 'expired', by: 'peer' })

      const slow = pair(way)
      const [key] = slow.offer.receives(slow.approval.first[0]!)
      slow.approval.receives(key!, limits.linkMs)
      expect(slow.approval.event('ended')?.reason).to.equal('expired')
    })

    it('gives persons five minutes from the pictures on, and no more', () => {
      for (const tooLate of [false, true]) {
        const { offer, approval } = pair(way).meet()
        const nowMs = limits.linkMs - (tooLate ? 0 : 1)
        offer.confirms(nowMs)
        approval.confirms(new Home('ada'), nowMs)
        expect(offer.event('ended')?.reason).to.equal(tooLate ? 'expired' : undefined)
        expect(approval.event('ended')?.reason).to.equal(tooLate ? 'expired' : undefined)
      }
    })

    it('serves once: whoever comes later is told that it is used', () => {
      const offer = new NewEnd('ada', way)
      const target = targetOf(offer.text, offer.contact)
      new Channel(offer, new OldEnd('ada', target)).meet().finish(new Home('ada'))
      const second = new Channel(offer, new OldEnd('eve', target)).meet()
      expect(second.approval.event('ended')).to.deep.equal({ kind: 'ended', reason: 'used', by: 'peer' })
      expect(offer.event('compare')).to.not.equal(undefined)
      expect(offer.events.filter(({ kind }) => kind === 'compare')).to.have.length(1)
    })

    it('is used up by the proof, whatever comes of it', () => {
      const offer = new NewEnd('ada', way)
      const target = targetOf(offer.text, offer.contact)
      new Channel(offer, new OldEnd('ada', target)).meet()
      offer.ends('closed')
      expect(offer.event('ended')?.reason).to.equal('closed')
      const second = new Channel(offer, new OldEnd('ada', target)).meet()
      expect(second.approval.event('ended')?.reason).to.equal('used')
    })

    it('ends when a person says no, at either end', () => {
      const one = pair(way).meet()
      one.carry(one.offer.ends('cancelled'), 'new')
      expect(one.approval.event('ended')).to.deep.equal({ kind: 'ended', reason: 'cancelled', by: 'peer' })
      const other = pair(way).meet()
      other.carry(other.approval.ends('cancelled'), 'old')
      expect(other.offer.event('ended')).to.deep.equal({ kind: 'ended', reason: 'cancelled', by: 'peer' })
    })

    it('is finished for the new device once it has everything, though the channel closes', () => {
      const { offer, approval } = pair(way).meet()
      const home = new Home('ada')
      const open = new Channel(offer, approval)
      open.carry(approval.confirms(home), 'old')
      open.carry(offer.confirms(), 'new')
      open.carry(approval.delivers(home), 'old')
      expect(offer.state.stage.at).to.equal('delivered')
      offer.ends('closed')
      expect(offer.state.stage.at).to.equal('finished')
      expect(offer.completes(seedOf('bundle'))).to.deep.equal([])

      const unacknowledged = pair(way, 'ada', (frame) => (isLate() ? [] : [frame]))
      const isLate = (): boolean => unacknowledged.approval.state.stage.at === 'finished'
      unacknowledged.meet().finish(new Home('ada'))
      expect(unacknowledged.offer.state.stage.at).to.equal('joined')
      unacknowledged.offer.ends('closed')
      expect(unacknowledged.offer.event('finished')).to.not.equal(undefined)
    })

    it('refuses a delivery whose log does not hold the new device', () => {
      const home = new Home('ada')
      const channel = pair(way).meet()
      channel.carry(channel.approval.confirms(home), 'old')
      channel.carry(channel.offer.confirms(), 'new')
      const certified = channel.approval.state.stage
      if (certified.at !== 'certified') throw new Error(certified.at)
      const page = sealLinkMessage(crypto, certified.channel, {
        kind: 'page',
        ops: logOps(home.log),
        introductions: [],
      })
      const last = sealLinkMessage(crypto, page.channel, {
        kind: 'last',
        discoverySeed: seedOf('discovery'),
        bundle: seedOf('bundle'),
      })
      for (const { sealed } of [page, last])
        channel.offer.receives(linkFrame.encode({ kind: 'sealed', sealed }))
      expect(channel.offer.event('ended')).to.deep.equal({ kind: 'ended', reason: 'not-added', by: 'us' })
      expect(channel.offer.event('delivered')).to.equal(undefined)
    })

    it('refuses a certificate of another account, key, time or owner', () => {
      const other = new Home('brian').scene.account.id
      const terms = {
        transportKey: newDevice('ada').transportKey,
        ...{ suite: 1, minSuite: 1, notBeforeMs: startMs + 1, notAfterMs: startMs + 1_000 },
      }
      const { keys } = newDevice('ada')
      const cases = {
        account: (): Uint8Array => issueCertificate(crypto, other, keys, terms).bytes,
        transport: (): Uint8Array =>
          issueCertificate(crypto, home.scene.account.id, keys, {
            ...terms,
            transportKey: newDevice('eve').transportKey,
          }).bytes,
        time: (): Uint8Array =>
          issueCertificate(crypto, home.scene.account.id, keys, { ...terms, notBeforeMs: startMs }).bytes,
        suite: (): Uint8Array =>
          issueCertificate(crypto, home.scene.account.id, keys, { ...terms, suite: 2, minSuite: 2 }).bytes,
        proof: (): Uint8Array =>
          issueCertificate(crypto, home.scene.account.id, keys, terms).bytes.map((byte, i, all) =>
            i === all.length - 1 ? byte ^ 1 : byte,
          ),
      }
      const home = new Home('ada')
      const verdict = (bytes: Uint8Array): string | undefined => {
        expect(bytes.length).to.be.at.most(certificateBytes)
        const { offer, approval } = pair(way).meet()
        approval.confirms(home)
        const { stage } = offer.state
        if (stage.at !== 'compared') throw new Error(stage.at)
        const { sealed } = sealLinkMessage(crypto, stage.channel, { kind: 'certificate', certificate: bytes })
        approval.receives(linkFrame.encode({ kind: 'sealed', sealed }))
        return approval.event('ended')?.reason
      }
      expect(verdict(issueCertificate(crypto, home.scene.account.id, keys, terms).bytes)).to.equal(undefined)
      for (const [name, make] of Object.entries(cases))
        expect(verdict(make()), name).to.equal('bad-certificate')
    })

    it('throws for calls that have no place, and changes nothing', () => {
      const { offer, approval } = pair(way)
      const home = new Home('ada')
      expect(() => offer.confirms()).to.throw(UsageError, 'has no place')
      expect(() => offer.completes(seedOf('bundle'))).to.throw(UsageError)
      expect(() => approval.confirms(home)).to.throw(UsageError)
      expect(() => beginOffer(crypto, offer.own, way, new Uint8Array(7), 0)).to.throw(UsageError)
      const channel = pair(way).meet()
      channel.carry(channel.approval.confirms(home), 'old')
      channel.carry(channel.offer.confirms(), 'new')
      const tooLong = [entropyOf('long', linkPageBytes + 1)]
      expect(() => channel.approval.delivers(home, tooLong)).to.throw(UsageError)
    })
  })

describe('linking: attempts', () => {
  const wrong = (text: string): string => text.slice(0, -1) + (text.endsWith('7') ? '8' : '7')

  it('a wrong code costs an attempt, the right one then still works', () => {
    const offer = new NewEnd('ada', 'code')
    for (const left of [2, 1]) {
      const target = targetOf(wrong(offer.text), offer.contact)
      const { approval } = new Channel(offer, new OldEnd(`guess ${left}`, target)).meet()
      expect(approval.event('ended')).to.deep.equal({ kind: 'ended', reason: 'wrong-secret', by: 'peer' })
      expect(offer.event('failed')).to.deep.equal({ kind: 'failed', reason: 'wrong-secret', by: 'us', left })
    }
    const target = targetOf(offer.text.toLowerCase().replace('-', ' '), offer.contact)
    new Channel(offer, new OldEnd('ada', target)).meet().finish(new Home('ada'))
    expect(offer.state.stage.at).to.equal('finished')
  })

  it('the third wrong attempt burns the code, for the right one too', () => {
    const offer = new NewEnd('ada', 'code')
    const right = targetOf(offer.text, offer.contact)
    const guess = targetOf(wrong(offer.text), offer.contact)
    for (let i = 0; i < 3; i++) new Channel(offer, new OldEnd(`guess ${i}`, guess)).meet()
    expect(offer.event('ended')).to.deep.equal({ kind: 'ended', reason: 'burned', by: 'us' })
    expect(offer.text).to.equal('')
    const { approval } = new Channel(offer, new OldEnd('ada', right)).meet()
    expect(approval.event('ended')).to.deep.equal({ kind: 'ended', reason: 'burned', by: 'peer' })
  })

  it('an exchange counts when it is answered, not when it fails', () => {
    const offer = new NewEnd('ada', 'code')
    for (let i = 0; i < 3; i++) {
      const old = new OldEnd(`silent ${i}`, targetOf('000-00000', offer.contact))
      expect(decoded(offer.receives(old.first[0]!)[0]!).kind).to.equal('opening')
      offer.ends('closed')
    }
    expect(offer.event('ended')?.reason).to.equal('burned')
  })

  it('frames that begin nothing cost no attempt', () => {
    const offer = new NewEnd('ada', 'code')
    for (let i = 0; i < 5; i++) {
      offer.receives(Uint8Array.of(1, 2, 3))
      offer.receives(linkFrame.encode({ kind: 'ask' }))
      offer.receives(encodeLinkRefusal('busy'))
    }
    expect(offer.state.attemptsLeft).to.equal(limits.linkCodeAttempts)
    new Channel(offer, new OldEnd('ada', targetOf(offer.text, offer.contact))).meet()
    expect(emojiAt(offer)).to.not.equal('')
  })

  it('a link takes 32 exchanges', () => {
    const offer = new NewEnd('ada', 'link')
    for (let i = 0; i < limits.linkAttempts; i++) {
      expect(offer.state.stage.at).to.equal('waiting')
      offer.receives(linkFrame.encode({ kind: 'ask' }))
      offer.ends('closed')
    }
    expect(offer.event('ended')?.reason).to.equal('burned')
  })

  it('every exchange has a share of its own', () => {
    const offer = new NewEnd('ada', 'code')
    const shares = [0, 1, 2].map(() => {
      const old = new OldEnd('same', targetOf('000-00000', offer.contact))
      const opening = decoded(offer.receives(old.first[0]!)[0]!)
      offer.ends('closed')
      return opening.kind === 'opening' ? toHex(opening.share) : ''
    })
    expect(new Set(shares).size).to.equal(3)
  })

  it('a link with another secret is refused, and told so', () => {
    const offer = new NewEnd('ada', 'link')
    const target = targetOf(offer.text, offer.contact)
    if (target.way !== 'link') throw new Error('no link')
    const link = { ...target.link, secret: new Secret(seedOf('guess').slice(0, 16)) }
    const { approval } = new Channel(offer, new OldEnd('eve', { way: 'link', link })).meet()
    expect(approval.event('ended')?.reason).to.equal('wrong-secret')
    expect(emojiAt(offer)).to.equal('')
  })
})
