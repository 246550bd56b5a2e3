/** What a member, a former member, a thief or a broken sender may try, and what stays closed to them. */
import { expect } from 'chai'
import { forge, verdictOf } from '../../support/epoch-insider.ts'
import { contentFrame, GroupWorld, stateOf, type SimDevice } from '../../support/group-world.ts'
import { dayMs, nodeProvider as crypto } from '../../support/session-world.ts'
import {
  acceptEpoch,
  createEpoch,
  issueCard,
  keepSeed,
  maySendSeed,
  onSeed,
  open,
  preferredEpoch,
  restoreEpochs,
  sealControl,
  verifyCard,
  type ConversationEpochs,
  type EpochsSwept,
  sweepEpochs,
} from '../../../packages/core/src/group/index.ts'
import { issueSlotBase } from '../../../packages/core/src/group/epoch-items.ts'
import { contextOf, issueEpoch, readEpoch } from '../../../packages/core/src/group/epoch-record.ts'
import { Secret } from '../../../packages/core/src/crypto/index.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { toHex } from '../../../packages/core/src/wire/index.ts'

/** Three devices of three people that have spoken once each. */
function talking(seed: string): { world: GroupWorld; a: SimDevice; b: SimDevice; c: SimDevice } {
  const world = new GroupWorld(crypto, seed)
  const a = world.add('a.0')
  const b = world.add('b.0', a)
  const c = world.add('c.0', a)
  world.drain()
  for (const device of [a, b, c]) {
    world.send(device, `hello from ${device.name}`)
    world.drain()
  }
  return { world, a, b, c }
}

