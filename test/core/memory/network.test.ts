import { expect } from 'chai'
import { MemoryHub } from '@sotto/core/memory'
import { codeOf, Heard, networkCompliance, testProtocol } from '../../support/network-compliance.ts'
import { memoryWorld } from '../../support/memory-world.ts'

networkCompliance('in memory', memoryWorld)

describe('MemoryHub', () => {
  const pair = () => {
    const hub = new MemoryHub()
    const options = { protocols: [testProtocol] }
    return { hub, a: hub.join('a', options), b: hub.join('b', options) }
  }

  it('cuts and heals', async () => {
    const { hub, a, b } = pair()
    const [atA, atB] = [new Heard(a), new Heard(b)]
    await a.attach('/memory/b/p2p/b')
    await a.open('b', [], testProtocol)
    hub.cut('a', 'b')
    expect((await atA.next('closed')).reason).to.equal('reset')
    expect((await atB.next('closed')).reason).to.equal('reset')
    expect(atA.of('peer').at(-1)).to.include({ peer: 'b', connected: false })
    expect(await codeOf(a.open('b', [], testProtocol))).to.equal('E_NET_UNREACHABLE')
    hub.heal('a', 'b')
    expect(atA.of('peer').at(-1)).to.include({ peer: 'b', connected: true })
    expect((await a.open('b', [], testProtocol)).route).to.equal('direct')
  })

  it('names the route it was told', async () => {
    const { hub, a, b } = pair()
    hub.route('a', 'b', 'relayed')
    const atB = new Heard(b)
    expect((await a.open('b', [], testProtocol)).route).to.equal('relayed')
    expect((await atB.next('opened')).route).to.equal('relayed')
  })

  it('tells the same story every time', async () => {
    const run = async (): Promise<string> => {
      const { a, b } = pair()
      const [atA, atB] = [new Heard(a), new Heard(b)]
      const { channel } = await a.open('b', [], testProtocol)
      for (let at = 1; at < 20; at += 1) await a.write(channel, Uint8Array.of(at))
      await a.close(channel)
      await atB.next('closed')
      return JSON.stringify([atA.events, atB.events])
    }
    expect(await run()).to.equal(await run())
  })
})
