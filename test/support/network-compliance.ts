import { expect } from 'chai'
import { limits, SottoError } from '@sotto/core'
import type { Network, NetworkEvent } from '@sotto/core/ports'

/** Somewhere several Networks can meet. `join` gives a started one that reaches those before it. */
export interface NetworkWorld {
  join(protocols: readonly string[]): Promise<Network>
  /** Makes the two know each other for topics and the DHT. */
  introduce(a: Network, b: Network): Promise<void>
  /** Ends everything. */
  close(): Promise<void>
}

export const testProtocol = '/sotto/test/1'

/** Collects what a network tells and lets a test wait for it. */
export class Heard {
  readonly events: NetworkEvent[] = []
  readonly #waits = new Set<() => void>()

  constructor(network: Network, react: (event: NetworkEvent) => unknown = () => undefined) {
    network.listen((event) => {
      this.events.push(event)
      for (const wake of [...this.#waits]) wake()
      return react(event)
    })
  }

  of<T extends NetworkEvent['type']>(type: T): Extract<NetworkEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<NetworkEvent, { type: T }> => event.type === type)
  }

  /** Resolves with the count-th event of the type that passes. Mocha's timeout is its limit. */
  async next<T extends NetworkEvent['type']>(
    type: T,
    passes: (event: Extract<NetworkEvent, { type: T }>) => boolean = () => true,
    count = 1,
  ): Promise<Extract<NetworkEvent, { type: T }>> {
    for (;;) {
      const found = this.of(type).filter(passes)[count - 1]
      if (found !== undefined) return found
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waits.delete(wake)
          resolve()
        }
        this.#waits.add(wake)
      })
    }
  }
}

