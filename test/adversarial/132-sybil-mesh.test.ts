import { expect } from 'chai'
import { sybilWorld, type SybilWorld } from '../support/sybil-world.ts'

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

describe('132 Sybils on a topic', () => {
  let world: SybilWorld
  afterEach(() => world.close())

  it('132 three Sybils to each honest member, who drop all: what one says reaches every other', async () => {
    const honest = 6
    world = await sybilWorld(honest, 3 * honest)
    const sent = honest
    for (let at = 0; at < sent; at++) await world.publish(at, Uint8Array.of(1, at))
    const wanted = sent * (honest - 1)
    while (world.delivered() < wanted) await pause(50)
    expect(world.delivered()).to.equal(wanted)
    expect(world.meshed(), 'nobody passes on through a Sybil').to.equal(0)
  })
})
