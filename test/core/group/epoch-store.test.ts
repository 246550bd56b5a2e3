/** What of an epoch is stored, what a step writes, and what is read back. */
import { expect } from 'chai'
import {
  epochChanges,
  epochRows,
  keepSeed,
  onSeedAck,
  restoreEpochs,
  type ConversationEpochs,
  type EpochNode,
} from '../../../packages/core/src/group/index.ts'
import { Secret } from '../../../packages/core/src/crypto/index.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { toHex } from '../../../packages/core/src/wire/index.ts'
import { crypto, EpochScene, personOf, seedOf, type Written } from './epoch-scene.ts'

type Rows = Map<string, Uint8Array>

const rowsOf = (state: ConversationEpochs): Rows =>
  new Map(epochRows(state).map(({ key, value }) => [key, value!]))
const restored = (rows: Rows): ConversationEpochs | undefined =>
  restoreEpochs(
    crypto,
    [...rows].map(([key, value]) => ({ key, value })),
  )
/** Rows that a step writes, and with a minus those it deletes; ids by what `names` says. */
const changes = (
  before: ConversationEpochs,
  after: ConversationEpochs,
  names: Readonly<Record<string, Written>> = {},
): readonly string[] =>
  epochChanges(before, after)
    .map(({ key, value }) => {
      const [, name] = Object.entries(names)
        .map(([short, { record }]) => [toHex(record.id), short] as const)
        .find(([id]) => key.includes(id)) ?? ['', '']
      const named = key.replace(/[0-9a-f]{64}/, name)
      return value === undefined ? `-${named}` : named
    })
    .sort()

describe('conversation epochs: what a step writes', () => {
  it('is nothing where nothing changed', () => {
    const scene = new EpochScene()
    scene.keyed('b')
    expect(epochChanges(scene.state, scene.state)).to.deep.equal([])
    expect(epochChanges(scene.state, { ...scene.state })).to.deep.equal([])
  })

  it('is the record when it comes, its keys when the seed does, and one row of chains for a message', () => {
    const names = Array.from({ length: 20 }, (_, i) => String.fromCharCode(97 + i))
    const scene = new EpochScene('r', names)
    const one = scene.write('b')
    const steps = [scene.state]
    scene.take(one)
    steps.push(scene.state)
    scene.key(one)
    steps.push(scene.state)
    const first = scene.seal()
    steps.push(first)
    scene.state = first
    steps.push(scene.seal(1))
    const written = steps.slice(1).map((after, i) => changes(steps[i]!, after, { one }))
    expect(written).to.deep.equal([
      ['n/one'],
      ['c/one/0', 'c/one/1', 'k/one', 'n/one'],
      ['c/one/1', 'e', 'n/one'],
      ['c/one/1'],
    ])
  })

  it('is the head of its keys once a base is to be told, and once', () => {
    const scene = new EpochScene()
    const one = scene.keyed('b')
    const told = scene.seal(0, true)
    expect(changes(scene.state, told, { one })).to.deep.equal(['c/one/0', 'e', 'k/one', 'n/one'])
    scene.state = told
    expect(changes(told, scene.seal(1, true), { one })).to.deep.equal(['c/one/0'])
  })

  it('is the head of its keys where any part of it is another', () => {
    const scene = new EpochScene()
    const one = scene.keyed('b')
    const key = toHex(one.record.id)
    const held = scene.state.keys.get(key)!
    const fresh = new Secret(seedOf('fresh'))
    const others = [{ exporter: fresh }, { route: { ...held.route!, topic: fresh } }, { route: undefined }]
    for (const other of others) {
      const after = { ...scene.state, keys: new Map([[key, { ...held, ...other }]]) }
      expect(changes(scene.state, after, { one })).to.deep.equal(['k/one'])
    }
  })

  it('is a seed that waits, and its deletion', () => {
    const scene = new EpochScene()
    const one = scene.write('b')
    const waiting = keepSeed(scene.state, one.seed, personOf('b'), 1)
    const [key] = changes(scene.state, waiting, { one })
    expect(key).to.match(/^p\/one\//)
    expect(changes(waiting, scene.state, { one })).to.deep.equal([`-${key!}`])
    const both = keepSeed(waiting, one.seed, personOf('b2'), 1)
    expect(changes(waiting, both, { one }), 'of each sender its own').to.have.length(1)
    expect(changes(scene.state, both, { one })).to.have.length(2)
    expect(new Set(changes(scene.state, both, { one })).size).to.equal(2)
  })

  it('deletes the chains of an epoch whose keys went, its keys and its record', () => {
    const scene = new EpochScene()
    const one = scene.keyed('b')
    const turn = scene.keyed('c', { after: [one], on: one })
    const two = scene.keyed('b', { after: [one, turn] })
    const named = { one, turn, two }
    const steps = [scene.state]
    scene.sweep(limits.epochSupersededMs)
    steps.push(scene.state)
    scene.sweep(limits.epochSupersededMs)
    steps.push(scene.state)
    scene.sweep(limits.epochRecordMs + 1)
    steps.push(scene.state)
    const written = steps.slice(1).map((after, i) => changes(steps[i]!, after, named))
    expect(written).to.deep.equal([
      ['-c/one/0', '-c/turn/0', '-k/turn', 'k/one', 'n/one', 'n/turn'],
      ['-k/one', '-n/turn', 'e'],
      ['-c/two/0', '-n/one', 'k/two', 'n/two'],
    ])
  })

  it('is the head with every record of a whole state, even one in which nothing happened', () => {
    const scene = new EpochScene()
    expect(epochRows(scene.state).map(({ key }) => key)).to.deep.equal(['e'])
    expect(restored(rowsOf(scene.state))).to.deep.equal(scene.state)
  })
})

/** A state with something of everything in it. */
function eventful(): { scene: EpochScene; old: Written; route: Written; turn: Written } {
  const scene = new EpochScene()
  const old = scene.keyed('b')
  scene.nowMs += limits.epochSupersededMs
  const route = scene.keyed('b', { after: [old] })
  const turn = scene.keyed('c', { after: [route], on: route })
  scene.hears(route, 'b')
  scene.hears(turn, 'a', 'b', 'c')
  scene.sweep()
  scene.state = scene.seal(0, true)
  const created = scene.create()
  scene.state = onSeedAck(created.state, created.epoch, personOf('c'))
  scene.state = keepSeed(scene.state, scene.write('c').seed, personOf('c'), 3)
  scene.state = { ...scene.state, forgottenUpToMs: 4 }
  return { scene, old, route, turn }
}

/** Everything a state says, secrets as what they hold. */
function digest(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value)
  if (value instanceof Secret) return toHex(value.expose())
  if (value instanceof Map)
    return [...(value as Map<string, unknown>)].map(([key, one]) => [key, digest(one)]).sort()
  if (Array.isArray(value)) return value.map(digest)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, digest(one)]))
}

