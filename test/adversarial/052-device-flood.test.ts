import { expect } from 'chai'
import { addOps, emptyLog, resolveLog, type LogOp } from '../../packages/core/src/identity/index.ts'
import { compareBytes } from '../../packages/core/src/wire/index.ts'
import { limits } from '../../packages/core/src/limits.ts'
import { crypto, digestOf, laterMs, randomOf, Scene, shuffled } from '../core/identity/support.ts'

describe('adversarial', function () {
  this.timeout(60_000)

  it('052: of a thousand devices in one list 8 an adder and 16 in all count, on every replica, and none is refused', () => {
    const scene = new Scene('flood')
    const first = scene.add(null, 'F', [])
    const adders: [string, LogOp][] = []
    for (let i = 0; i < limits.addsPerAdder; i++) adders.push([`A${i}`, scene.add('F', `A${i}`, [first])])
    // Each of the eight adds on in ignorance of the others, far past its share.
    for (let i = 0; scene.ops.length < 1_000; i++) {
      const [name, add] = adders[i % adders.length]!
      scene.add(name, `${name}-${i}`, [add])
    }
    const random = randomOf(52)
    const replicas = Array.from({ length: 3 }, () => {
      const bytes = shuffled(scene.ops, random).map((op) => op.bytes)
      const result = addOps(crypto, emptyLog(scene.account), bytes, laterMs)
      expect([result.added.length, result.held.length, result.rejected.length]).to.deep.equal([1_000, 0, 0])
      return resolveLog(result.log)
    })
    expect(new Set(replicas.map(digestOf)).size).to.equal(1)
    const state = replicas[0]!
    expect(state.active.size).to.equal(limits.activeDevices)
    const within = scene.log().entries.filter(({ op }) => op.by === null || op.seq <= limits.addsPerAdder)
    within.sort((a, b) => a.depth - b.depth || compareBytes(a.op.id, b.op.id))
    const { added } = scene.log()
    const first16 = within.slice(0, limits.activeDevices).map(({ op }) => added.get(op.key)!.device)
    expect([...state.active.keys()]).to.deep.equal(first16.sort())
  })
})