/** The code a promise rejects with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (failure) {
    return failure instanceof SottoError ? failure.code : String(failure)
  }
  return 'resolved'
}

const frameOf = (first: number, length = 4): Uint8Array => {
  const frame = new Uint8Array(length)
  new DataView(frame.buffer).setUint32(0, first)
  return frame
}
const numberOf = (frame: Uint8Array): number => new DataView(frame.buffer, frame.byteOffset).getUint32(0)

/** What every implementation of the Network port keeps. */
export function networkCompliance(title: string, createWorld: () => Promise<NetworkWorld>): void {
  describe(`Network: ${title}`, () => {
    let world: NetworkWorld
    let a: Network
    let b: Network

    beforeEach(async () => {
      world = await createWorld()
      a = await world.join([testProtocol])
      b = await world.join([testProtocol])
    })
    afterEach(() => world.close())

    const openAtB = async (protocol = testProtocol) => a.open(await b.peerId(), await b.addresses(), protocol)

    it('tells the other end who opened which protocol, and both that they are connected', async () => {
      const [atA, atB] = [new Heard(a), new Heard(b)]
      const { route } = await openAtB()
      const opened = await atB.next('opened')
      expect(opened).to.include({ peer: await a.peerId(), protocol: testProtocol, route: 'direct' })
      expect(route).to.equal('direct')
      expect(await atA.next('peer')).to.include({ peer: await b.peerId(), connected: true })
      expect(await atB.next('peer')).to.include({ peer: await a.peerId(), connected: true })
    })

    it('carries frames whole and in order, both ways', async () => {
      const count = 100
      const atA = new Heard(a)
      const atB = new Heard(b, (event) =>
        event.type === 'frame' ? b.write(event.channel, event.frame) : undefined,
      )
      const { channel } = await openAtB()
      const sent = Array.from({ length: count }, (_, at) => frameOf(at, 4 + ((at * 37) % 3_000)))
      for (const frame of sent) void a.write(channel, frame)
      await atA.next('frame', () => true, count)
      const lengths = sent.map((frame) => frame.length)
      for (const heard of [atA, atB]) {
        expect(heard.of('frame').map(({ frame }) => numberOf(frame))).to.deep.equal(sent.map(numberOf))
        expect(heard.of('frame').map(({ frame }) => frame.length)).to.deep.equal(lengths)
      }
    })

    it('does not see what the caller does to a frame after writing it', async () => {
      const atB = new Heard(b)
      const { channel } = await openAtB()
      const frame = frameOf(7)
      const written = a.write(channel, frame)
      if (title.includes('port')) await written
      frame.fill(0)
      await written
      expect(numberOf((await atB.next('frame')).frame)).to.equal(7)
      expect(frame.length).to.equal(4)
    })

    it('closes once at each end, after every frame, and refuses writes from then on', async () => {
      const [atA, atB] = [new Heard(a), new Heard(b)]
      const { channel } = await openAtB()
      await a.write(channel, frameOf(1))
      await a.write(channel, frameOf(2))
      await a.close(channel)
      const closedAtB = await atB.next('closed')
      await atA.next('closed')
      expect(
        atB.events.map(({ type }) => type).filter((type) => type !== 'peer' && type !== 'addresses'),
      ).to.deep.equal(['opened', 'frame', 'frame', 'closed'])
      expect(closedAtB.reason).to.equal('closed')
      expect(await codeOf(a.write(channel, frameOf(3)))).to.equal('E_NET_CLOSED')
      expect(await codeOf(b.write(closedAtB.channel, frameOf(3)))).to.equal('E_NET_CLOSED')
      await a.close(channel)
      expect(atA.of('closed')).to.have.length(1)
      expect(atB.of('closed')).to.have.length(1)
    })

    it('takes a frame at the limit and refuses one past it, and an empty one', async () => {
      const atB = new Heard(b)
      const { channel } = await openAtB()
      expect(await codeOf(a.write(channel, frameOf(1, limits.streamFrameBytes + 1)))).to.equal(
        'E_NET_TOO_LONG',
      )
      expect(await codeOf(a.write(channel, new Uint8Array(0)))).to.equal('E_NET_EMPTY')
      await a.write(channel, frameOf(2, limits.streamFrameBytes))
      const { frame } = await atB.next('frame')
      expect([numberOf(frame), frame.length]).to.deep.equal([2, limits.streamFrameBytes])
    })

    it('says when the peer does not speak the protocol', async () => {
      expect(await codeOf(openAtB('/sotto/unknown/1'))).to.equal('E_NET_PROTOCOL')
      expect((await openAtB()).channel).to.be.a('number')
    })

    it('says, retryably, when the peer is not there', async () => {
      const [peer, addresses] = [await b.peerId(), await b.addresses()]
      await b.stop()
      let failure: unknown
      await a.open(peer, addresses, testProtocol).catch((reason: unknown) => (failure = reason))
      expect(failure).to.be.instanceOf(SottoError)
      expect(failure).to.include({ retryable: true, fault: 'port' })
      expect((failure as SottoError).code).to.be.oneOf(['E_NET_UNREACHABLE', 'E_NET_TIMEOUT'])
    })

    it('does not open a channel to itself', async () => {
      expect(await codeOf(a.open(await a.peerId(), await a.addresses(), testProtocol))).to.equal(
        'E_NET_REFUSED',
      )
    })

    it('caps the channels with one peer', async () => {
      for (let opened = 0; opened < limits.channelsPerPeer; opened += 1) await openAtB()
      expect(await codeOf(openAtB())).to.equal('E_NET_BUSY')
    })

    it('caps them as well when they are opened at once', async () => {
      const codes = await Promise.all(
        Array.from({ length: limits.channelsPerPeer + 4 }, () => codeOf(openAtB())),
      )
      const taken = (code: string, at: number): string => (at < 4 ? 'E_NET_BUSY' : 'resolved')
      expect(codes.toSorted()).to.deep.equal(codes.map(taken))
    })

    it('shares one connection between concurrent opens', async () => {
      const atA = new Heard(a)
      const channels = await Promise.all([openAtB(), openAtB(), openAtB()])
      expect(new Set(channels.map(({ channel }) => channel)).size).to.equal(3)
      expect(atA.of('peer').filter(({ connected }) => connected)).to.have.length(1)
    })

    it('holds a sender back while the receiver is busy, and loses nothing', async () => {
      let release: () => void = () => undefined
      const busy = new Promise<void>((resolve) => (release = resolve))
      const atB = new Heard(b, (event) => (event.type === 'frame' ? busy : undefined))
      const { channel } = await openAtB()
      const taken: number[] = []
      let refused = ''
      const writes: Promise<void>[] = []
      for (let at = 0; at < 60 && refused === ''; at += 1) {
        const write = a.write(channel, frameOf(at, limits.streamFrameBytes)).then(
          () => void taken.push(at),
          (failure: unknown) => (refused = (failure as SottoError).code),
        )
        writes.push(write as Promise<void>)
        // Lets a refusal arrive.
        await Promise.race([write, new Promise((resolve) => setTimeout(resolve, 5))])
      }
      expect(refused).to.equal('E_NET_BUSY')
      await atB.next('frame')
      expect(atB.of('frame')).to.have.length(1)
      release()
      await Promise.all(writes)
      await atB.next('frame', () => true, taken.length)
      expect(atB.of('frame').map(({ frame }) => numberOf(frame))).to.deep.equal(taken)
      expect(atB.of('closed')).to.have.length(0)
    })

    it('keeps events until someone listens', async () => {
      const { channel } = await openAtB()
      await a.write(channel, frameOf(5))
      const atB = new Heard(b)
      expect(numberOf((await atB.next('frame')).frame)).to.equal(5)
      const order = atB.events.map(({ type }) => type).filter((type) => type === 'opened' || type === 'frame')
      expect(order).to.deep.equal(['opened', 'frame'])
    })

    it('outlives a listener that throws', async () => {
      const atB = new Heard(b, () => {
        throw new Error('a bug of the listener')
      })
      const { channel } = await openAtB()
      await a.write(channel, frameOf(1))
      await a.write(channel, frameOf(2))
      await atB.next('frame', () => true, 2)
    })

    it('ends its channels when it stops, and says so to the other end', async () => {
      const [atA, atB] = [new Heard(a), new Heard(b)]
      const { channel } = await openAtB()
      await atB.next('opened')
      await b.stop()
      expect((await atA.next('closed')).channel).to.equal(channel)
      expect(await atA.next('peer', ({ connected }) => !connected)).to.include({
        peer: (await atA.next('peer')).peer,
      })
      expect(await codeOf(a.write(channel, frameOf(1)))).to.equal('E_NET_CLOSED')
      expect(atA.of('closed')).to.have.length(1)
      await a.stop()
      expect(await codeOf(a.open('anyone', [], testProtocol))).to.be.oneOf(['E_NET_CLOSED', 'E_NET_REFUSED'])
    })

    it('keeps values where others find them, and refuses what its validator refuses', async () => {
      await world.introduce(a, b)
      const key = '/sotto/compliance'
      expect(await a.put(key, Uint8Array.of(1, 2, 3))).to.equal(1)
      expect((await b.get(key)).map((value) => [...value])).to.deep.equal([[1, 2, 3]])
      expect(await codeOf(a.put(key, Uint8Array.of(0)))).to.equal('E_NET_REFUSED')
      expect(await codeOf(a.put(key, new Uint8Array(limits.recordBytes + 1).fill(1)))).to.equal(
        'E_NET_TOO_LONG',
      )
      expect(await b.get('/sotto/nothing')).to.deep.equal([])
    })

    it('delivers a topic to its subscribers, each message with its number and the neighbour it came by', async () => {
      const atB = new Heard(b)
      await b.subscribe('topic', [await a.peerId()])
      await world.introduce(a, b)
      await a.publish('topic', Uint8Array.of(9))
      const first = await atB.next('message')
      expect([first.topic, ...first.data]).to.deep.equal(['topic', 9])
      expect(first.peer).to.equal(await a.peerId())
      await a.publish('topic', Uint8Array.of(10))
      const second = await atB.next('message', () => true, 2)
      expect(second.message).to.not.equal(first.message)
    })

    it('takes each verdict once, and one about nothing as nothing', async () => {
      const atB = new Heard(b)
      await b.subscribe('topic', [await a.peerId()])
      await world.introduce(a, b)
      for (const [at, verdict] of (['accept', 'ignore'] as const).entries()) {
        await a.publish('topic', Uint8Array.of(at))
        const { message } = await atB.next('message', () => true, at + 1)
        await b.judge(message, verdict)
        await b.judge(message, 'reject')
        await b.judge(message + 1_000, 'reject')
      }
      await a.publish('topic', Uint8Array.of(2))
      expect([...(await atB.next('message', () => true, 3)).data]).to.deep.equal([2])
    })

    it('hears no more of a neighbour after a rejected message, and goes on hearing the others', async () => {
      const c = await world.join([testProtocol])
      const atB = new Heard(b)
      const [liar, honest] = [await a.peerId(), await c.peerId()]
      await b.subscribe('topic', [liar, honest])
      await world.introduce(a, b)
      await world.introduce(c, b)
      await a.publish('topic', frameOf(0))
      await b.judge((await atB.next('message')).message, 'reject')
      const said = (peer: string, round: number): NetworkEvent | undefined =>
        atB.of('message').find((event) => event.peer === peer && numberOf(event.data) === round)
      // A network may take a moment to notice; from then on the other one is heard alone.
      for (let round = 1, silent = 0; silent < 3; round++) {
        await a.publish('topic', frameOf(round, 5))
        await c.publish('topic', frameOf(round, 6))
        const passes = ({ peer, data }: { peer: string; data: Uint8Array }): boolean =>
          peer === honest && numberOf(data) === round
        await b.judge((await atB.next('message', passes)).message, 'accept')
        silent = said(liar, round) === undefined ? silent + 1 : 0
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    })

    it('expects as many peers on a topic as an epoch has devices, and no more', async () => {
      const peers = Array.from({ length: limits.topicPeers + 1 }, (_, at) => `peer-${String(at)}`)
      await a.subscribe('topic', peers.slice(1))
      expect(await codeOf(a.subscribe('other', peers))).to.equal('E_NET_BUSY')
    })
  })
}
