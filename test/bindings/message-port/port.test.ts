import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { WebSocket, WebSocketServer } from 'ws'
import { InvariantError, PortError, UsageError } from '@sotto/core'
import type { DeviceEvent, DeviceFace, SottoError } from '@sotto/core'
import {
  exposeFace,
  exposePort,
  remoteFace,
  remotePort,
  socketPort,
  type PortLike,
} from '@sotto/core/message-port'
import { codeOf } from '../../support/network-compliance.ts'

/** Two ends and the way to end both. */
interface Wire {
  readonly host: PortLike
  readonly remotes: readonly PortLike[]
  close(): Promise<void>
}

async function messageChannel(): Promise<Wire> {
  const { port1, port2 } = new MessageChannel()
  return { host: port1, remotes: [port2], close: async () => port1.close() }
}

async function broadcastChannel(): Promise<Wire> {
  const name = `sotto-${String(Math.random())}`
  const channels = [1, 2, 3].map(() => new BroadcastChannel(name))
  const [host, ...remotes] = channels
  return { host: host!, remotes, close: async () => channels.forEach((channel) => channel.close()) }
}

async function webSocket(): Promise<Wire> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  const accepted = once(server, 'connection') as Promise<[WebSocket]>
  const socket = new WebSocket(`ws://127.0.0.1:${String((server.address() as AddressInfo).port)}`)
  const [[far]] = await Promise.all([accepted, once(socket, 'open')])
  return {
    host: socketPort(far),
    remotes: [socketPort(socket)],
    close: async () => {
      socket.terminate()
      server.close()
      await once(server, 'close')
    },
  }
}

const eventOf = (seq: number): DeviceEvent => ({ seq, atMs: seq, type: 'connection', connection: 'direct' })

