/** What a device erases of its epochs, and when. */
import { expect } from 'chai'
import {
  epochTopics,
  isLagging,
  keepSeed,
  onSeedAck,
  type ConversationEpochs,
} from '../../../packages/core/src/group/index.ts'
import { dropSkipped } from '../../../packages/core/src/group/epoch-retire.ts'
import { addSkipped, skippedKey } from '../../../packages/core/src/group/skipped-generations.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { toHex } from '../../../packages/core/src/wire/index.ts'
import { crypto, EpochScene, personOf, seedOf, type Written } from './epoch-scene.ts'

/** An epoch and one that follows it, a while later. */
function superseded(): { scene: EpochScene; old: Written; next: Written } {
  const scene = new EpochScene()
  const old = scene.keyed('b')
  scene.nowMs += 1_000
  const next = scene.keyed('c', { after: [old] })
  return { scene, old, next }
}

describe('conversation epochs: the keys of an epoch left behind', () => {
  it('go once every device that is waited for has spoken in what follows', () => {
    const { scene, old, next } = superseded()
    const last = scene.keyed('b', { after: [next] })
    scene.hears(next, 'a', 'b')
    scene.sweep()
    expect(scene.opens(old), 'c is silent').to.equal(true)
    scene.hears(last, 'c')
    scene.sweep()
    expect(scene.opens(old)).to.equal(false)
    expect(scene.node(old).retiredAtMs).to.equal(scene.nowMs)
    expect(
      [next, last].map((one) => scene.opens(one)),
      'nobody has moved on from these',
    ).to.deep.equal([true, true])
  })

  it('go without those that nobody waits for, and wait for a device that what follows does not list', () => {
    const { scene, old, next } = superseded()
    scene.hears(next, 'a', 'b')
    scene.sweep(0, ['a', 'b', 'd'])
    expect(scene.opens(old)).to.equal(true)
    scene.sweep(0, ['a', 'b'])
    expect(scene.opens(old)).to.equal(false)
  })

  it('stay as long as nothing keyed follows, whoever has spoken', () => {
    const scene = new EpochScene()
    const old = scene.keyed('b')
    scene.take(scene.write('c', { after: [old] }))
    scene.hears(old, 'a', 'b', 'c')
    scene.sweep(limits.epochSupersededMs, [])
    expect(scene.opens(old)).to.equal(true)
  })

  it('go 7 days after they were superseded, and 16 days after they came', () => {
    const { scene, old, next } = superseded()
    scene.sweep(limits.epochSupersededMs - 1)
    expect(scene.opens(old)).to.equal(true)
    scene.sweep(1)
    expect(scene.opens(old)).to.equal(false)
    expect(scene.opens(next)).to.equal(true)
    scene.sweep(limits.epochKeyMs - limits.epochSupersededMs - 1)
    expect(scene.opens(next)).to.equal(true)
    scene.sweep(1)
    expect(scene.opens(next)).to.equal(false)
  })

  it('are handed over to be wiped: exporter and chains, each once', () => {
    const { scene, old } = superseded()
    const held = scene.state.keys.get(scene.node(old).key)!
    const skipped = addSkipped(held.chains[1]!.skipped, [{ generation: 0, key: seedOf('key') }], 1)
    const chains = held.chains.with(1, { ...held.chains[1]!, skipped, count: 1 })
    const keys = new Map([...scene.state.keys, [scene.node(old).key, { ...held, chains }]])
    scene.state = { ...scene.state, keys }
    const { spent } = scene.sweep(limits.epochSupersededMs)
    expect(spent).to.include.members([held.exporter, skipped.rows, ...held.chains.map(({ key }) => key)])
    expect(spent).to.not.include(held.route!.envelope)
    const since = scene.node(old).retiredAtMs
    expect(scene.sweep(1).spent).to.deep.equal([])
    expect(scene.node(old).retiredAtMs).to.equal(since)
  })
})

