import { expect } from 'chai'
import { segmentId } from '../../packages/core/src/history/index.ts'
import { fromBase32 } from '../../packages/core/src/wire/index.ts'
import { Town, type Person } from '../support/devices.ts'
import { acquainted, groupOf } from '../support/friends.ts'
import { OpenedHome } from '../support/opened-home.ts'
import { Puppet, type Forged } from '../support/puppet.ts'

const bytes = (id: string): Uint8Array => fromBase32(id)!

async function stage() {
  const town = await Town.found()
  const [ada, bob, mallory] = await acquainted(town, ['Ada', 'Bob', 'Mallory'])
  const conversationId = await groupOf(town, ada, [bob, mallory], 'Trap')
  for (const person of [ada, bob]) {
    await person.device.dispatch('send', { conversationId, text: `I am ${person.name}` })
    await town.pass(5_000)
  }
  return { town, ada, bob, puppet: await Puppet.possess(town, mallory), conversationId }
}

const warnings = async ({ device }: Person): Promise<readonly string[]> =>
  (await device.view('status', {})).warnings.map(({ code }) => code)

const newSessions = (person: Person): number =>
  person.events.filter((event) => event.type === 'device' && event.change === 'rolled-back').length

describe('051: a member who says that a home is an older copy of itself', () => {
  it('moves no number and renews no session by acknowledging what was never written', async () => {
    const { town, ada, bob, puppet, conversationId } = await stage()
    const self = (await ada.device.view('self', {}))!
    const of = {
      conversation: bytes(conversationId),
      account: bytes(self.accountId),
      device: bytes(self.deviceId),
      holes: [],
    }
    for (const upTo of [2, 100, 50_000, 100_001, Number.MAX_SAFE_INTEGER])
      await puppet.say(ada, [{ kind: 'got', ...of, upTo, last: null }])
    const another = { aseq: 0, id: town.crypto.sha256(of.device) }
    await puppet.say(ada, [{ kind: 'got', ...of, upTo: 1, last: another }])
    await town.pass(10_000)
    await ada.device.dispatch('send', { conversationId, text: 'unmoved' })
    await town.pass(10_000)
    expect(await bob.texts(conversationId)).to.deep.equal(['I am Ada', 'I am Bob', 'unmoved'])
    expect((await bob.device.view('history', { conversationId })).missing).to.equal(0)
    expect(await warnings(ada)).to.deep.equal([])
    expect(newSessions(bob)).to.equal(0)
    expect(ada.log.count('got-beyond')).to.equal(6)
  })

  /** Mallory, for whom Ada's first two messages are not; what she may say to hold, and from where on Ada says hers are. */
  async function lateReader() {
    const town = await Town.found()
    const [ada, mallory] = await acquainted(town, ['Ada', 'Mallory'])
    const conversationId = await groupOf(town, ada, [], 'Trap')
    for (const text of ['before', 'before that']) await ada.device.dispatch('send', { conversationId, text })
    const accountId = (await mallory.device.view('self', {}))!.accountId
    await ada.device.dispatch('group-add', { conversationId, accountId })
    await town.pass(20_000)
    await ada.device.dispatch('send', { conversationId, text: 'after' })
    await town.pass(20_000)
    const puppet = await Puppet.possess(town, mallory)
    const self = (await ada.device.view('self', {}))!
    const of = {
      conversation: bytes(conversationId),
      account: bytes(self.accountId),
      device: bytes(self.deviceId),
    }
    const say = (holes: readonly number[]): Promise<void> =>
      puppet.say(ada, [{ kind: 'got', ...of, upTo: 3, holes: [...holes], last: null }])
    const told = (): readonly number[] =>
      puppet.heard
        .flatMap(({ payload }) => payload.items)
        .flatMap((item) => (item.kind === 'records' ? [item.from] : []))
    return { town, say, told }
  }

  it('is told once from where it was to read, however often it says to lack what was before', async () => {
    const { town, say, told } = await lateReader()
    for (let n = 0; n < 10; n++) await say([0])
    await town.pass(10_000)
    expect(told()).to.deep.equal([2])
  })

  it('is told that again a few times, for nobody acknowledges it, and no more once it lacks none of these', async () => {
    const { town, say, told } = await lateReader()
    await say([0])
    await town.pass(60 * 60_000)
    expect(told()).to.deep.equal([2, 2, 2, 2, 2])
    const other = await lateReader()
    await other.say([0])
    await other.town.pass(10_000)
    await other.say([])
    await other.town.pass(60 * 60_000)
    expect(other.told()).to.deep.equal([2])
  })

  it('once it is out, is shown nothing by saying that it holds the newest and lacks what was before', async () => {
    const town = await Town.found()
    const [ada, mallory] = await acquainted(town, ['Ada', 'Mallory'])
    const conversationId = await groupOf(town, ada, [], 'Trap')
    await ada.device.dispatch('send', { conversationId, text: 'before' })
    const accountId = (await mallory.device.view('self', {}))!.accountId
    await ada.device.dispatch('group-add', { conversationId, accountId })
    await town.pass(20_000)
    await ada.device.dispatch('send', { conversationId, text: 'to both' })
    await town.pass(20_000)
    const puppet = await Puppet.possess(town, mallory)
    await ada.device.dispatch('group-remove', { conversationId, accountId })
    await ada.device.dispatch('send', { conversationId, text: 'without Mallory' })
    await town.pass(20_000)
    const self = (await ada.device.view('self', {}))!
    const of = { account: bytes(self.accountId), device: bytes(self.deviceId), holes: [0], last: null }
    await puppet.say(ada, [{ kind: 'got', conversation: bytes(conversationId), ...of, upTo: 3 }])
    await town.pass(10_000)
    const told = puppet.heard.flatMap(({ payload }) => payload.items).filter(({ kind }) => kind === 'records')
    expect(told).to.deep.equal([])
  })

  it('by naming later openings than there were, makes new sessions with itself alone', async () => {
    const { town, ada, bob, puppet, conversationId } = await stage()
    const before = bob.log.lines.filter((line) => JSON.stringify(line).includes('handshake')).length
    for (let n = 0; n < 20; n++) await puppet.say(ada, [], { bootSeen: 1_000 + n })
    await ada.device.dispatch('send', { conversationId, text: 'as ever' })
    await town.pass(10_000)
    expect(await bob.texts(conversationId)).to.deep.equal(['I am Ada', 'I am Bob', 'as ever'])
    expect(bob.log.lines.filter((line) => JSON.stringify(line).includes('handshake')).length).to.equal(before)
    const frames = puppet.heard.length
    await puppet.say(ada, [], { bootSeen: Number.MAX_SAFE_INTEGER })
    await town.pass(10_000)
    expect(puppet.heard.length - frames, 'what it hears of it').to.be.below(3)
  })

  it('shows a record of nobody, of another, or one that is known, to no effect', async () => {
    const { town, ada, bob, puppet, conversationId } = await stage()
    const { signature, bytes: record } = puppet.recordsOf(ada).at(-1)!
    const later = record.slice()
    later[later.length - 1] = (later.at(-1) ?? 0) ^ 1
    const shown = [record, later].map((one) => ({ bytes: one, signature, said: null }))
    await puppet.say(ada, [{ kind: 'records', from: 0, records: shown }])
    await puppet.say(bob, [{ kind: 'records', from: 0, records: shown }])
    await town.pass(10_000)
    await ada.device.dispatch('send', { conversationId, text: 'unmoved' })
    await town.pass(10_000)
    expect(await bob.texts(conversationId)).to.deep.equal(['I am Ada', 'I am Bob', 'unmoved'])
    expect(await warnings(ada)).to.deep.equal([])
    expect(bob.log.lines.map((line) => JSON.stringify(line)).join()).to.include('record-of-another')
  })

  it('shows what a copy of that home wrote, and moves its numbers on, never back, and once', async () => {
    const { town, ada, bob, puppet, conversationId } = await stage()
    for (const text of ['one', 'two']) await ada.device.dispatch('send', { conversationId, text })
    await town.pass(5_000)
    const copy = await OpenedHome.of(town.crypto, ada, town.clock.nowMs())
    const forged = puppet.forge(bytes(conversationId), { aseq: 0, selfPrev: null }, 'by the copy', copy.me)
    for (let n = 0; n < 3; n++)
      await puppet.say(ada, [{ kind: 'records', from: 0, records: [{ ...forged.incoming, said: null }] }])
    await town.pass(5_000)
    expect(await warnings(ada)).to.deep.equal(['E_STORE_ROLLED_BACK'])
    await ada.device.dispatch('send', { conversationId, text: 'three' })
    await town.pass(120_000)
    expect(await bob.texts(conversationId)).to.deep.equal(['I am Ada', 'I am Bob', 'one', 'two', 'three'])
    expect((await bob.device.view('history', { conversationId })).missing).to.equal(0)
    expect(newSessions(bob), 'none of its numbers was taken at Bob').to.equal(0)
    expect(bob.log.count('record-forked')).to.equal(0)
  })

  it('is shown the newest record of its own when it follows another one, or takes a number again', async () => {
    const { town, bob, puppet, conversationId } = await stage()
    const id = bytes(conversationId)
    const first = puppet.forge(id)
    const { aseq } = first.header.content
    const next = {
      aseq: aseq + 1,
      sseq: first.header.content.sseq + 1,
      lamport: first.header.content.lamport + 1,
    }
    const second = puppet.forge(id, { ...next, selfPrev: first.header.id })
    const later = segmentId(town.crypto, id, puppet.conversation(id).segment + 1)
    const past = { aseq: aseq + 2, segment: later, sseq: 1, lamport: 1, selfPrev: first.header.id }
    const shownAfter = async (records: readonly Forged[]): Promise<readonly Uint8Array[]> => {
      const heard = puppet.heard.length
      const incoming = records.map((record) => record.incoming)
      await puppet.say(bob, [{ kind: 'records', from: aseq, records: incoming }])
      await town.pass(5_000)
      const items = puppet.heard.slice(heard).flatMap(({ payload }) => payload.items)
      return items.flatMap((item) => (item.kind === 'records' ? item.records.map((one) => one.bytes) : []))
    }
    expect(await shownAfter([first, second])).to.deep.equal([])
    expect(newSessions(bob)).to.equal(0)
    const beside = puppet.forge(id, past, 'past the second')
    expect(await shownAfter([beside])).to.deep.equal([second.header.bytes])
    const taken = [0, 1, 2].map((n) => puppet.forge(id, { ...past, aseq }, `once more ${n}`))
    expect(await shownAfter(taken), 'once, however many were refused').to.deep.equal([beside.header.bytes])
    expect(newSessions(bob)).to.equal(1)
  })

  it('is heard from a lower number on than it said before, where nothing of it is held', async () => {
    const { town, bob, puppet, conversationId } = await stage()
    const id = bytes(conversationId)
    const unknown = town.crypto.sha256(id)
    const far = puppet.forge(id, { aseq: 7, sseq: 8, selfPrev: unknown, lamport: 9 }, 'lost with the home')
    await puppet.say(bob, [{ kind: 'records', from: 7, records: [far.incoming] }])
    const near = puppet.forge(id, {}, 'from the older copy')
    await puppet.say(bob, [{ kind: 'records', from: near.header.content.aseq, records: [near.incoming] }])
    await town.pass(5_000)
    expect(await bob.texts(conversationId)).to.include('from the older copy')
    expect(newSessions(bob)).to.equal(0)
  })
})
