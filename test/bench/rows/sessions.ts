/** Sessions between two devices: set-up, ping-pong, one way, bytes. */
import { createNodeProvider } from '../../../packages/core/bindings/crypto-node/index.ts'
import { sottoSessions } from '../own-session.ts'
import type { Contender, MakeRows, SizeRow } from '../row.ts'
import { loadPeer, type SessionPair, type SessionPeer } from '../session-peer.ts'

const text = new Uint8Array(100).fill(0x61)

type Step = (pair: SessionPair) => number | Promise<number>
const oneWay: Step = (pair) => pair.forth()
const pingPong: Step = async (pair) => {
  await pair.forth()
  return pair.back()
}

const peers = async (): Promise<readonly SessionPeer[]> => [
  sottoSessions(await createNodeProvider()),
  await loadPeer('libsignal.mjs'),
  await loadPeer('olm.mjs'),
]

/** A loop that awaits only what is a promise, so that synchronous libraries pay for no event loop. */
async function repeat(times: number, step: () => unknown): Promise<void> {
  for (let i = 0; i < times; i++) {
    const result = step()
    if (result instanceof Promise) await result
  }
}

const timed = (
  all: readonly SessionPeer[],
  make: (peer: SessionPeer) => Promise<() => unknown>,
  batch: number,
) =>
  Promise.all(
    all.map(async (peer): Promise<Contender> => {
      const step = await make(peer)
      return { name: peer.name, batch, run: (times) => repeat(times, step) }
    }),
  )

const stepper = (step: 'forth' | 'both') => async (peer: SessionPeer) => {
  const { forth, back } = await (await peer.prepare(text)).pair()
  if (step === 'forth') return forth
  return () => {
    const first = forth()
    return first instanceof Promise ? first.then(back) : back()
  }
}

/** Mean bytes of a message beyond its plaintext, over 2,000 messages. */
async function overhead(
  all: readonly SessionPeer[],
  title: string,
  step: Step,
  target: number,
): Promise<SizeRow> {
  const sizes = await Promise.all(
    all.map(async (peer) => {
      const pair = await (await peer.prepare(text)).pair()
      let sum = 0
      for (let i = 0; i < 2_000; i++) sum += await step(pair)
      return { name: peer.name, bytes: sum / 2_000 - text.length }
    }),
  )
  return { kind: 'bytes', title, sizes, target }
}

export const rows: MakeRows = async () => {
  const all = await peers()
  const [sotto, libsignal, olm] = all.map((peer) => peer.name)
  if (sotto === undefined || libsignal === undefined || olm === undefined)
    throw new Error('a peer is missing')
  const first = await Promise.all(
    all.map(async (peer) => ({
      name: peer.name,
      bytes: (await (await peer.prepare(text)).establish()) - text.length,
    })),
  )
  return [
    {
      kind: 'time',
      title: 'session set-up: both ends, first message, reply',
      contenders: await timed(all, async (peer) => (await peer.prepare(text)).establish, 10),
      targets: { [libsignal]: 1.9 },
    },
    {
      kind: 'time',
      title: 'ping-pong: two messages of 100 B, a DH step each, state serialised at both ends',
      contenders: await timed(all, stepper('both'), 50),
      targets: { [libsignal]: 2 },
    },
    {
      kind: 'time',
      title: 'one way: a message of 100 B sealed and opened, state serialised at both ends',
      contenders: await timed(all, stepper('forth'), 200),
      targets: { [libsignal]: 3, [olm]: 2 },
    },
    { kind: 'bytes', title: 'first message: bytes beyond its plaintext', sizes: first },
    await overhead(all, 'ping-pong: mean bytes beyond the plaintext, before padding', pingPong, 120),
    await overhead(all, 'one way: mean bytes beyond the plaintext, before padding', oneWay, 120),
  ]
}