describe('conversation epochs: what is read back', () => {
  it('is what was stored, in whatever order the rows are', () => {
    const { scene, old, route, turn } = eventful()
    expect(scene.node(old).retiredAtMs).to.equal(scene.nowMs)
    const rows = rowsOf(scene.state)
    const erased = [old, route].map((one) => scene.state.keys.get(scene.node(one).key)!.exporter)
    for (const exporter of erased) {
      const stored = toHex(exporter.expose())
      expect([...rows.values()].some((row) => toHex(row).includes(stored))).to.equal(false)
      exporter.expose().fill(0)
    }
    for (const order of [[...rows], [...rows].toReversed()]) {
      const back = restored(new Map(order))!
      expect(digest(back)).to.deep.equal(digest(scene.state))
      expect(back.nodes.get(scene.node(turn).key)!.recipients).to.deep.equal(scene.node(turn).recipients)
    }
  })

  it('is wiped apart from the rows it came from', () => {
    const { scene } = eventful()
    const rows = rowsOf(scene.state)
    const before = digest(rows)
    const back = restored(rows)!
    const secrets = [...back.keys.values()].flatMap(({ exporter, route, chains }) => [
      exporter,
      ...(route === undefined ? [] : [route.envelope, route.topic, route.queue]),
      ...chains.map(({ key }) => key),
    ])
    for (const secret of [...secrets, ...back.pending.map((seed) => seed.secret)]) secret.wipe()
    expect(digest(rows)).to.deep.equal(before)
  })

  it('is nothing without its head, or where any row is damaged', () => {
    const { scene } = eventful()
    const rows = rowsOf(scene.state)
    expect(restored(rows)).to.not.equal(undefined)
    expect(restored(new Map())).to.equal(undefined)
    for (const [key, value] of rows) {
      const cut = new Map([...rows, [key, value.slice(0, -1)]])
      expect(restored(cut), key).to.equal(undefined)
    }
  })

  it('is nothing where a record lies under another’s name, or is of another conversation', () => {
    const scene = new EpochScene()
    const one = scene.keyed('b')
    const rows = rowsOf(scene.state)
    const key = `n/${toHex(one.record.id)}`
    const moved = new Map(
      [...rows].map(([name, value]) => [name === key ? `n/${'0'.repeat(64)}` : name, value]),
    )
    expect(restored(moved)).to.equal(undefined)
    const other = new Map([...rows, ...rowsOf({ ...scene.state, conversation: seedOf('other') })])
    expect(restored(other)).to.equal(undefined)
  })

  it('is nothing where a record is none, or lists no devices though nothing gives it any', () => {
    const scene = new EpochScene()
    const route = scene.keyed('b')
    const [turn, odd] = [scene.write('c', { on: route }), scene.write('b', { on: route })]
    scene.take(turn, odd)
    const stored = (record: Partial<EpochNode['record']>): Rows => {
      const node = { ...scene.node(odd), record: { ...scene.node(odd).record, ...record } }
      return rowsOf({ ...scene.state, nodes: new Map([...scene.state.nodes, [node.key, node]]) })
    }
    expect(restored(stored({}))).to.not.equal(undefined)
    expect(restored(stored({ bytes: seedOf('no record') }))).to.equal(undefined)
    const riding = scene.write('c', { on: turn })
    const nodes = new Map([[scene.node(turn).key, scene.node(turn)], ...scene.state.nodes])
    nodes.set(toHex(riding.record.id), {
      ...scene.node(turn),
      key: toHex(riding.record.id),
      record: riding.record,
    })
    expect(restored(rowsOf({ ...scene.state, nodes })), 'on a turn').to.equal(undefined)
    const plain = scene.write('b')
    const listless = { ...plain.record, terms: turn.record.terms }
    const key = toHex(plain.record.id)
    const bare = new Map([...scene.state.nodes, [key, { ...scene.node(turn), key, record: listless }]])
    expect(restored(rowsOf({ ...scene.state, nodes: bare })), 'a topic of its own').to.equal(undefined)
  })

  it('is nothing where a turn’s route is not there, or its lists are not one for each device', () => {
    const scene = new EpochScene()
    const route = scene.keyed('b')
    const turn = scene.write('c', { after: [route], on: route })
    scene.take(turn)
    const rows = rowsOf(scene.state)
    expect(restored(rows)).to.not.equal(undefined)
    const without = new Map([...rows].filter(([key]) => !key.includes(toHex(route.record.id))))
    expect(restored(without)).to.equal(undefined)
    for (const part of ['heard', 'acked'] as const) {
      const node = { ...scene.node(turn), [part]: [false, false] }
      const nodes = new Map([...scene.state.nodes, [node.key, node]])
      expect(restored(rowsOf({ ...scene.state, nodes })), part).to.equal(undefined)
    }
  })

  it('is nothing where keys lack their record, or chains are not one for each device', () => {
    const scene = new EpochScene()
    const one = scene.keyed('b')
    const key = toHex(one.record.id)
    const rows = rowsOf(scene.state)
    expect(restored(new Map([...rows].filter(([name]) => name !== `n/${key}`)))).to.equal(undefined)
    expect(restored(new Map([...rows].filter(([name]) => name !== `c/${key}/0`)))).to.equal(undefined)
    const held = scene.state.keys.get(key)!
    const stored = (count: number): Rows => {
      const chains = Array.from({ length: count }, (_, i) => held.chains[i % 3]!)
      return rowsOf({ ...scene.state, keys: new Map([[key, { ...held, chains }]]) })
    }
    expect(restored(stored(3))).to.not.equal(undefined)
    expect(restored(stored(0)), 'none, once they are erased').to.not.equal(undefined)
    for (const count of [2, 4, 19]) expect(restored(stored(count)), String(count)).to.equal(undefined)
    const more = new Map([...rows, [`c/${key}/0`, stored(2).get(`c/${key}/0`)!]])
    expect(restored(more), 'fewer than the keys say').to.equal(undefined)
  })

  it('has no more waiting seeds than there is room for', () => {
    const scene = new EpochScene()
    const waiting = (count: number): ConversationEpochs => {
      const pending = Array.from({ length: count }, (_, i) => {
        const seed = { ...scene.write('b').seed, epoch: seedOf(`epoch ${i}`) }
        return keepSeed(scene.state, seed, personOf('b'), 1).pending[0]!
      })
      return { ...scene.state, pending }
    }
    expect(restored(rowsOf(waiting(limits.pendingSeeds)))!.pending).to.have.length(limits.pendingSeeds)
    expect(restored(rowsOf(waiting(limits.pendingSeeds + 1)))).to.equal(undefined)
  })

  it('reads the chains of many devices from as many rows', () => {
    const names = Array.from({ length: 20 }, (_, i) => String.fromCharCode(97 + i))
    const scene = new EpochScene('a', names)
    const one = scene.keyed('b')
    const rows = rowsOf(scene.state)
    const key = toHex(one.record.id)
    expect(rows.has(`c/${key}/1`)).to.equal(true)
    const back = restored(rows)!
    const chains = (state: ConversationEpochs): readonly string[] =>
      state.keys.get(key)!.chains.map((chain) => toHex(chain.key.expose()))
    expect(chains(back)).to.deep.equal(chains(scene.state))
    const without = new Map([...rows].filter(([name]) => name !== `c/${key}/1`))
    expect(restored(without)).to.equal(undefined)
  })
})
