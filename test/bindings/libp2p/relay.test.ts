import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import type { Network } from '@sotto/core/ports'
import { startNode, startRelay, type TestNode } from '../../support/libp2p-world.ts'
import { codeOf, Heard, testProtocol } from '../../support/network-compliance.ts'

const circuitOf = async (network: Network): Promise<readonly string[]> =>
  (await network.addresses()).filter((address) => address.includes('/p2p-circuit/'))

describe('libp2p behind a relay', () => {
  let running: TestNode[] = []
  const started = async (node: Promise<TestNode>): Promise<TestNode> => {
    running.push(await node)
    return node
  }
  afterEach(async () => {
    await Promise.all(running.map(({ network }) => network.stop()))
    running = []
  })

  /** A peer nobody can dial but through a relay. */
  const hidden = () => started(startNode({ listen: [], protocols: [testProtocol] }))
  const hasCircuit = (heard: Heard, count = 1) =>
    heard.next(
      'addresses',
      ({ addresses }) => addresses.some((address) => address.includes('/p2p-circuit/')),
      count,
    )

  it('two peers that cannot be dialled reach each other over a circuit, both ways', async () => {
    const relay = await started(startRelay())
    const [a, b] = [await hidden(), await hidden()]
    const [atA, atB] = [
      new Heard(a.network),
      new Heard(b.network, (event) =>
        event.type === 'frame' ? b.network.write(event.channel, event.frame) : undefined,
      ),
    ]
    const [address] = await relay.network.addresses()
    await a.network.attach(address!)
    await b.network.attach(address!)
    await Promise.all([hasCircuit(atA), hasCircuit(atB)])
    const { channel, route } = await a.network.open(
      await b.network.peerId(),
      await circuitOf(b.network),
      testProtocol,
    )
    expect(route).to.equal('relayed')
    expect((await atB.next('opened')).route).to.equal('relayed')
    // More than the 128 KiB at which a relay with default limits cuts a circuit.
    const frame = randomBytes(60_000)
    for (let at = 0; at < 5; at += 1) await a.network.write(channel, frame)
    await atA.next('frame', () => true, 5)
    expect(Buffer.compare(atA.of('frame')[4]!.frame, frame)).to.equal(0)
    expect(await atA.next('peer', ({ peer }) => peer === b.node.peerId.toString())).to.include({
      route: 'relayed',
    })
  })

  it('a direct address is preferred to a circuit, and a relayed peer is upgraded to it', async () => {
    const relay = await started(startRelay())
    const a = await hidden()
    const b = await started(startNode({ protocols: [testProtocol] }))
    const [atA, atB] = [new Heard(a.network), new Heard(b.network)]
    const [address] = await relay.network.addresses()
    await b.network.attach(address!)
    await hasCircuit(atB)
    const peer = await b.network.peerId()
    expect((await a.network.open(peer, await circuitOf(b.network), testProtocol)).route).to.equal('relayed')
    const direct = (await b.network.addresses()).filter((candidate) => !candidate.includes('/p2p-circuit/'))
    await a.network.open(peer, [...(await circuitOf(b.network)), ...direct], testProtocol)
    await atA.next('peer', (event) => event.peer === peer && event.route === 'direct')
    expect((await a.network.open(peer, [], testProtocol)).route).to.equal('direct')
  })

  it('comes back with its reservation after the relay restarts', async () => {
    const seed = randomBytes(32)
    const first = await startRelay({ seed })
    const [address] = await first.network.addresses()
    const [a, b] = [await hidden(), await hidden()]
    const atA = new Heard(a.network)
    await a.network.attach(address!)
    await hasCircuit(atA)
    await first.network.stop()
    await atA.next('peer', ({ connected }) => !connected)
    expect(await circuitOf(a.network)).to.deep.equal([])
    // Same key, same port, empty memory.
    const second = await started(startRelay({ seed, listen: [address!.replace(/[/]p2p[/].*/, '')] }))
    await atA.next('peer', ({ connected }) => connected, 2)
    while ((await circuitOf(a.network)).length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
    const { route } = await b.network.open(await a.network.peerId(), await circuitOf(a.network), testProtocol)
    expect(route).to.equal('relayed')
    expect(second.node.getPeers().map(String)).to.include(a.node.peerId.toString())
  })

  it('keeps trying a relay that is not there yet', async () => {
    const seed = randomBytes(32)
    const probe = await startRelay({ seed })
    const [address] = await probe.network.addresses()
    await probe.network.stop()
    const a = await hidden()
    const atA = new Heard(a.network)
    await a.network.attach(address!)
    await started(startRelay({ seed, listen: [address!.replace(/[/]p2p[/].*/, '')] }))
    expect(await atA.next('peer')).to.include({ connected: true })
    await hasCircuit(atA)
  })

  it('reserves only where it was told to attach', async () => {
    const [chosen, met] = [
      await started(startRelay()),
      await started(startRelay({ protocols: [testProtocol] })),
    ]
    const a = await hidden()
    const atA = new Heard(a.network)
    await a.network.open(await met.network.peerId(), await met.network.addresses(), testProtocol)
    await a.network.attach((await chosen.network.addresses())[0]!)
    await hasCircuit(atA)
    for (const address of await circuitOf(a.network)) {
      expect(address).to.include(chosen.node.peerId.toString())
      expect(address).to.not.include(met.node.peerId.toString())
    }
  })

  it('lets go of a relay it is detached from, and refuses an address without a peer', async () => {
    const relay = await started(startRelay())
    const a = await hidden()
    const atA = new Heard(a.network)
    const [address] = await relay.network.addresses()
    await a.network.attach(address!)
    await hasCircuit(atA)
    await a.network.detach(address!)
    await atA.next('peer', ({ connected }) => !connected)
    expect(await circuitOf(a.network)).to.deep.equal([])
    expect(await codeOf(a.network.attach('/ip4/127.0.0.1/tcp/1'))).to.equal('E_NET_ADDRESS')
    expect(await codeOf(a.network.attach('nonsense'))).to.equal('E_NET_ADDRESS')
    expect(
      await codeOf(a.network.attach((await a.network.addresses())[0] ?? `/p2p/${a.node.peerId.toString()}`)),
    ).to.equal('E_NET_REFUSED')
  })

  it('falls back from dead addresses to the circuit that works', async () => {
    const relay = await started(startRelay())
    const [a, b] = [await hidden(), await hidden()]
    const atB = new Heard(b.network)
    await b.network.attach((await relay.network.addresses())[0]!)
    await hasCircuit(atB)
    const dead = ['/ip4/127.0.0.1/tcp/1', '/ip4/127.0.0.1/tcp/2/ws', 'nonsense']
    const { route } = await a.network.open(
      await b.network.peerId(),
      [...dead, ...(await circuitOf(b.network))],
      testProtocol,
    )
    expect(route).to.equal('relayed')
  })
})
