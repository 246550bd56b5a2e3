/** libolm (Olm, no post-quantum part, headers in clear) behind the interface of `session-peer.ts`; pickled after every message. */
import Olm from '@matrix-org/olm'

const pickleKey = 'benchmark'
const rawBytes = (base64) => Math.floor((base64.length * 3) / 4)

export const name = 'libolm 3.2.15'

export async function prepare(text) {
  // Olm assigns this without declaring it, which a module may not.
  globalThis.OLM_OPTIONS = undefined
  await Olm.init(globalThis.document === undefined ? {} : { locateFile: () => '/olm.wasm' })
  const plain = new TextDecoder().decode(text)
  const responder = new Olm.Account()
  responder.create()
  const identity = JSON.parse(responder.identity_keys()).curve25519
  const initiator = new Olm.Account()
  initiator.create()

  const establish = (freshKey) => {
    const a = new Olm.Session()
    a.create_outbound(initiator, identity, freshKey)
    const first = a.encrypt(plain)
    a.pickle(pickleKey)
    const b = new Olm.Session()
    b.create_inbound(responder, first.body)
    b.decrypt(first.type, first.body)
    const reply = b.encrypt(plain)
    b.pickle(pickleKey)
    a.decrypt(reply.type, reply.body)
    a.pickle(pickleKey)
    return { a, b, firstBytes: rawBytes(first.body) }
  }

  responder.generate_fallback_key()
  const key = Object.values(JSON.parse(responder.fallback_key()).curve25519)[0]

  const pair = () => {
    const { a, b } = establish(key)
    const pass = (from, to) => {
      const message = from.encrypt(plain)
      from.pickle(pickleKey)
      to.decrypt(message.type, message.body)
      to.pickle(pickleKey)
      return rawBytes(message.body)
    }
    return { forth: () => pass(a, b), back: () => pass(b, a) }
  }
  return {
    establish: () => {
      const { a, b, firstBytes } = establish(key)
      a.free()
      b.free()
      return firstBytes
    },
    pair,
  }
}
