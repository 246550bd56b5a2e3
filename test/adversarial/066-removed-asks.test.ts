import { expect } from 'chai'
import {
  syncAnswerFrame,
  syncAskFrame,
  syncBodiesAskFrame,
  syncBodiesFrame,
  syncGapsFrame,
} from '../../packages/core/src/history/index.ts'
import { syncFrames } from '../../packages/core/src/device/payload.ts'
import { fromBase32 } from '../../packages/core/src/wire/index.ts'
import { Town, type Person } from '../support/devices.ts'
import { befriend, groupOf } from '../support/friends.ts'
import { accountOf } from '../support/liar.ts'
import { Puppet } from '../support/puppet.ts'

const bytes = (id: string): Uint8Array => fromBase32(id)!
const nonce = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)

/** Every question of sync there is, as wide as it can be, and what is asked of operations by claiming to know none. */
const questions = (conversation: Uint8Array, records: readonly Uint8Array[]) => {
  const digest = new Uint8Array(32).fill(7)
  const from = { version: 1 as const, conversation, nonce, digest, older: null }
  return [
    { what: syncFrames.ask, frame: syncAskFrame.encode({ ...from, before: null, vectors: [] }) },
    { what: syncFrames.ask, frame: syncAskFrame.encode({ ...from, before: 0, vectors: [] }) },
    {
      what: syncFrames.bodiesAsk,
      frame: syncBodiesAskFrame.encode({ version: 1, conversation, nonce, records }),
    },
    {
      what: syncFrames.gaps,
      frame: syncGapsFrame.encode({
        ...{ version: 1, conversation, nonce, before: 9, digest },
        numbers: Uint8Array.of(0, 0, 0),
      }),
    },
  ]
}

/** What a device says to a puppet that asks all of that: frames of sync, texts in them, operations. */
async function interrogate(
  town: Town,
  puppet: Puppet,
  victim: Person,
  id: string,
  records: readonly string[],
) {
  const heard = puppet.heard.length
  const conversation = bytes(id)
  const known = { conversation, accounts: [], heads: [], since: null, logs: [], ops: [] }
  await puppet.say(victim, [{ kind: 'group', ...known }])
  for (const question of questions(conversation, records.map(bytes))) {
    await puppet.say(victim, [{ kind: 'sync', conversation, ...question }])
    await town.pass(2_000)
  }
  const items = puppet.heard.slice(heard).flatMap(({ payload }) => payload.items)
  const frames = items.flatMap((item) => (item.kind === 'sync' ? [item] : []))
  return {
    answers: frames.filter(
      ({ what, frame }) => what === syncFrames.answer && syncAnswerFrame.decode(frame).ok,
    ).length,
    runs: frames.filter(({ what }) => what === syncFrames.runs).length,
    texts: frames.flatMap(({ what, frame }) => {
      const decoded = what === syncFrames.bodies ? syncBodiesFrame.decode(frame) : undefined
      return decoded?.ok === true
        ? decoded.value.bodies.map(({ body }) => new TextDecoder().decode(body).replace(/^[^a-z]*/, ''))
        : []
    }),
    records: items.filter(({ kind }) => kind === 'records').length,
    ops: items.flatMap((item) => (item.kind === 'group' ? item.ops : [])),
  }
}

async function stage() {
  const town = await Town.found()
  const [ada, bob, mallory] = [
    await town.person('Ada'),
    await town.person('Bob'),
    await town.person('Mallory'),
  ]
  await befriend(town, ada, bob)
  await befriend(town, ada, mallory)
  const id = await groupOf(town, ada, [bob, mallory], 'Choir')
  const say = async (by: Person, text: string): Promise<string> => {
    const { messageId } = await by.device.dispatch('send', { conversationId: id, text })
    await town.pass(10_000)
    return messageId
  }
  for (const person of [ada, bob, mallory]) await say(person, `xx before, ${person.name}`)
  return { town, ada, bob, mallory, id, say }
}

describe('066: who is out and asks', () => {
  it('is answered nothing of a group from its cut on, whatever it asks and whoever is asked', async () => {
    const { town, ada, bob, mallory, id, say } = await stage()
    const before = await say(ada, 'xx last for her')
    await ada.device.dispatch('group-remove', { conversationId: id, accountId: await accountOf(mallory) })
    await town.pass(20_000)
    const after = [await say(ada, 'xx after, from Ada'), await say(bob, 'xx after, from Bob')]
    await ada.device.dispatch('group-rename', { conversationId: id, name: 'Without her' })
    await town.pass(20_000)
    const puppet = await Puppet.possess(town, mallory)
    for (const victim of [ada, bob]) {
      const told = await interrogate(town, puppet, victim, id, [before, ...after])
      const { ops, ...rest } = told
      expect(rest, victim.name).to.deep.equal({ answers: 0, runs: 0, texts: [], records: 0 })
      expect(
        ops.some((op) => Buffer.from(op).includes('Without her')),
        'operations after its cut',
      ).to.equal(false)
    }
  })

  it('the same questions of who is in are answered', async () => {
    const { town, ada, mallory, id, say } = await stage()
    const after = await say(ada, 'xx and this')
    const puppet = await Puppet.possess(town, mallory)
    const told = await interrogate(town, puppet, ada, id, [after])
    expect(told.answers).to.be.at.least(2)
    expect(told.runs).to.be.at.least(1)
    expect(told.texts.some((text) => text.includes('and this'))).to.equal(true)
  })

  it('and is back, is answered what was said since, and nothing of what was said meanwhile', async () => {
    const { town, ada, bob, mallory, id, say } = await stage()
    const accountId = await accountOf(mallory)
    await ada.device.dispatch('group-remove', { conversationId: id, accountId })
    await town.pass(20_000)
    const meanwhile = [await say(ada, 'xx meanwhile, from Ada'), await say(bob, 'xx meanwhile, from Bob')]
    await ada.device.dispatch('group-add', { conversationId: id, accountId })
    await town.pass(20_000)
    const since = await say(ada, 'xx since')
    const puppet = await Puppet.possess(town, mallory)
    for (const victim of [ada, bob]) {
      const { answers, texts } = await interrogate(town, puppet, victim, id, [...meanwhile, since])
      expect(answers, victim.name).to.be.at.least(2)
      expect(
        texts.some((text) => text.includes('since')),
        victim.name,
      ).to.equal(true)
      expect(
        texts.filter((text) => text.includes('meanwhile')),
        victim.name,
      ).to.deep.equal([])
    }
  })

  it('as a device that its account removed, is answered nothing in any conversation', async () => {
    const { town, ada, mallory, say, id } = await stage()
    const laptop = await town.link(mallory, 'laptop', 'all')
    await town.pass(60_000)
    const before = await say(ada, 'xx while it was in')
    expect(await laptop.texts(id)).to.include('xx while it was in')
    const devices = await mallory.device.view('devices', {})
    const { deviceId } = devices.find(({ thisDevice }) => !thisDevice)!
    const puppet = await Puppet.possess(town, laptop)
    await mallory.device.dispatch('remove-device', { deviceId })
    await town.pass(20_000)
    const after = await say(ada, 'xx after its cut')
    for (const victim of [ada, mallory]) {
      const { ops, ...rest } = await interrogate(town, puppet, victim, id, [before, after])
      expect(rest, victim.name).to.deep.equal({ answers: 0, runs: 0, texts: [], records: 0 })
      expect(ops, victim.name).to.deep.equal([])
    }
  })
})
