/** Sessions between two devices: set-up, ping-pong, one way, bytes; with whatever library. */
import type { Contender, Row, SizeRow } from './row.ts'
import type { SessionPair, SessionPeer } from './session-peer.ts'

const text = new Uint8Array(100).fill(0x61)

type Step = (pair: SessionPair) => number | Promise<number>
const oneWay: Step = (pair) => pair.forth()
const pingPong: Step = async (pair) => {
  await pair.forth()
  return pair.back()
}

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
  all.map((peer): Contender => {
    const prepare = async () => {
      const step = await make(peer)
      return (times: number) => repeat(times, step)
    }
    return { name: peer.name, batch, prepare }
  })

const stepper = (step: 'forth' | 'both') => async (peer: SessionPeer) => {
  const { forth, back } = await (await peer.prepare(text)).pair()
  if (step === 'forth') return forth
  return () => {
    const first = forth()
    return first instanceof Promise ? first.then(back) : back()
  }
}

/** Mean bytes of a message beyond its plaintext, over 2,000 messages. */
function overhead(all: readonly SessionPeer[], title: string, step: Step, target: number): SizeRow {
  const sizes = () =>
    Promise.all(
      all.map(async (peer) => {
        const pair = await (await peer.prepare(text)).pair()
        let sum = 0
        for (let i = 0; i < 2_000; i++) sum += await step(pair)
        return { name: peer.name, bytes: sum / 2_000 - text.length }
      }),
    )
  return { kind: 'bytes', title, sizes, target }
}

/** Least speed over a contender, by its name; none for what is not in it. */
export interface SessionTargets {
  readonly establish: Readonly<Record<string, number>>
  readonly pingPong: Readonly<Record<string, number>>
  readonly oneWay: Readonly<Record<string, number>>
}

/** The rows; `all[0]` is ours, and `more` are ways of ours that only the messages are measured for. */
export function sessionRows(
  all: readonly SessionPeer[],
  more: readonly SessionPeer[],
  targets: SessionTargets,
): readonly Row[] {
  const first = () =>
    Promise.all(
      all.map(async (peer) => ({
        name: peer.name,
        bytes: (await (await peer.prepare(text)).establish()) - text.length,
      })),
    )
  const state = 'state serialised at both ends unless said'
  return [
    {
      kind: 'time',
      title: 'session set-up: both ends, first message, reply',
      contenders: timed(all, async (peer) => (await peer.prepare(text)).establish, 10),
      targets: targets.establish,
    },
    {
      kind: 'time',
      title: `ping-pong: two messages of 100 B, a DH step each, ${state}`,
      contenders: timed([...all, ...more], stepper('both'), 50),
      targets: targets.pingPong,
    },
    {
      kind: 'time',
      title: `one way: a message of 100 B sealed and opened, ${state}`,
      contenders: timed([...all, ...more], stepper('forth'), 200),
      targets: targets.oneWay,
    },
    { kind: 'bytes', title: 'first message: bytes beyond its plaintext', sizes: first },
    overhead(all, 'ping-pong: mean bytes beyond the plaintext, before padding', pingPong, 120),
    overhead(all, 'one way: mean bytes beyond the plaintext, before padding', oneWay, 120),
  ]
}