describe('conversation epochs: the keys of a topic', () => {
  const names = (scene: EpochScene): readonly string[] =>
    epochTopics(crypto, scene.state, scene.nowMs).map(({ epoch }) => toHex(epoch))

  it('outlive those of its epoch by 7 days, for a turn may still come, and are then handed over', () => {
    const { scene, old } = superseded()
    const { route } = scene.state.keys.get(scene.node(old).key)!
    scene.sweep(limits.epochSupersededMs)
    expect(scene.opens(old)).to.equal(false)
    const [retired, live] = names(scene)
    scene.sweep(limits.epochSupersededMs - 1)
    expect(names(scene)).to.deep.equal([retired, live])
    const { spent } = scene.sweep(1)
    expect(names(scene)).to.deep.equal([live])
    expect(spent).to.deep.equal([route!.envelope, route!.topic, route!.queue])
    expect(scene.state.keys.has(scene.node(old).key)).to.equal(false)
  })

  it('stay as long as a turn that rides on it is read', () => {
    const scene = new EpochScene()
    const route = scene.keyed('b')
    scene.nowMs += limits.epochKeyMs - 1_000
    const turn = scene.keyed('c', { after: [route], on: route })
    scene.sweep(1_000)
    expect([scene.opens(route), scene.opens(turn)]).to.deep.equal([false, true])
    scene.sweep(limits.epochKeyMs - 2_000)
    expect(scene.listens(route)).to.equal(true)
    scene.sweep(1_000)
    expect(scene.opens(turn)).to.equal(false)
    expect(scene.state.keys.has(scene.node(turn).key), 'a turn leaves nothing').to.equal(false)
    expect(scene.listens(route)).to.equal(false)
  })

  it('are no more than the epochs that are keyed: those retired first go first', () => {
    const scene = new EpochScene()
    let last = scene.keyed('b')
    const all = [last]
    const count = limits.keyedEpochs + 3
    for (let i = 1; i < count; i++) {
      scene.nowMs += 200_000
      last = scene.keyed(i % 2 === 0 ? 'b' : 'c', { after: [last] })
      scene.hears(last, 'a', 'b', 'c')
      scene.sweep()
      all.push(last)
    }
    expect(all.map((one) => scene.opens(one)).indexOf(true)).to.equal(count - 1)
    expect(all.map((one) => scene.listens(one))).to.deep.equal(all.map((_, i) => i >= 2))
  })
})

describe('conversation epochs: no more keyed than there is room for', () => {
  /** As many epochs as there is room for, all following one, none another. */
  function full(): { scene: EpochScene; root: Written; all: Written[] } {
    const scene = new EpochScene()
    const root = scene.keyed('b')
    const all: Written[] = []
    for (let i = 1; i < limits.keyedEpochs; i++) {
      if (i % 20 === 0) scene.nowMs += 3_600_000
      all.push(scene.keyed(i % 2 === 0 ? 'b' : 'c', { after: [root] }))
    }
    scene.nowMs += 3_600_000
    return { scene, root, all }
  }

  it('the longest superseded goes first', () => {
    const { scene, root, all } = full()
    const next = scene.keyed('b', { after: [all[3]!] })
    expect([root, all[3]!, next].map((one) => scene.opens(one))).to.deep.equal([false, true, true])
    const last = scene.keyed('c', { after: [root] })
    expect([all[3]!, next, last].map((one) => scene.opens(one))).to.deep.equal([false, true, true])
    expect(all.filter((one) => scene.opens(one))).to.have.length(all.length - 1)
  })

  it('then the one least preferred, but never the one that has just come', () => {
    const { scene, root, all } = full()
    all.push(scene.keyed('b', { after: [root] }))
    expect([root, ...all].map((one) => scene.opens(one)).indexOf(true), 'the first is superseded').to.equal(1)
    const lone = scene.keyed('c')
    const byId = all.toSorted((x, y) => (toHex(x.record.id) < toHex(y.record.id) ? -1 : 1))
    expect(scene.opens(lone)).to.equal(true)
    expect(byId.map((one) => scene.opens(one)).indexOf(false), 'of equal depths the last').to.equal(
      byId.length - 1,
    )
    all.push(scene.keyed('b', { after: [root] }))
    expect(scene.opens(lone), 'the shallowest').to.equal(false)
    expect(all.filter((one) => !scene.opens(one))).to.deep.equal(byId.slice(-1))
  })
})

