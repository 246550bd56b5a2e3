/**
 * vodozemac (Olm, no post-quantum part, headers in clear) behind the interface of `session-peer.ts`; pickled after
 * every message. In a page alone: these bindings want a window.
 */
import initialise, { Account } from 'vodozemac-wasm-bindings'

const pickleKey = new Uint8Array(32).fill(7)
const rawBytes = (base64) => Math.floor((base64.length * 3) / 4)
const firstOf = (keys) => (keys instanceof Map ? [...keys.values()] : Object.values(keys))[0]

export const name = 'vodozemac 0.8.1'

export async function prepare(text) {
  await initialise({ module_or_path: '/vodozemac_bg.wasm' })
  const responder = new Account()
  const initiator = new Account()
  responder.generate_fallback_key()
  const [identity, key] = [responder.curve25519_key, firstOf(responder.fallback_key)]

  /** Seals and opens; gives the bytes on the wire. */
  const pass = (from, to) => {
    const message = from.encrypt(text)
    from.pickle(pickleKey)
    to.decrypt(message.message_type, message.ciphertext)
    to.pickle(pickleKey)
    const bytes = rawBytes(message.ciphertext)
    message.free()
    return bytes
  }

  const establish = () => {
    const a = initiator.create_outbound_session(identity, key)
    const first = a.encrypt(text)
    a.pickle(pickleKey)
    const created = responder.create_inbound_session(
      initiator.curve25519_key,
      first.message_type,
      first.ciphertext,
    )
    const b = created.session
    const firstBytes = rawBytes(first.ciphertext)
    first.free()
    pass(b, a)
    return { a, b, firstBytes }
  }

  return {
    establish: () => {
      const { a, b, firstBytes } = establish()
      a.free()
      b.free()
      return firstBytes
    },
    pair: () => {
      const { a, b } = establish()
      return { forth: () => pass(a, b), back: () => pass(b, a) }
    },
  }
}
