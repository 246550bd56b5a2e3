/** libolm's Megolm behind the interface of `group-peer.ts`; each message is signed by its session, both ends pickled after it. */
import Olm from '@matrix-org/olm'

const pickleKey = 'benchmark'

export const name = 'libolm 3.2.15 (Megolm)'

async function start() {
  await Olm.init()
  const from = new Olm.OutboundGroupSession()
  from.create()
  const to = new Olm.InboundGroupSession()
  to.create(from.session_key())
  return { from, to }
}

export async function pair(text) {
  const { from, to } = await start()
  const plain = new TextDecoder().decode(text)
  return {
    send: () => {
      const message = from.encrypt(plain)
      from.pickle(pickleKey)
      to.decrypt(message)
      to.pickle(pickleKey)
      return Math.floor((message.length * 3) / 4)
    },
  }
}

export async function backlog(text, count) {
  const { from, to } = await start()
  const plain = new TextDecoder().decode(text)
  const waiting = Array.from({ length: count }, () => from.encrypt(plain))
  const before = to.pickle(pickleKey)
  return () => {
    const fresh = new Olm.InboundGroupSession()
    fresh.unpickle(pickleKey, before)
    for (const message of waiting) fresh.decrypt(message)
    fresh.pickle(pickleKey)
    fresh.free()
  }
}