describe('conversation epochs: skipped keys', () => {
  /** Skipped keys of one chain, so many, since when. */
  const skip = (scene: EpochScene, written: Written, index: number, count: number, sinceMs: number): void => {
    const { key } = scene.node(written)
    const held = scene.state.keys.get(key)!
    const added = Array.from({ length: count }, (_, generation) => ({
      generation,
      key: seedOf(`skipped ${index} ${generation}`),
    }))
    const chain = held.chains[index]!
    const skipped = addSkipped(chain.skipped, added, sinceMs)
    const chains = held.chains.with(index, { ...chain, skipped, count })
    scene.state = { ...scene.state, keys: new Map([...scene.state.keys, [key, { ...held, chains }]]) }
  }
  const counts = (state: ConversationEpochs, scene: EpochScene, written: Written): readonly number[] =>
    state.keys.get(scene.node(written).key)!.chains.map(({ skipped }) => skipped.count)

  it('go 7 days after they were passed over', () => {
    const { scene, old, next } = superseded()
    skip(scene, old, 1, 2, scene.nowMs)
    skip(scene, next, 2, 3, scene.nowMs + 1)
    const before = scene.state
    expect(dropSkipped(before, scene.nowMs + limits.skippedGenerationMs)).to.deep.equal({
      state: before,
      spent: [],
    })
    const { state, spent } = dropSkipped(before, scene.nowMs + limits.skippedGenerationMs + 1)
    expect(counts(state, scene, old)).to.deep.equal([0, 0, 0])
    expect(counts(state, scene, next)).to.deep.equal([0, 0, 3])
    expect(spent).to.deep.equal([before.keys.get(scene.node(old).key)!.chains[1]!.skipped.rows])
    expect(state.keys.get(scene.node(next).key), 'untouched').to.equal(before.keys.get(scene.node(next).key))
  })

  it('are 2,000 at most, the chains with the oldest giving up theirs first', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']
    const scene = new EpochScene('a', names)
    const written = scene.keyed('b')
    const full = limits.skippedGenerations
    // Exactly as many as there is room for; the third chain holds the oldest, the second the next.
    const held = [0, full, 118, 90, full, full, full, full, full, full]
    expect(held.reduce((sum, count) => sum + count)).to.equal(limits.skippedGenerationsTotal)
    held.forEach((count, i) => {
      if (count > 0) skip(scene, written, i, count, scene.nowMs + (count === full ? 9 : i === 2 ? 5 : 0))
    })
    expect(dropSkipped(scene.state, scene.nowMs).state).to.equal(scene.state)
    const other = scene.keyed('c', { after: [written] })
    skip(scene, other, 4, 100, scene.nowMs + 50)
    const before = scene.state
    const { state, spent } = dropSkipped(before, scene.nowMs)
    expect(counts(state, scene, written)).to.deep.equal(held.with(3, 0).with(2, 108))
    expect(counts(state, scene, other)[4]).to.equal(100)
    const chains = before.keys.get(scene.node(written).key)!.chains
    expect(spent).to.deep.equal([chains[3]!.skipped.rows, chains[2]!.skipped.rows])
    const left = state.keys.get(scene.node(written).key)!.chains[2]!.skipped
    expect([9, 10].map((generation) => skippedKey(left, generation) !== undefined)).to.deep.equal([
      false,
      true,
    ])
  })
})

describe('conversation epochs: seeds without records, and records without use', () => {
  it('a seed waits 16 days for its record', () => {
    const scene = new EpochScene()
    const [one, two] = [scene.write('b'), scene.write('c')]
    scene.state = keepSeed(scene.state, one.seed, personOf('b'), scene.nowMs)
    scene.state = keepSeed(scene.state, two.seed, personOf('c'), scene.nowMs + 1)
    const [first, second] = scene.state.pending
    expect(scene.sweep(limits.heldMs).spent).to.deep.equal([])
    expect(scene.state.pending).to.have.length(2)
    expect(scene.sweep(1).spent).to.deep.equal([first!.secret])
    expect(scene.state.pending).to.deep.equal([second])
  })

  it('a record is kept 16 days after its keys went, and what is not newer is then refused', () => {
    const { scene, old, next } = superseded()
    scene.sweep(limits.epochSupersededMs)
    const retired = scene.nowMs
    scene.sweep(limits.epochRecordMs)
    expect(scene.knows(old)).to.equal(true)
    expect(scene.state.forgottenUpToMs).to.equal(0)
    expect(scene.sweep(1).spent, 'a record is no secret').to.deep.equal([])
    expect(scene.nowMs).to.equal(retired + limits.epochRecordMs + 1)
    expect(
      [old, next].map((one) => scene.knows(one)),
      'nothing follows the second',
    ).to.deep.equal([false, true])
    expect(scene.state.forgottenUpToMs).to.equal(old.record.terms.timestampMs)
    expect(scene.outcome(old)).to.equal('too-old')
  })

  it('that of a turn 4 days', () => {
    const scene = new EpochScene()
    const route = scene.keyed('b')
    const turn = scene.keyed('c', { after: [route], on: route })
    scene.keyed('b', { after: [turn], on: route })
    scene.sweep(limits.epochSupersededMs)
    expect(scene.opens(turn)).to.equal(false)
    scene.sweep(limits.turnRecordMs)
    expect(scene.knows(turn)).to.equal(true)
    scene.sweep(1)
    expect([route, turn].map((one) => scene.knows(one))).to.deep.equal([true, false])
  })

  it('of an epoch that was never keyed it is kept as long from when it came, or from its own time where that is later', () => {
    const scene = new EpochScene()
    const came = scene.write('b')
    const ahead = scene.write('b', { timestampMs: scene.nowMs + 1_000 })
    scene.take(came, ahead)
    scene.take(scene.write('c', { after: [came, ahead] }))
    scene.sweep(limits.epochRecordMs)
    expect(scene.knows(came)).to.equal(true)
    scene.sweep(1)
    expect([came, ahead].map((one) => scene.knows(one))).to.deep.equal([false, true])
    scene.sweep(1_000)
    expect(scene.knows(ahead)).to.equal(false)
    expect(scene.state.forgottenUpToMs).to.equal(ahead.record.terms.timestampMs)
  })

  it('and as long as something rides on it or its keys are here, however old', () => {
    const scene = new EpochScene()
    const lost = scene.write('b')
    scene.take(lost)
    scene.nowMs += limits.epochRecordMs
    const turn = scene.keyed('c', { after: [lost], on: lost })
    scene.sweep(1)
    expect(scene.knows(lost), 'a turn in use rides on it').to.equal(true)
    scene.take(scene.write('b', { after: [turn] }))
    scene.sweep(limits.epochKeyMs)
    expect(scene.opens(turn)).to.equal(false)
    scene.sweep()
    expect(scene.knows(lost)).to.equal(false)
  })

  it('what was forgotten up to never goes back', () => {
    const { scene, old } = superseded()
    scene.state = { ...scene.state, forgottenUpToMs: scene.nowMs + 9 }
    scene.sweep(limits.epochSupersededMs)
    scene.sweep(limits.epochRecordMs + 1)
    expect(scene.knows(old)).to.equal(false)
    expect(scene.state.forgottenUpToMs).to.be.greaterThan(old.record.terms.timestampMs + 1)
  })
})

