/** libsignal (PQXDH, Double Ratchet, SPQR) behind the interface of `session-peer.ts`; its stores hold serialised records. */
import * as signal from '@signalapp/libsignal-client'

class Sessions extends signal.SessionStore {
  #records = new Map()
  async saveSession(name, record) {
    this.#records.set(name.toString(), record.serialize())
  }
  async getSession(name) {
    const bytes = this.#records.get(name.toString())
    return bytes === undefined ? null : signal.SessionRecord.deserialize(bytes)
  }
  async getExistingSessions(names) {
    return Promise.all(names.map((name) => this.getSession(name)))
  }
}

class Identities extends signal.IdentityKeyStore {
  #own = signal.PrivateKey.generate()
  #known = new Map()
  async getIdentityKey() {
    return this.#own
  }
  async getLocalRegistrationId() {
    return 1
  }
  async saveIdentity(name, key) {
    this.#known.set(name.toString(), key)
    return signal.IdentityChange?.NewOrUnchanged ?? 0
  }
  async isTrustedIdentity() {
    return true
  }
  async getIdentity(name) {
    return this.#known.get(name.toString()) ?? null
  }
}

const keyed = (Base, save, get, extra = {}) => {
  class Store extends Base {}
  const records = new Map()
  Store.prototype[save] = async (id, record) => void records.set(id, record.serialize())
  Store.prototype[get] = async (id) => extra.read(records.get(id))
  Object.assign(Store.prototype, extra.methods)
  return new Store()
}

function makeDevice(name) {
  return {
    address: signal.ProtocolAddress.new(name, 1),
    sessions: new Sessions(),
    identities: new Identities(),
    prekeys: keyed(signal.PreKeyStore, 'savePreKey', 'getPreKey', {
      read: (bytes) => signal.PreKeyRecord.deserialize(bytes),
      methods: { removePreKey: async () => {} },
    }),
    signed: keyed(signal.SignedPreKeyStore, 'saveSignedPreKey', 'getSignedPreKey', {
      read: (bytes) => signal.SignedPreKeyRecord.deserialize(bytes),
    }),
    kyber: keyed(signal.KyberPreKeyStore, 'saveKyberPreKey', 'getKyberPreKey', {
      read: (bytes) => signal.KyberPreKeyRecord.deserialize(bytes),
      methods: { markKyberPreKeyUsed: async () => {} },
    }),
  }
}

async function publish(device) {
  const identity = await device.identities.getIdentityKey()
  const signed = signal.PrivateKey.generate()
  const kem = signal.KEMKeyPair.generate()
  const signedSignature = identity.sign(signed.getPublicKey().serialize())
  const kemSignature = identity.sign(kem.getPublicKey().serialize())
  await device.signed.saveSignedPreKey(
    1,
    signal.SignedPreKeyRecord.new(1, Date.now(), signed.getPublicKey(), signed, signedSignature),
  )
  await device.kyber.saveKyberPreKey(1, signal.KyberPreKeyRecord.new(1, Date.now(), kem, kemSignature))
  return signal.PreKeyBundle.new(
    1,
    1,
    null,
    null,
    1,
    signed.getPublicKey(),
    signedSignature,
    identity.getPublicKey(),
    1,
    kem.getPublicKey(),
    kemSignature,
  )
}

const seal = (from, to, text) =>
  signal.signalEncrypt(text, to.address, from.address, from.sessions, from.identities)

const open = (from, to, bytes) =>
  signal.signalDecrypt(
    signal.SignalMessage.deserialize(bytes),
    from.address,
    to.address,
    to.sessions,
    to.identities,
  )

const openFirst = (from, to, bytes) =>
  signal.signalDecryptPreKey(
    signal.PreKeySignalMessage.deserialize(bytes),
    from.address,
    to.address,
    to.sessions,
    to.identities,
    to.prekeys,
    to.signed,
    to.kyber,
  )

export const name = 'libsignal 0.103'

export async function prepare(text) {
  const responder = makeDevice('bob')
  const bundle = await publish(responder)

  const establish = async () => {
    const a = makeDevice('alice')
    const b = { ...responder, sessions: new Sessions() }
    await signal.processPreKeyBundle(bundle, b.address, a.address, a.sessions, a.identities)
    const first = (await seal(a, b, text)).serialize()
    await openFirst(a, b, first)
    await open(b, a, (await seal(b, a, text)).serialize())
    return { a, b, firstBytes: first.length }
  }

  const pair = async () => {
    const { a, b } = await establish()
    const pass = async (from, to) => {
      const bytes = (await seal(from, to, text)).serialize()
      await open(from, to, bytes)
      return bytes.length
    }
    return { forth: () => pass(a, b), back: () => pass(b, a) }
  }
  return { establish: async () => (await establish()).firstBytes, pair }
}