/** A face that answers with what it was asked, and tells what it is told to. */
function testFace() {
  const listeners = new Set<(event: DeviceEvent) => void>()
  const face: DeviceFace = {
    dispatch: async (command, input) => {
      if (command === 'block')
        throw new UsageError('E_TEST', 'no', { hint: 'try again', detail: { count: 3 } })
      if (command === 'unblock') throw new PortError('E_TEST_PORT', 'later', { retryable: true })
      if (command === 'retry-now') throw new TypeError('secret text')
      return { command, input } as never
    },
    view: async (query, input) => ({ query, input }) as never,
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  return { face, tell: (event: DeviceEvent) => listeners.forEach((listener) => listener(event)), listeners }
}

for (const [title, makeWire] of Object.entries({
  MessageChannel: messageChannel,
  BroadcastChannel: broadcastChannel,
  WebSocket: webSocket,
})) {
  describe(`a face over ${title}`, () => {
    let wire: Wire
    beforeEach(async () => (wire = await makeWire()))
    afterEach(() => wire.close())

    it('carries commands, queries and their answers to whoever asked', async () => {
      exposeFace(wire.host, testFace().face)
      const faces = wire.remotes.map((port) => remoteFace<DeviceFace>(port))
      const answers = await Promise.all(
        faces.flatMap((face, at) => [
          face.dispatch('send', { conversationId: `c${String(at)}`, text: 'hello' }),
          face.view('history', { conversationId: `c${String(at)}`, limit: 2 }),
        ]),
      )
      expect(answers).to.deep.equal(
        faces.flatMap((_, at) => [
          { command: 'send', input: { conversationId: `c${String(at)}`, text: 'hello' } },
          { query: 'history', input: { conversationId: `c${String(at)}`, limit: 2 } },
        ]),
      )
    })

    it('carries errors with class, code, hint and detail, and keeps the text of a bug to itself', async () => {
      exposeFace(wire.host, testFace().face)
      const face = remoteFace<DeviceFace>(wire.remotes[0]!)
      const failures: unknown[] = []
      for (const command of ['block', 'unblock'] as const) {
        await face.dispatch(command, { accountId: 'a' }).catch((failure: unknown) => failures.push(failure))
      }
      await face.dispatch('retry-now', {}).catch((failure: unknown) => failures.push(failure))
      const [usage, port, bug] = failures as [SottoError, SottoError, SottoError]
      expect(usage).to.be.instanceOf(UsageError)
      expect(usage).to.deep.include({
        code: 'E_TEST',
        message: 'no',
        hint: 'try again',
        retryable: false,
        detail: { count: 3 },
      })
      expect(port).to.be.instanceOf(PortError)
      expect(port).to.include({ code: 'E_TEST_PORT', retryable: true })
      expect(bug).to.be.instanceOf(InvariantError)
      expect(bug.code).to.equal('E_INTERNAL')
      expect(bug.message).to.not.include('secret')
    })

    it('tells every listener every event in order, until it ends', async () => {
      const { face: real, tell, listeners } = testFace()
      const withdraw = exposeFace(wire.host, real)
      const faces = wire.remotes.map((port) => remoteFace<DeviceFace>(port))
      const heard = faces.map(() => [] as number[])
      const ends = faces.map((face, at) => face.subscribe(({ seq }) => heard[at]!.push(seq)))
      await Promise.all(faces.map((face) => face.view('status', {})))
      for (let seq = 1; seq <= 50; seq += 1) tell(eventOf(seq))
      await Promise.all(faces.map((face) => face.view('status', {})))
      const all = Array.from({ length: 50 }, (_, at) => at + 1)
      expect(heard).to.deep.equal(faces.map(() => all))
      ends.forEach((end) => end())
      await Promise.all(faces.map((face) => face.view('status', {})))
      tell(eventOf(51))
      await Promise.all(faces.map((face) => face.view('status', {})))
      expect(heard).to.deep.equal(faces.map(() => all))
      withdraw()
      expect(listeners.size).to.equal(0)
    })

    it('rejects what waits, retryably, when the other end withdraws', async () => {
      let called: () => void = () => undefined
      const isCalled = new Promise<void>((resolve) => (called = resolve))
      const withdraw = exposePort(wire.host, {
        name: 'slow',
        methods: { never: () => (called(), new Promise(() => undefined)), now: async () => 1 },
      })
      const states: string[] = []
      const remote = remotePort(wire.remotes[0]!, 'slow', {
        watch: (state) => states.push(state),
        beatMs: 20,
      })
      await remote.call('now', [])
      const waiting = remote.call('never', []).catch((failure: unknown) => failure)
      await isCalled
      // A sign of life names the end that will say goodbye.
      await new Promise((resolve) => setTimeout(resolve, 60))
      withdraw()
      const failure = (await waiting) as SottoError
      expect(failure).to.include({ code: 'E_PORT_LOST', retryable: true })
      expect(states).to.deep.equal(['lost'])
    })
  })
}

describe('a message port', () => {
  it('notices an end that never answers', async () => {
    const { port1, port2 } = new MessageChannel()
    const remote = remotePort(port2, 'nobody', { beatMs: 5, lostMs: 20 })
    // Keeps the loop alive: the beat itself does not.
    const alive = setInterval(() => undefined, 1_000)
    expect(await codeOf(remote.call('anything', []))).to.equal('E_PORT_LOST')
    clearInterval(alive)
    remote.close()
    expect(await codeOf(remote.call('anything', []))).to.equal('E_PORT_LOST')
    port1.close()
  })

  it('rejects what waits when the port closes', async () => {
    const { port1, port2 } = new MessageChannel()
    const remote = remotePort(port2, 'gone')
    const waiting = codeOf(remote.call('anything', []))
    port1.close()
    expect(await waiting).to.equal('E_PORT_LOST')
  })

  it('goes over to a new leader and listens there', async () => {
    const name = `sotto-${String(Math.random())}`
    const [first, second, follower] = [1, 2, 3].map(() => new BroadcastChannel(name))
    const states: string[] = []
    const old = testFace()
    const withdraw = exposeFace(first!, old.face)
    const face = remoteFace<DeviceFace>(follower!, { watch: (state) => states.push(state), beatMs: 20 })
    const heard: number[] = []
    const got = new Promise<void>((resolve) =>
      face.subscribe(({ seq }) => {
        heard.push(seq)
        if (seq === 2) resolve()
      }),
    )
    await face.view('status', {})
    await new Promise((resolve) => setTimeout(resolve, 60))
    old.tell(eventOf(1))
    await face.view('status', {})
    withdraw()
    const next = testFace()
    exposeFace(second!, next.face)
    while (next.listeners.size === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    next.tell(eventOf(2))
    await got
    expect(heard).to.deep.equal([1, 2])
    expect(states).to.deep.equal(['lost', 'back'])
    expect(await face.view('self', {})).to.deep.equal({ query: 'self', input: {} })
    for (const channel of [first, second, follower]) channel!.close()
  })

  it('offers its methods and nothing else', async () => {
    const { port1, port2 } = new MessageChannel()
    exposePort(port1, { name: 'thing', methods: { known: async () => 'yes' } })
    const remote = remotePort(port2, 'thing')
    expect(await remote.call('known', [])).to.equal('yes')
    for (const method of ['unknown', 'constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      expect(await codeOf(remote.call(method, []))).to.equal('E_PORT_METHOD')
    }
    port1.close()
  })

  it('ignores what is not its message', async () => {
    const { port1, port2 } = new MessageChannel()
    exposePort(port1, { name: 'thing', methods: { known: async () => 'yes' } })
    for (const rubbish of [
      null,
      1,
      'text',
      {},
      { sotto: 'thing' },
      { sotto: 'thing', kind: 7 },
      { sotto: 'other', kind: 'call' },
      { sotto: 'thing', kind: 'call' },
      { sotto: 'thing', kind: 'acks' },
    ]) {
      port2.postMessage(rubbish)
    }
    expect(await remotePort(port2, 'thing').call('known', [])).to.equal('yes')
    port1.close()
  })

  it('moves a frame that has its buffer to itself', async () => {
    const { port1, port2 } = new MessageChannel()
    let tell: (event: unknown) => Promise<void> = async () => undefined
    exposePort(port1, {
      name: 'mover',
      methods: {},
      listen: (listener) => (tell = listener),
      transfer: (event) => [(event as Uint8Array).buffer as ArrayBuffer],
    })
    const remote = remotePort(port2, 'mover')
    const got = new Promise((resolve) => remote.listen(resolve))
    await codeOf(remote.call('none', []))
    const frame = Uint8Array.of(1, 2, 3)
    void tell(frame)
    expect(await got).to.deep.equal(Uint8Array.of(1, 2, 3))
    expect(frame.length).to.equal(0)
    port1.close()
  })
})
