/** Group messages: live, catching up, and a device that leaves. */
import { createNodeProvider } from '../../../packages/core/bindings/crypto-node/index.ts'
import type { CryptoProvider } from '../../../packages/core/src/crypto/index.ts'
import { loadGroupPeer, type GroupPeer } from '../group-peer.ts'
import { removal, sottoGroup } from '../own-group.ts'
import type { Contender, MakeRows } from '../row.ts'

const text = new Uint8Array(100).fill(0x61)
const waiting = 1_000

async function live(peer: GroupPeer): Promise<Contender> {
  const { send } = await peer.pair(text)
  return {
    name: peer.name,
    batch: 50,
    run: async (times) => {
      for (let i = 0; i < times; i++) {
        const sent = send()
        if (sent instanceof Promise) await sent
      }
    },
  }
}

async function catchUp(peer: GroupPeer): Promise<Contender> {
  const read = await peer.backlog(text, waiting)
  return {
    name: peer.name,
    batch: waiting,
    run: async (times) => {
      for (let i = 0; i < times; i += waiting) await read()
    },
  }
}

/** What of the first row is Ed25519: one signature and its verification. */
function signatureAlone(crypto: CryptoProvider): Contender {
  const own = crypto.signKeyPair(new Uint8Array(32).fill(5))
  return {
    name: 'of ours: sign and verify',
    batch: 50,
    run: (times) => {
      for (let i = 0; i < times; i++)
        if (!crypto.verify(own.publicKey, text, crypto.sign(own, text))) throw new Error('not verified')
    },
  }
}

export const rows: MakeRows = async () => {
  const crypto = await createNodeProvider()
  const peers = [
    sottoGroup(crypto),
    await loadGroupPeer('libsignal-group.mjs'),
    await loadGroupPeer('olm-group.mjs'),
  ]
  const [, libsignal, olm] = peers.map((peer) => peer.name)
  if (libsignal === undefined || olm === undefined) throw new Error('a peer is missing')
  const sizes = await Promise.all(
    peers.map(async (peer) => ({ name: peer.name, bytes: await (await peer.pair(text)).send() })),
  )
  const counts = [127, 7, 2]
  const removals = counts.map((n) => ({ n, ...removal(crypto, n) }))
  return [
    {
      kind: 'time',
      title:
        'group, live: a message of 100 B signed, sealed, opened once and verified, state serialised at both ends',
      contenders: [...(await Promise.all(peers.map(live))), signatureAlone(crypto)],
      targets: { [libsignal]: 2, [olm]: 2 },
    },
    { kind: 'bytes', title: 'group, live: bytes of a message of 100 B', sizes },
    {
      kind: 'time',
      title: `group, catching up: one of ${String(waiting)} waiting messages of one sender`,
      contenders: await Promise.all(peers.map(catchUp)),
      targets: { [olm]: 8 },
    },
    {
      kind: 'time',
      title: 'a new epoch, at its author: record, keys, a sealed seed for each other device, rows',
      contenders: removals.map(({ n, commit }) => ({
        name: `${String(n)} devices`,
        run: (times) => {
          for (let i = 0; i < times; i++) commit()
        },
      })),
    },
    {
      kind: 'time',
      title: 'a new epoch, at a recipient: record judged, keys, rows (the session not counted)',
      contenders: removals.map(({ n, join }) => ({
        name: `${String(n)} devices`,
        batch: 5,
        run: (times) => {
          for (let i = 0; i < times; i++) join()
        },
      })),
    },
    {
      kind: 'bytes',
      title: 'a new epoch: bytes that leave its author, record and padded seeds together',
      sizes: removals.map(({ n, commit }) => ({ name: `${String(n)} devices`, bytes: commit() })),
    },
  ]
}
