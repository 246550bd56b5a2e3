import { expect } from 'chai'
import { Secret } from '../../../packages/core/src/crypto/index.ts'
import {
  bundlesConflict,
  bundleTag,
  createAccount,
  decodePrekeys,
  encodePrekeys,
  expirePrekeys,
  findPrekeys,
  issueCertificate,
  noPrekeys,
  prekeysDue,
  publishBundle,
  readBundle,
  readCertificate,
  readGenesis,
  recoveryKeys,
  rotatePrekeys,
  sameDevice,
  type Prekeys,
} from '../../../packages/core/src/identity/index.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { concat, toHex } from '../../../packages/core/src/wire/index.ts'
import { crypto, dayMs, makeAccount, makeDevice, seedOf, startMs, type TestDevice } from './support.ts'

const { account, recovery } = makeAccount('bundle')
const device = makeDevice(account, 'phone')

const seedsOf = (label: string) => ({
  dh: seedOf(`${label} dh`),
  kem: concat(seedOf(`${label} d`), seedOf(`${label} z`)),
})
const contact = { addresses: ['/ip4/192.0.2.1/tcp/4001'], relays: [], intro: null }
const rotated = (state: Prekeys, label: string, nowMs: number): Prekeys =>
  rotatePrekeys(crypto, state, seedsOf(label), nowMs).prekeys
const publish = (state: Prekeys, own: TestDevice = device) =>
  publishBundle(crypto, state, own.identity, own.certificate, contact)

/** Every single-byte change of a byte string. */
function* bent(input: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < input.length; at++) {
    const copy = Uint8Array.from(input)
    copy[at] = copy[at]! ^ 1
    yield copy
  }
}

describe('account', () => {
  it('is named by its genesis, every byte of it', () => {
    expect(readGenesis(crypto, account.bytes)?.id).to.deep.equal(account.id)
    for (const other of bent(account.bytes))
      expect(readGenesis(crypto, other)?.id).not.to.deep.equal(account.id)
  })

  it('wants 32 bytes for its nonce and its recovery key', () => {
    expect(() => createAccount(crypto, recovery.sign.publicKey, new Uint8Array(31)))
      .to.throw()
      .with.property('code', 'E_LENGTH')
    expect(() => recoveryKeys(crypto, new Secret(new Uint8Array(33))))
      .to.throw()
      .with.property('code', 'E_LENGTH')
  })

  it('derives three recovery keys that share nothing', () => {
    const all = [recovery.sign.secret, recovery.backupDh.secret, recovery.backupKem.secret].map((one) =>
      toHex(one.expose()).slice(0, 64),
    )
    expect(new Set(all).size).to.equal(3)
    expect(recoveryKeys(crypto, new Secret(seedOf('bundle recovery'))).sign.publicKey).to.deep.equal(
      recovery.sign.publicKey,
    )
  })
})

describe('device certificate', () => {
  it('is read back with its exact bytes and the id of account and both keys', () => {
    const read = readCertificate(crypto, device.certificate.bytes)
    expect(read).to.deep.include({
      account: account.id,
      device: device.device,
      bytes: device.certificate.bytes,
    })
    const other = makeDevice(makeAccount('other').account, 'phone')
    expect(sameDevice(other.certificate, device.certificate)).to.be.false
  })

  it('is refused with any byte changed, cut or added', () => {
    const { bytes } = device.certificate
    for (const other of bent(bytes)) expect(readCertificate(crypto, other)).to.be.undefined
    expect(readCertificate(crypto, bytes.subarray(0, -1))).to.be.undefined
    expect(readCertificate(crypto, concat(bytes, Uint8Array.of(0)))).to.be.undefined
  })

  it('lives for its limit and not a millisecond more; its suites are in order; one key has one job', () => {
    const { transportKey } = device.certificate
    const terms = {
      transportKey,
      suite: 1,
      minSuite: 1,
      notBeforeMs: startMs,
      notAfterMs: startMs + limits.certificateMs,
    }
    const issue = (change: object) => () =>
      issueCertificate(crypto, account.id, device, { ...terms, ...change })
    expect(issue({})).not.to.throw()
    for (const change of [
      { notAfterMs: terms.notAfterMs + 1 },
      { notAfterMs: startMs },
      { minSuite: 2 },
      { minSuite: 0 },
      { transportKey: device.identity.publicKey },
    ])
      expect(issue(change)).to.throw().with.property('code', 'E_CERTIFICATE_TERMS')
  })
})

