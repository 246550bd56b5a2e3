import { expect } from 'chai'
import { bodyRows, erasureRows, lackingRows, recordRows } from '../../../packages/core/src/device/tables.ts'
import { keptMs } from '../../../packages/core/src/device/retention.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { Town, type Person } from '../../support/devices.ts'
import { befriend } from '../../support/friends.ts'
import { accountOf } from '../../support/liar.ts'
import { OpenedHome } from '../../support/opened-home.ts'
import { exported, onDisk, rest, restedSegment, say } from './folding-world.ts'

const hour = 60 * 60 * 1_000
const day = 24 * hour

/** Lets hours go by in a leap, and what is due then happen. */
async function hours(town: Town, count: number): Promise<void> {
  town.clock.advance(count * hour)
  await town.pass(60_000)
}

/** Lets days go by one by one, as clocks that jump are not believed. */
async function days(town: Town, count: number): Promise<void> {
  for (let n = 0; n < count; n++) await hours(town, 24)
}

/** A group of Ada with two devices and Bob. */
async function stage() {
  const town = await Town.found()
  const ada = await town.person('Ada')
  const bob = await town.person('Bob')
  await befriend(town, ada, bob)
  const members = [await accountOf(bob)]
  const { conversationId } = await ada.device.dispatch('create-group', { name: 'Choir', members })
  await town.pass(10_000)
  const laptop = await town.link(ada, 'laptop', 'all')
  return { town, ada, bob, laptop, all: [ada, bob, laptop], conversationId }
}

const shown = async (person: Person, conversationId: string) =>
  (await person.device.view('history', { conversationId, limit: 1_000 })).messages.map((one) => ({
    text: one.text,
    reactions: one.reactions.length,
    gone: one.deleted,
    missing: one.textMissing,
  }))

/** How many rows of a table a closed device has. */
async function rowsOf(
  town: Town,
  person: Person,
): Promise<{ bodies: number; records: number; owed: number }> {
  await person.close()
  const home = await OpenedHome.of(town.crypto, person, town.clock.nowMs())
  const [bodies, records] = [await home.raw(bodyRows), await home.raw(recordRows)]
  const owed = home.rows.all(lackingRows).length + home.rows.all(erasureRows).length
  return { bodies: bodies.size, records: records.size, owed }
}

const gone = { text: null, reactions: 0, gone: true, missing: null }
const said = (text: string) => ({ text, reactions: 0, gone: false, missing: null })

describe('device: how long a conversation keeps its messages', () => {
  it('is the rule of the group: at every device all that was said and is older goes, and headers stay', async () => {
    const { town, ada, bob, all, conversationId } = await stage()
    const [plain, edited] = await say(ada, conversationId, 'old', 'to be edited')
    await ada.device.dispatch('edit', { messageId: edited!, text: 'edited' })
    await town.pass(10_000)
    await bob.device.dispatch('react', { messageId: plain!, emoji: '👍' })
    await ada.device.dispatch('group-policy', { conversationId, retentionMs: 3 * day })
    await days(town, 2)
    // What is said late about an old message is as old as the message.
    await bob.device.dispatch('react', { messageId: edited!, emoji: '🎉' })
    await say(bob, conversationId, 'newer')
    await town.pass(10_000)
    for (const one of all)
      expect((await shown(one, conversationId)).map(({ text }) => text)).to.deep.equal([
        'old',
        'edited',
        'newer',
      ])
    await days(town, 1)
    await hours(town, 2)
    for (const one of all) {
      expect(await shown(one, conversationId), one.name).to.deep.equal([gone, gone, said('newer')])
      expect(one.log.count('messages-forgotten'), one.name).to.be.at.least(1)
    }
    expect(await exported(ada, conversationId)).to.equal(await exported(bob, conversationId))
    for (const one of all) {
      const { bodies, records, owed } = await rowsOf(town, one)
      expect([records - bodies, owed], 'headers without bodies').to.deep.equal([5, 0])
    }
  })

  it('is tightened at once, for what was said before too, and by who was away when it comes back', async () => {
    const { town, ada, bob, all, conversationId } = await stage()
    await say(ada, conversationId, 'one', 'two')
    await days(town, 2)
    await say(ada, conversationId, 'three')
    await town.pass(10_000)
    await bob.close()
    await ada.device.dispatch('group-policy', { conversationId, retentionMs: day })
    await hours(town, 2)
    expect((await shown(ada, conversationId)).map(({ text }) => text)).to.deep.equal([null, null, 'three'])
    await bob.open(true)
    expect((await shown(bob, conversationId)).map(({ text }) => text)).to.deep.equal(['one', 'two', 'three'])
    await say(ada, conversationId, 'and hello')
    await hours(town, 2)
    const fresh = await town.link(bob, 'tablet', 'all')
    await hours(town, 2)
    for (const one of [...all, fresh])
      expect(await shown(one, conversationId), one.name).to.deep.equal([
        ...[gone, gone],
        ...[said('three'), said('and hello')],
      ])
  })

  it('is lifted before anything came of age, and nothing goes; a rule of less than an hour is none', async () => {
    expect([0, 1, limits.retentionLeastMs].map((retentionMs) => keptMs({ retentionMs }))).to.deep.equal(
      Array<number>(3).fill(limits.retentionLeastMs),
    )
    expect([limits.retentionLeastMs + 1, null].map((retentionMs) => keptMs({ retentionMs }))).to.deep.equal([
      limits.retentionLeastMs + 1,
      null,
    ])
    const { town, ada, all, conversationId } = await stage()
    await say(ada, conversationId, 'one')
    const rule = (retentionMs: number | null) =>
      ada.device.dispatch('group-policy', { conversationId, retentionMs })
    const code = await rule(limits.retentionLeastMs - 1).catch(
      (error: unknown) => (error as { code: string }).code,
    )
    expect(code).to.equal('E_POLICY')
    expect((await rule(limits.retentionLeastMs)).retentionMs).to.equal(limits.retentionLeastMs)
    await hours(town, 0.5)
    await rule(null)
    await days(town, 3)
    for (const one of all) expect(await shown(one, conversationId)).to.deep.equal([said('one')])
  })

  it('holds for sealed segments, which stay sealed and the same everywhere', async () => {
    const world = await restedSegment()
    await rest(world)
    const { town, ada, bob, laptop, conversationId } = world
    const people = [ada, bob, laptop]
    await ada.device.dispatch('group-policy', { conversationId, retentionMs: day })
    await say(ada, conversationId, 'today')
    await hours(town, 3)
    for (const one of people) {
      const messages = await shown(one, conversationId)
      expect(messages.filter(({ text }) => text !== null)).to.deep.equal([said('today')])
      expect(messages).to.have.length(182)
    }
    expect(await exported(ada, conversationId)).to.equal(await exported(bob, conversationId))
    for (const one of people) {
      const { file, bodies } = await onDisk(town, one, conversationId, 0)
      // What was said today, and the word that took a message back.
      expect([file === undefined, bodies], one.name).to.deep.equal([false, 2])
    }
  })
})
