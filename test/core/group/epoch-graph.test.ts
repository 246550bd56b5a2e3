/** How epochs follow one another, in whatever order they come. */
import { expect } from 'chai'
import { ancestorsOf, descendantsOf, tipsOf } from '../../../packages/core/src/group/epoch-graph.ts'
import { epochChanges, type EpochNode } from '../../../packages/core/src/group/index.ts'
import { toHex } from '../../../packages/core/src/wire/index.ts'
import { EpochScene, type Written } from './epoch-scene.ts'

const ids = (written: readonly Written[]): readonly string[] =>
  written.map(({ record }) => toHex(record.id)).sort()
const keys = (nodes: readonly EpochNode[]): readonly string[] => nodes.map(({ key }) => key).sort()

/** Rows that a step writes, of records alone. */
const recordsWritten = (before: EpochScene['state'], after: EpochScene['state']): readonly string[] =>
  epochChanges(before, after)
    .flatMap(({ key }) => (key.startsWith('n/') ? [key.slice(2)] : []))
    .sort()

describe('conversation epochs: order', () => {
  it('the next epoch follows all that nothing follows yet, the deepest first, then the smallest id', () => {
    const scene = new EpochScene()
    const first = scene.write('b')
    const side = [scene.write('b', { after: [first] }), scene.write('c', { after: [first] })]
    const deep = scene.write('c', { after: [side[0]!] })
    const last = scene.write('b', { after: [side[0]!] })
    scene.take(first, ...side, last, deep)
    const [one, two] = ids([deep, last])
    expect(tipsOf(scene.state.nodes).map(({ key }) => key)).to.deep.equal([one, two, ...ids([side[1]!])])
    const created = scene.create()
    expect(created.state.nodes.get(toHex(created.epoch))!.parents).to.deep.equal([
      one,
      two,
      ...ids([side[1]!]),
    ])
    expect(tipsOf(created.state.nodes).map(({ key }) => key)).to.deep.equal([toHex(created.epoch)])
  })

  it('what follows an epoch, and what it follows, is found once, whatever joins, and without what never came', () => {
    const scene = new EpochScene()
    const lost = scene.write('c')
    const root = scene.write('b', { after: [lost] })
    const arms = [scene.write('b', { after: [root] }), scene.write('c', { after: [root, lost] })]
    const joined = scene.write('a', { after: arms })
    const apart = scene.write('b')
    scene.take(root, ...arms, joined, apart)
    const { nodes } = scene.state
    expect(keys(descendantsOf(nodes, scene.node(root)))).to.deep.equal(ids([...arms, joined]))
    expect(keys(ancestorsOf(nodes, scene.node(joined)))).to.deep.equal(ids([...arms, root]))
    expect(ancestorsOf(nodes, scene.node(root))).to.deep.equal([])
    expect(descendantsOf(nodes, scene.node(joined))).to.deep.equal([])
    expect(descendantsOf(nodes, scene.node(apart))).to.deep.equal([])
  })
})

describe('conversation epochs: depth', () => {
  it('is one more than that of the deepest parent known, and no more than is claimed', () => {
    const scene = new EpochScene()
    const root = scene.write('b', { depth: 5 })
    const second = scene.write('b', { after: [root], depth: 1 })
    const unknown = scene.write('c', { depth: 40 })
    const both = scene.write('b', { after: [root, unknown, second], depth: 41 })
    const modest = scene.write('c', { after: [second], depth: 1 })
    const orphan = scene.write('c', { after: [unknown], depth: 41 })
    scene.take(root, second, both, modest, orphan)
    const depths = [root, second, both, modest, orphan].map((one) => scene.node(one).depth)
    expect(depths).to.deep.equal([0, 1, 2, 1, 0])
  })

  it('rises for all that follow once a parent comes late, as far as each claimed', () => {
    const scene = new EpochScene()
    const root = scene.write('b')
    const middle = scene.write('b', { after: [root] })
    const child = scene.write('c', { after: [middle] })
    const modest = scene.write('c', { after: [middle], depth: 1 })
    const grandchild = scene.write('c', { after: [child, modest] })
    scene.take(root, child, modest, grandchild)
    const all = [child, modest, grandchild]
    expect(all.map((one) => scene.node(one).depth)).to.deep.equal([0, 0, 1])
    const before = scene.state
    scene.take(middle)
    expect(all.map((one) => scene.node(one).depth)).to.deep.equal([2, 1, 3])
    expect(recordsWritten(before, scene.state)).to.deep.equal(ids([middle, ...all]))
  })

  it('never falls: what was forgotten keeps its weight', () => {
    const scene = new EpochScene()
    const root = scene.write('b')
    const middle = scene.write('b', { after: [root] })
    const late = scene.write('c')
    const child = scene.write('c', { after: [middle, late] })
    scene.take(root, middle, child)
    const forgotten = new Map([...scene.state.nodes].filter(([key]) => key !== toHex(middle.record.id)))
    scene.state = { ...scene.state, nodes: forgotten }
    const before = scene.state
    scene.take(late)
    expect(scene.node(child).depth).to.equal(2)
    expect(recordsWritten(before, scene.state)).to.deep.equal(ids([late]))
  })
})