describe('conversation epochs: who lags', () => {
  /** An own epoch. */
  function begin(scene: EpochScene, at: readonly string[] = scene.names): Uint8Array {
    const devices = at.map(personOf)
    const created = scene.create({}, scene.view({ devices, heads: [scene.head(at)] }))
    scene.state = created.state
    return created.epoch
  }
  /** Whoever lags, in whatever order the epochs are held. */
  function lagging(scene: EpochScene): readonly string[] {
    const reversed = { ...scene.state, nodes: new Map([...scene.state.nodes].toReversed()) }
    const [one, other] = [scene.state, reversed].map((state) =>
      ['a', 'b', 'c', 'd'].filter((name) => isLagging(state, personOf(name), scene.nowMs)),
    )
    expect(one).to.deep.equal(other)
    return one!
  }

  it('nobody who answered the newest seed, or was heard under it; nor this device, nor who got none', () => {
    const scene = new EpochScene()
    scene.keyed('b')
    scene.nowMs += limits.seedAckMs + 1
    expect(lagging(scene), 'no own seed').to.deep.equal([])
    const epoch = begin(scene)
    scene.nowMs += limits.seedAckMs
    expect(lagging(scene)).to.deep.equal([])
    scene.nowMs += 1
    expect(lagging(scene)).to.deep.equal(['b', 'c'])
    scene.state = onSeedAck(scene.state, epoch, personOf('b'))
    expect(lagging(scene)).to.deep.equal(['c'])
    const [node] = [...scene.state.nodes.values()].slice(-1)
    scene.hears({ record: node!.record, seed: {} as never }, 'c')
    expect(lagging(scene)).to.deep.equal([])
  })

  it('is asked of the newest seed for it: the last accepted, and of two at once the deeper', () => {
    const scene = new EpochScene()
    const first = begin(scene)
    const second = begin(scene)
    scene.state = onSeedAck(scene.state, first, personOf('b'))
    scene.nowMs += limits.seedAckMs + 1
    expect(lagging(scene)).to.deep.equal(['b', 'c'])
    scene.state = onSeedAck(scene.state, second, personOf('b'))
    expect(lagging(scene)).to.deep.equal(['c'])
    begin(scene)
    expect(lagging(scene), 'a new one is on its way').to.deep.equal([])
    scene.nowMs += 1
    begin(scene, ['a', 'b'])
    scene.nowMs += limits.seedAckMs
    expect(lagging(scene), 'the newest does not list c').to.deep.equal(['c'])
    scene.nowMs += 1
    expect(lagging(scene)).to.deep.equal(['b', 'c'])
  })
})