describe('conversation epochs: attacks', () => {
  describe('an insider, who can derive every chain', () => {
    it('cannot spend a generation of another device, nor put it off', () => {
      const { world, a, b, c } = talking('squat')
      const theirs = contentFrame.encode({
        bytes: world.bytes(64),
        signature: world.bytes(64) as never,
        salt: world.bytes(32),
        body: world.bytes(8),
      })
      const before = c.state
      for (const ahead of [0, 1, limits.generationsAhead]) {
        const { envelope } = forge(world, b.state, a, ahead, theirs)
        expect(verdictOf(world, c.state, envelope)).to.deep.equal({ state: before, verdict: 'not-a-record' })
      }
      const far = forge(world, b.state, a, limits.generationsAhead + 1, theirs)
      expect(verdictOf(world, c.state, far.envelope).verdict).to.equal('too-far')
      const id = world.send(a, 'genuine')
      world.drain()
      expect(c.delivered.get(id)).to.equal(1)
    })

    it('cannot move a genuine record to another generation', () => {
      const { world, a, b, c } = talking('move')
      const id = world.send(a, 'once')
      const content = a.outbox.find((row) => row.id === id)!.content
      const early = forge(world, b.state, a, 1, content)
      expect(verdictOf(world, c.state, early.envelope)).to.deep.equal({
        state: c.state,
        verdict: 'not-a-record',
      })
      const atItsPlace = forge(world, b.state, a, 0, content)
      const helped = verdictOf(world, c.state, atItsPlace.envelope)
      expect(helped.verdict).to.equal('record')
      const genuine = world.sealed.at(-1)!.envelope
      expect(verdictOf(world, helped.state, genuine).verdict).to.equal('replayed')
    })

    it('cannot state a base for another device', () => {
      const { world, b, c } = talking('base')
      const d = world.add('d.0', b)
      world.drain()
      world.send(b, 'with d')
      world.drain()
      const id = world.send(d, 'first of d')
      const content = d.outbox.find((row) => row.id === id)!.content
      const node = preferredEpoch(b.state, world.viewOf(b), world.nowMs)!
      const slot = issueSlotBase(crypto, b.keys, world.conversation, node.record.id, d.address, 0)
      const { envelope } = forge(world, b.state, d, 0, content, slot)
      expect(verdictOf(world, c.state, envelope)).to.deep.equal({ state: c.state, verdict: 'bad-base' })
      // Without any base the record is shown and nothing is spent: the genuine envelope still counts.
      const bare = forge(world, b.state, d, 0, content)
      const shown = verdictOf(world, c.state, bare.envelope)
      expect(shown).to.deep.equal({ state: c.state, verdict: 'record' })
      world.drain()
      expect(c.delivered.get(id)).to.equal(1)
    })

    it('cannot send on as another what one device said in another epoch or conversation', () => {
      const { world, a, c } = talking('cross')
      const other = talking('cross, elsewhere')
      other.world.send(other.a, 'elsewhere')
      const foreign = other.world.sealed.at(-1)!
      expect(verdictOf(world, c.state, foreign.envelope).verdict).to.equal('held route')
      world.send(a, 'here')
      const flipped = world.sealed.at(-1)!.envelope.slice()
      flipped[flipped.length - 1]! ^= 1
      expect(verdictOf(world, c.state, flipped)).to.deep.equal({ state: c.state, verdict: 'held route' })
    })
  })

  describe('seeds', () => {
    const made = (world: GroupWorld, a: SimDevice) =>
      createEpoch(
        crypto,
        a.state,
        a.keys,
        world.viewOf(a),
        { reason: 'doubt', base: a.nextAseq },
        world.bytes(32),
        world.nowMs,
      )
    const withRecord = (world: GroupWorld, to: SimDevice, record: Uint8Array): ConversationEpochs => {
      const verdict = acceptEpoch(crypto, to.state, record, world.viewOf(to), world.nowMs)
      if (verdict.verdict !== 'accepted') throw new Error('a genuine record was not accepted')
      return verdict.value.state
    }
    const reasonOf = (verdict: ReturnType<typeof onSeed>): string =>
      verdict.verdict === 'rejected' ? verdict.reason : verdict.verdict

    it('one record stands for one secret: twins, second seeds and seeds by others are refused', () => {
      const { world, a, b, c } = talking('salamander')
      const epoch = made(world, a)
      const state = withRecord(world, c, epoch.record)
      const twin = { ...epoch.seed, secret: world.bytes(32) }
      expect(reasonOf(onSeed(crypto, state, twin, a.address, world.nowMs))).to.equal('bad-commitment')
      const shifted = { ...epoch.seed, context: world.bytes(32) }
      expect(reasonOf(onSeed(crypto, state, shifted, a.address, world.nowMs))).to.equal('bad-context')
      expect(reasonOf(onSeed(crypto, state, epoch.seed, b.address, world.nowMs))).to.equal('not-the-author')
      const taken = onSeed(crypto, state, epoch.seed, a.address, world.nowMs)
      if (taken.verdict !== 'accepted') throw new Error('the genuine seed was not taken')
      const again = taken.value.state
      expect(reasonOf(onSeed(crypto, again, epoch.seed, a.address, world.nowMs))).to.equal('already-seeded')
      expect(reasonOf(onSeed(crypto, again, twin, a.address, world.nowMs))).to.equal('already-seeded')
    })

    it('a seed ahead of its record waits, and keys only with its author’s own', () => {
      const { world, a, b, c } = talking('ahead')
      const epoch = made(world, a)
      expect(reasonOf(onSeed(crypto, c.state, epoch.seed, a.address, world.nowMs))).to.equal('held')
      const lured = keepSeed(c.state, { ...epoch.seed, secret: world.bytes(32) }, b.address, world.nowMs)
      const waiting = keepSeed(lured, epoch.seed, a.address, world.nowMs)
      expect(waiting.pending.length).to.equal(2)
      const verdict = acceptEpoch(crypto, waiting, epoch.record, world.viewOf(c), world.nowMs)
      if (verdict.verdict !== 'accepted') throw new Error('not accepted')
      expect(verdict.value.keyed).to.equal(true)
      expect(verdict.value.state.pending).to.deep.equal([])
    })

    it('waiting seeds are bounded, by sender and together', () => {
      const { world, a, b, c } = talking('seed flood')
      let { state } = c
      const flood = (from: SimDevice, n: number): void => {
        for (let i = 0; i < n; i++)
          state = keepSeed(
            state,
            { epoch: world.bytes(32), context: world.bytes(32), secret: world.bytes(32) },
            from.address,
            world.nowMs,
          )
      }
      flood(a, limits.pendingSeedsPerSender + 3)
      expect(state.pending.length).to.equal(limits.pendingSeedsPerSender)
      flood(b, limits.pendingSeedsPerSender)
      expect(state.pending.length).to.equal(2 * limits.pendingSeedsPerSender)
    })

    it('goes to nobody but a listed device that is in', () => {
      const { world, a, b } = talking('oracle')
      const epoch = made(world, a)
      const view = world.viewOf(a)
      const outsider = new GroupWorld(crypto, 'outsider').add('x.0')
      expect(maySendSeed(epoch.state, view, epoch.epoch, b.address)).to.equal(true)
      expect(maySendSeed(epoch.state, view, epoch.epoch, outsider.address)).to.equal(false)
      expect(maySendSeed(epoch.state, { devices: [] }, epoch.epoch, b.address)).to.equal(false)
      expect(maySendSeed(withRecord(world, b, epoch.record), view, epoch.epoch, a.address)).to.equal(false)
    })
  })

  describe('a thief with a copy of everything a device held', () => {
    it('opens nothing of a new epoch without its sessions, and nothing that was opened before', () => {
      const { world, a, b, c } = talking('thief')
      const opened = world.sealed.filter(({ by }) => by !== c).map(({ envelope }) => envelope)
      const stolen = c.snapshot()
      for (const envelope of opened)
        expect(verdictOf(world, stateOf(crypto, stolen), envelope).verdict).not.to.equal('record')
      world.send(a, 'still open to the thief')
      expect(verdictOf(world, stateOf(crypto, stolen), world.sealed.at(-1)!.envelope).verdict).to.equal(
        'record',
      )
      world.begin(b, 'doubt')
      world.drain()
      world.send(a, 'closed')
      world.send(b, 'closed too')
      for (const { envelope } of world.sealed.slice(-2))
        expect(verdictOf(world, stateOf(crypto, stolen), envelope).verdict).to.be.oneOf([
          'held route',
          'held epoch',
        ])
    })

    it('finds no key of what was erased: retired chains, old skipped keys, the secret itself', () => {
      const { world, a, b, c } = talking('erased')
      world.send(a, 'lost on the way')
      const lost = world.sealed.at(-1)!.envelope
      c.inbox.splice(0)
      b.inbox.splice(0)
      world.send(a, 'after the gap')
      world.drain()
      expect(verdictOf(world, c.state, lost).verdict).to.equal('record')
      world.nowMs += limits.skippedGenerationMs + 1
      const swept: EpochsSwept = sweepEpochs(c.state, [], world.nowMs)
      c.commit(swept.state, swept.spent)
      expect(verdictOf(world, stateOf(crypto, c.snapshot()), lost).verdict).to.equal('replayed')
      world.nowMs += 20 * dayMs
      const over = sweepEpochs(c.state, [], world.nowMs)
      c.commit(over.state, over.spent)
      expect([...c.state.keys.values()].flatMap(({ chains }) => chains)).to.deep.equal([])
      expect([...c.rows.keys()].filter((key) => key.startsWith('c/'))).to.deep.equal([])
      for (const { envelope } of world.sealed)
        expect(verdictOf(world, stateOf(crypto, c.snapshot()), envelope).verdict).not.to.equal('record')
    })

    it('spent secrets are wiped, and the secret of an epoch is in no row', () => {
      const { world, a } = talking('wiped')
      const epoch = createEpoch(
        crypto,
        a.state,
        a.keys,
        world.viewOf(a),
        { reason: 'doubt', base: a.nextAseq },
        world.bytes(32),
        world.nowMs,
      )
      const secret = toHex(epoch.seed.secret)
      a.commit(epoch.state, epoch.spent)
      expect(epoch.seed.secret.every((byte) => byte === 0)).to.equal(true)
      expect([...a.rows.values()].some((row) => toHex(row).includes(secret))).to.equal(false)
    })
  })

  describe('records of epochs', () => {
    const drafted = (world: GroupWorld, by: SimDevice, change: object, key = by) => {
      const view = world.viewOf(by)
      const honest = readEpoch(
        crypto,
        createEpoch(
          crypto,
          by.state,
          by.keys,
          view,
          { reason: 'doubt', base: 0 },
          world.bytes(32),
          world.nowMs,
        ).record,
      )!
      const terms = { ...honest.terms, ...change }
      contextOf(crypto, terms)
      return issueEpoch(crypto, key.keys, terms, honest.commitment).bytes
    }
    const outcome = (world: GroupWorld, to: SimDevice, record: Uint8Array): string => {
      const verdict = acceptEpoch(crypto, to.state, record, world.viewOf(to), world.nowMs)
      if (verdict.verdict === 'accepted') return 'accepted'
      return verdict.verdict === 'held' ? `held ${verdict.awaiting}` : verdict.reason
    }

    it('are refused for what they say of author, devices, route and time', () => {
      const { world, a, b, c } = talking('records')
      const expired = (device: SimDevice) => ({ kind: 'expired' as const, ...device.address })
      const unknown = new GroupWorld(crypto, 'unknown').add('x.0')
      const route = preferredEpoch(a.state, world.viewOf(a), world.nowMs)!
      const cases: readonly (readonly [object, string, SimDevice?])[] = [
        [{}, 'accepted'],
        [{}, 'bad-signature', b],
        [{ conversation: world.bytes(32) }, 'wrong-conversation'],
        [unknown.address, 'not-a-member'],
        [{ excluded: [expired(b)] }, 'bad-exclusion'],
        [{ excluded: [expired(unknown)] }, 'bad-exclusion'],
        [{ excluded: [{ kind: 'forked', ...b.address, proof: world.bytes(40) }] }, 'bad-exclusion'],
        [{ groupHeads: [world.bytes(32)] }, 'held heads'],
        [{ route: world.bytes(32) }, 'held route'],
        [{ route: route.record.id }, 'accepted'],
        [{ timestampMs: world.nowMs + limits.clockSkewMs }, 'accepted'],
        [{ timestampMs: world.nowMs + limits.clockSkewMs + 1 }, 'held clock'],
      ]
      for (const [change, result, key] of cases)
        expect(outcome(world, c, drafted(world, a, change, key)), JSON.stringify(change)).to.equal(result)
      expect(outcome(world, c, world.bytes(200))).to.equal('malformed')
    })

    it('claim no depth of their own', () => {
      const { world, a, c } = talking('depth')
      const before = Math.max(...[...c.state.nodes.values()].map(({ depth }) => depth))
      const record = drafted(world, a, { depth: 2 ** 50 })
      const verdict = acceptEpoch(crypto, c.state, record, world.viewOf(c), world.nowMs)
      if (verdict.verdict !== 'accepted') throw new Error('not accepted')
      expect(verdict.value.state.nodes.get(toHex(verdict.value.epoch))!.depth).to.equal(before + 1)
    })

    it('are honoured up to a number an hour', () => {
      const { world, a, c } = talking('rate')
      const already = [...c.state.nodes.values()].filter(
        ({ record }) => toHex(record.terms.device) === toHex(a.address.device),
      ).length
      for (let i = already; i < limits.epochsPerAuthorHour; i++) world.begin(a, 'doubt')
      world.drain()
      world.begin(a, 'doubt')
      const late = a.state
      world.drain()
      const last = [...late.nodes.keys()].at(-1)!
      expect(c.state.nodes.has(last)).to.equal(false)
      expect(outcome(world, c, late.nodes.get(last)!.record.bytes)).to.equal('held rate')
      world.nowMs += 3_600_001
      world.drain()
      expect(c.state.nodes.get(last)!.seeded).to.equal(true)
    })

    it('leave at most so many epochs keyed', () => {
      const { world, a, b, c } = talking('keyed')
      for (let i = 0; i < limits.keyedEpochs + 10; i++) {
        world.begin(i % 2 === 0 ? a : b, 'doubt')
        world.nowMs += 200_000
        world.drain()
      }
      const live = [...c.state.keys.values()].filter(({ chains }) => chains.length > 0)
      expect(live.length).to.equal(limits.keyedEpochs)
      world.send(b, 'the newest stays')
      world.drain()
      expect(c.delivered.has(toHex(b.lastId!))).to.equal(true)
    })
  })

  it('skipped keys: 256 ahead and no further, 2,000 together, the oldest going first', () => {
    const { world, a, b, c } = talking('skips')
    const people = [a, b, ...Array.from({ length: 7 }, (_, i) => world.add(`p${String(i)}.0`, a))]
    world.drain()
    for (const device of people) {
      world.send(device, 'a base')
      world.drain()
    }
    const total = (): number =>
      [...c.state.keys.values()]
        .flatMap(({ chains }) => chains)
        .reduce((sum, { skipped }) => sum + skipped.count, 0)
    people.forEach((device, i) => {
      device.nextAseq += limits.generationsAhead
      const id = world.send(device, 'after a gap')
      for (const other of world.devices) if (other !== c) other.inbox.splice(0)
      world.nowMs += 1
      world.drain()
      expect(c.delivered.get(id)).to.equal(1)
      expect(total()).to.equal(Math.min((i + 1) * limits.generationsAhead, limits.skippedGenerationsTotal))
    })
    expect(new Set(world.sealed.slice(-people.length).map(({ epoch }) => epoch)).size).to.equal(1)
    c.nextAseq += 1
    world.send(c, 'a base')
    world.drain()
    c.nextAseq += limits.generationsAhead + 1
    const id = world.send(c, 'out of reach here, so under another epoch')
    world.drain()
    expect(world.sealed.at(-1)!.epoch).not.to.equal(world.sealed.at(-2)!.epoch)
    expect(b.delivered.get(id)).to.equal(1)
  })

  it('a card speaks for its device in its conversation alone', () => {
    const { world, a, b } = talking('card')
    const terms = {
      ...a.address,
      seq: 1,
      bundle: world.bytes(40),
      queues: [{ relay: '/dns4/r', writeSeed: world.bytes(32) }],
    }
    const card = issueCard(crypto, a.keys, world.conversation, terms)
    expect(verifyCard(crypto, a.keys.publicKey, world.conversation, card)).to.equal(true)
    expect(verifyCard(crypto, a.keys.publicKey, world.bytes(32), card)).to.equal(false)
    expect(verifyCard(crypto, b.keys.publicKey, world.conversation, card)).to.equal(false)
    expect(verifyCard(crypto, a.keys.publicKey, world.conversation, { ...card, seq: 2 })).to.equal(false)
    const node = preferredEpoch(a.state, world.viewOf(a), world.nowMs)!
    const { envelope } = sealControl(crypto, a.state, node.record.id, card, world.bytes(24))!
    expect(envelope.length).to.be.lessThan(700)
    const [verdict] = open(crypto, b.state, [{ envelope }], () => [], world.nowMs).verdicts
    if (verdict?.verdict !== 'accepted' || verdict.value.kind !== 'control') throw new Error('not opened')
    expect(verdict.value.control).to.deep.equal(card)
  })

  it('restores from its rows and from nothing else', () => {
    const { c } = talking('rows')
    const rows = [...c.rows].map(([key, value]) => ({ key, value }))
    expect(restoreEpochs(crypto, rows)).not.to.equal(undefined)
    for (const missing of rows.filter(({ key }) => !key.startsWith('p/'))) {
      const rest = rows.filter((row) => row !== missing)
      const without = restoreEpochs(crypto, rest)
      // A missing key row is an epoch without its seed; anything else is damage.
      expect(without === undefined).to.equal(!missing.key.startsWith('k/'), missing.key)
    }
    expect(String(new Secret(new Uint8Array(32)))).to.equal('[secret]')
  })
})
