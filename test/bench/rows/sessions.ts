/** Sessions in Node, over the provider of a desktop. */
import { createNodeProvider } from '../../../packages/core/bindings/crypto-node/index.ts'
import { sottoSessions } from '../own-session.ts'
import type { MakeRows } from '../row.ts'
import { loadPeer } from '../session-peer.ts'
import { sessionRows } from '../session-rows.ts'

export const rows: MakeRows = async () => {
  const crypto = await createNodeProvider()
  const [signal, olm] = [await loadPeer('libsignal.mjs'), await loadPeer('olm.mjs')]
  return sessionRows(
    [sottoSessions(crypto), signal, olm],
    [
      sottoSessions(crypto, 'Sotto, not serialised', 'live'),
      sottoSessions(crypto, 'Sotto, serialised and loaded', 'loaded'),
    ],
    {
      establish: { [signal.name]: 1.9 },
      pingPong: { [signal.name]: 2 },
      oneWay: { [signal.name]: 3, [olm.name]: 2 },
    },
  )
}
