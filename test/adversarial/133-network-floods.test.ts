import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Stream } from '@libp2p/interface'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@libp2p/yamux'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { expect } from 'chai'
import { createLibp2p } from 'libp2p'
import { limits } from '@sotto/core'
import { startNode, type TestNode } from '../support/libp2p-world.ts'
import { codeOf, Heard, testProtocol } from '../support/network-compliance.ts'

describe('133 connection and stream floods', () => {
  let victim: TestNode
  let attacker: TestNode
  let heard: Heard
  let unhandled: unknown[] = []
  const note = (failure: unknown): void => void unhandled.push(failure)

  beforeEach(async () => {
    unhandled = []
    process.on('unhandledRejection', note)
    victim = await startNode({ protocols: [testProtocol], bounds: { frameMs: 60, channelsTotal: 20 } })
    attacker = await startNode()
    heard = new Heard(victim.network)
  })
  afterEach(async () => {
    await Promise.all([victim.network.stop(), attacker.network.stop()])
    process.off('unhandledRejection', note)
    expect(unhandled).to.deep.equal([])
  })

  /** A raw stream, without our framing. */
  async function rawStream(from: TestNode = attacker): Promise<Stream> {
    const address = victim.node.getMultiaddrs()[0]!
    from.gate.permit(address)
    const connection = await from.node.dial(address)
    return connection.newStream(testProtocol, { maxOutboundStreams: 1_000 })
  }

  /** The victim still serves an honest peer. */
  async function isAlive(): Promise<void> {
    const honest = await startNode()
    const { channel } = await honest.network.open(
      await victim.network.peerId(),
      await victim.network.addresses(),
      testProtocol,
    )
    await honest.network.write(channel, Uint8Array.of(42))
    await heard.next('frame', ({ frame }) => frame[0] === 42)
    await honest.network.stop()
  }

  it('133 a length of 2^53 closes the channel before any body', async () => {
    const stream = await rawStream()
    stream.send(Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10))
    expect((await heard.next('closed')).reason).to.equal('oversized')
    expect(heard.of('frame')).to.have.length(0)
    await isAlive()
  })

  it('133 a length one past the limit closes the channel, and frames before it count', async () => {
    const stream = await rawStream()
    const length = limits.streamFrameBytes + 1
    stream.send(Uint8Array.of(1, 7, (length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, length >> 14))
    expect((await heard.next('closed')).reason).to.equal('oversized')
    expect(heard.of('frame').map(({ frame }) => [...frame])).to.deep.equal([[7]])
  })

  it('133 an endless stream of endless lengths is cut off', async () => {
    const stream = await rawStream()
    stream.send(new Uint8Array(100_000).fill(0xff))
    expect((await heard.next('closed')).reason).to.equal('oversized')
    await isAlive()
  })

  it('133 a frame that dribbles is given up at the deadline, however steadily it dribbles', async () => {
    const stream = await rawStream()
    stream.send(Uint8Array.of(100))
    const dribble = setInterval(() => {
      if (stream.status === 'open') stream.send(Uint8Array.of(1))
    }, 10)
    const { reason } = await heard.next('closed')
    clearInterval(dribble)
    expect(reason).to.equal('slow')
    await isAlive()
  })

  it('133 a frame cut off by its sender is a reset, not a frame', async () => {
    const stream = await rawStream()
    stream.send(Uint8Array.of(100, 1, 2, 3))
    await stream.close()
    expect((await heard.next('closed')).reason).to.equal('reset')
    expect(heard.of('frame')).to.have.length(0)
  })

  it('133 an open channel on which nothing comes stays open', async () => {
    await rawStream()
    const { channel } = await heard.next('opened')
    await isAlive()
    expect(heard.of('closed').filter((closed) => closed.channel === channel)).to.deep.equal([])
  })

  it('133 channels over the cap of a peer and of all are refused, and the others live', async () => {
    const streams: Stream[] = []
    for (let at = 0; at < limits.channelsPerPeer + 5; at += 1) streams.push(await rawStream())
    await heard.next('opened', () => true, limits.channelsPerPeer)
    const second = await startNode()
    for (let at = 0; at < 10; at += 1) await rawStream(second).catch(() => undefined)
    await heard.next('opened', () => true, 20)
    expect(heard.of('opened')).to.have.length(20)
    streams[0]!.send(Uint8Array.of(1, 9))
    await heard.next('frame', ({ frame }) => frame[0] === 9)
    await second.network.stop()
  })

  it('133 a peer with another key than Ed25519 is not spoken to', async () => {
    for (const type of ['secp256k1', 'RSA'] as const) {
      const privateKey =
        type === 'RSA' ? await generateKeyPair('RSA', 2048) : await generateKeyPair('secp256k1')
      const stranger = await createLibp2p({
        privateKey,
        addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
        transports: [tcp()],
        connectionEncrypters: [noise()],
        streamMuxers: [yamux()],
      })
      const attempt = async (): Promise<unknown> => {
        const connection = await stranger.dial(multiaddr(victim.node.getMultiaddrs()[0]!.toString()))
        return connection.newStream(testProtocol)
      }
      expect(await codeOf(attempt())).to.not.equal('resolved')
      const addresses = stranger.getMultiaddrs().map(String)
      expect(await codeOf(victim.network.open(stranger.peerId.toString(), addresses, testProtocol))).to.equal(
        'E_NET_REFUSED',
      )
      await stranger.stop()
    }
    expect(heard.of('opened')).to.have.length(0)
    expect(heard.of('peer')).to.have.length(0)
  })
})