describe('key bundle', () => {
  const { bundle } = publish(rotated(noPrekeys, 'one', startMs))

  it('is read back whole, and refused with any byte changed', () => {
    const read = readBundle(crypto, bundle.bytes, startMs, device.certificate)
    expect(read).to.deep.equal({ verdict: 'accepted', value: bundle })
    for (const other of bent(bundle.bytes.subarray(0, 600)))
      expect(readBundle(crypto, concat(other, bundle.bytes.subarray(600)), startMs).verdict).to.equal(
        'rejected',
      )
  })

  it('of another device is refused', () => {
    const laptop = makeDevice(account, 'laptop')
    expect(readBundle(crypto, bundle.bytes, startMs, laptop.certificate)).to.deep.equal({
      verdict: 'rejected',
      reason: 'wrong-device',
    })
  })

  it('is signed by the key of its certificate alone', () => {
    const laptop = makeDevice(account, 'laptop')
    const state = rotated(noPrekeys, 'one', startMs)
    expect(() => publishBundle(crypto, state, laptop.identity, device.certificate, contact))
      .to.throw()
      .with.property('code', 'E_WRONG_KEY')
  })

  it('conflicts with another of its number, and only with that', () => {
    const state = rotated(noPrekeys, 'one', startMs)
    const next = publish(publish(state).prekeys).bundle
    const twin = publish(rotated(noPrekeys, 'twin', startMs)).bundle
    expect([
      bundlesConflict(bundle, twin),
      bundlesConflict(bundle, next),
      bundlesConflict(bundle, bundle),
    ]).to.deep.equal([true, false, false])
  })
})

describe('prekeys', () => {
  it('are due at once, then every rotation interval', () => {
    const state = rotated(noPrekeys, 'one', startMs)
    const due = [noPrekeys, state, state].map((one, i) =>
      prekeysDue(one, startMs + limits.prekeyRotateMs - (i === 1 ? 1 : 0)),
    )
    expect(due).to.deep.equal([true, false, true])
  })

  it('are found by the tag of any bundle still kept, with the exact bytes', () => {
    const first = publish(rotated(noPrekeys, 'one', startMs))
    const second = publish(rotated(first.prekeys, 'two', startMs + dayMs))
    const found = findPrekeys(second.prekeys, bundleTag(first.bundle.hash))
    expect(found?.bundle.bytes).to.deep.equal(first.bundle.bytes)
    expect(found?.own.signed.publicKey).to.deep.equal(first.bundle.signedPrekey.publicKey)
    expect(findPrekeys(second.prekeys, new Uint8Array(8))).to.be.undefined
  })

  it('are given up for wiping past their keeping, the published ones excepted', () => {
    const first = publish(rotated(noPrekeys, 'one', startMs))
    const state = rotated(first.prekeys, 'two', startMs + dayMs)
    expect(expirePrekeys(state, startMs + limits.prekeyKeepMs).spent).to.have.length(0)
    const gone = expirePrekeys(state, startMs + limits.prekeyKeepMs + 1)
    expect(gone.spent.map((one) => one.expose().length)).to.deep.equal([32, 64])
    expect(gone.prekeys.generations.map((own) => own.id)).to.deep.equal([2])
    expect(gone.prekeys.bundles).to.have.length(0)
    expect(expirePrekeys(gone.prekeys, startMs + 400 * dayMs).prekeys.generations).to.have.length(1)
  })

  it('survive being stored', () => {
    const { prekeys } = publish(rotated(noPrekeys, 'one', startMs))
    const again = decodePrekeys(crypto, encodePrekeys(prekeys))!
    expect(encodePrekeys(again)).to.deep.equal(encodePrekeys(prekeys))
    expect(again.generations[0]?.kem.publicKey).to.deep.equal(prekeys.generations[0]?.kem.publicKey)
    expect(decodePrekeys(crypto, new Uint8Array(9))).to.be.undefined
  })

  it('keep no more bundles than their limit', () => {
    let state = rotated(noPrekeys, 'one', startMs)
    for (let i = 0; i <= limits.prekeyBundles; i++) state = publish(state).prekeys
    expect(state.bundles).to.have.length(limits.prekeyBundles)
  })

  it('need a generation to publish', () => {
    expect(() => publish(noPrekeys))
      .to.throw()
      .with.property('code', 'E_NO_PREKEYS')
  })
})
