/** vodozemac's Megolm behind the interface of `group-peer.ts`; each message is signed by its session, both ends pickled after it. */
import { readFileSync } from 'node:fs'
import initialise, { GroupSession, InboundGroupSession } from 'vodozemac-wasm-bindings'

const pickleKey = new Uint8Array(32).fill(7)
const wasm = new URL('vodozemac_bg.wasm', import.meta.resolve('vodozemac-wasm-bindings'))

export const name = 'vodozemac 0.8.1 (Megolm)'

/** The bindings' start wants a page; it does nothing with it. */
async function asInAPage(start) {
  const page = { window: globalThis, document: { body: { appendChild: (element) => element }, createElement: () => ({}) }, Window: { [Symbol.hasInstance]: () => true } }
  Object.assign(globalThis, page)
  await start()
  for (const key of Object.keys(page)) delete globalThis[key]
}

async function start() {
  await asInAPage(() => initialise({ module_or_path: readFileSync(wasm) }))
  const from = new GroupSession()
  return { from, to: new InboundGroupSession(from.session_key) }
}

function read(session, message) {
  session.decrypt(message).free()
}

export async function pair(text) {
  const { from, to } = await start()
  return {
    send: () => {
      const message = from.encrypt(text)
      from.pickle(pickleKey)
      read(to, message)
      to.pickle(pickleKey)
      return Math.floor((message.length * 3) / 4)
    },
  }
}

export async function backlog(text, count) {
  const { from, to } = await start()
  const waiting = Array.from({ length: count }, () => from.encrypt(text))
  const before = to.pickle(pickleKey)
  return () => {
    const fresh = InboundGroupSession.from_pickle(before, pickleKey)
    for (const message of waiting) read(fresh, message)
    fresh.pickle(pickleKey)
    fresh.free()
  }
}