describe('conversation epochs: a parent that changes no depth', () => {
  it('writes no record but its own', () => {
    const scene = new EpochScene()
    const root = scene.write('b')
    const middle = scene.write('b', { after: [root] })
    const late = scene.write('c', { after: [root] })
    const child = scene.write('c', { after: [middle, late] })
    scene.take(root, middle, child)
    const before = scene.state
    scene.take(late)
    expect(recordsWritten(before, scene.state)).to.deep.equal(ids([late]))
    expect(scene.node(child)).to.equal(before.nodes.get(scene.node(child).key))
  })
})

describe('conversation epochs: a record that comes late', () => {
  it('is superseded if a keyed epoch descends from it, and with it what it follows', () => {
    const scene = new EpochScene()
    const root = scene.keyed('b')
    const middle = scene.write('b', { after: [root] })
    const child = scene.keyed('c', { after: [middle] })
    expect(scene.node(root).supersededAtMs).to.equal(undefined)
    scene.nowMs += 1_000
    scene.take(middle)
    expect(scene.node(middle).supersededAtMs).to.equal(scene.nowMs)
    expect(scene.node(root).supersededAtMs).to.equal(scene.nowMs)
    expect(scene.node(child).supersededAtMs).to.equal(undefined)
    expect(scene.node(root).closed, 'nothing sealed since').to.equal(false)
  })

  it('is superseded too where the keyed one is not its child but follows one', () => {
    const scene = new EpochScene()
    const root = scene.write('b')
    const middle = scene.write('b', { after: [root] })
    const child = scene.write('c', { after: [middle] })
    scene.take(middle, child)
    scene.key(child)
    scene.take(root)
    expect(scene.node(root).supersededAtMs).to.equal(scene.nowMs)
  })

  it('is not superseded by one that nobody could read', () => {
    const scene = new EpochScene()
    const root = scene.write('b')
    const child = scene.write('c', { after: [root] })
    scene.take(child, root)
    expect(scene.node(root).supersededAtMs).to.equal(undefined)
    expect(scene.node(root).closed).to.equal(false)
  })

  it('is closed if this device has sealed in what follows, and with it what it follows', () => {
    const scene = new EpochScene()
    const root = scene.write('b')
    const middle = scene.write('b', { after: [root] })
    const child = scene.keyed('c', { after: [middle] })
    scene.hears(child, 'b', 'c')
    scene.take(root)
    const other = new EpochScene()
    other.state = scene.state
    other.take(middle)
    expect(other.node(middle).closed, 'only others spoke').to.equal(false)
    scene.hears(child, 'a')
    scene.take(middle)
    expect([middle, root].map((one) => scene.node(one).closed)).to.deep.equal([true, true])
    expect(scene.node(child).closed).to.equal(false)
  })

  it('is closed if what follows was closed', () => {
    const scene = new EpochScene()
    const root = scene.write('b')
    const middle = scene.write('b', { after: [root] })
    const child = scene.keyed('c', { after: [middle] })
    scene.take(middle)
    scene.hears(child, 'a')
    const closed = { ...scene.node(middle), closed: true }
    scene.state = { ...scene.state, nodes: new Map([...scene.state.nodes, [closed.key, closed]]) }
    scene.take(root)
    expect(scene.node(root).closed).to.equal(true)
  })

  it('stays superseded since the first time, and what is marked already is not written again', () => {
    const scene = new EpochScene()
    const root = scene.keyed('b')
    scene.nowMs += 5
    const second = scene.keyed('b', { after: [root] })
    const since = scene.nowMs
    scene.nowMs += 5
    const before = scene.state
    const third = scene.keyed('c', { after: [second] })
    expect(scene.node(root).supersededAtMs).to.equal(since)
    expect(scene.node(second).supersededAtMs).to.equal(scene.nowMs)
    expect(recordsWritten(before, scene.state)).to.deep.equal(ids([second, third]))
  })
})
