/** Group messages, live and catching up. */
import { createNodeProvider } from '../../../packages/core/bindings/crypto-node/index.ts'
import type { CryptoProvider } from '../../../packages/core/src/crypto/index.ts'
import { loadGroupPeer, type GroupPeer } from '../group-peer.ts'
import { sottoGroup } from '../own-group.ts'
import type { Contender, MakeRows } from '../row.ts'

const text = new Uint8Array(100).fill(0x61)
const waiting = 1_000

const live = (peer: GroupPeer): Contender => ({
  name: peer.name,
  batch: 50,
  prepare: async () => {
    const { send } = await peer.pair(text)
    return async (times) => {
      for (let i = 0; i < times; i++) {
        const sent = send()
        if (sent instanceof Promise) await sent
      }
    }
  },
})

const catchUp = (peer: GroupPeer): Contender => ({
  name: peer.name,
  batch: waiting,
  prepare: async () => {
    const read = await peer.backlog(text, waiting)
    return async (times) => {
      for (let i = 0; i < times; i += waiting) await read()
    }
  },
})

/** What of the first row is Ed25519: one signature and its verification. */
function signatureAlone(crypto: CryptoProvider): Contender {
  const own = crypto.signKeyPair(new Uint8Array(32).fill(5))
  return {
    name: 'sign and verify',
    batch: 50,
    prepare: () => (times) => {
      for (let i = 0; i < times; i++)
        if (!crypto.verify(own.publicKey, text, crypto.sign(own, text))) throw new Error('not verified')
    },
  }
}

export const rows: MakeRows = async () => {
  const [crypto, plain] = [await createNodeProvider(), await createNodeProvider({ addon: false })]
  const own = sottoGroup(crypto)
  const others = await Promise.all(
    ['libsignal-group.mjs', 'olm-group.mjs', 'vodozemac-group.mjs'].map(loadGroupPeer),
  )
  const peers = [own, ...others]
  const targets = (factor: number) => Object.fromEntries(others.map(({ name }) => [name, factor]))
  const bare = { ...sottoGroup(plain), name: 'Sotto without the add-on' }
  const sizes = () =>
    Promise.all(peers.map(async (peer) => ({ name: peer.name, bytes: await (await peer.pair(text)).send() })))
  return [
    {
      kind: 'time',
      title:
        'group, live: a message of 100 B signed, sealed, opened once and verified, state serialised at both ends',
      contenders: [
        ...[...peers, bare].map(live),
        { ...signatureAlone(crypto), name: 'of ours: sign and verify' },
        { ...signatureAlone(plain), name: 'the same without the add-on' },
      ],
      targets: targets(2),
    },
    { kind: 'bytes', title: 'group, live: bytes of a message of 100 B', sizes },
    {
      kind: 'time',
      title: `group, catching up: one of ${String(waiting)} waiting messages of one sender`,
      contenders: [...peers, bare].map(catchUp),
      targets: targets(8),
    },
  ]
}
