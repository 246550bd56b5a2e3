import { expect } from 'chai'
import { recordRows } from '../../packages/core/src/device/tables.ts'
import {
  readRecord,
  recordKinds,
  segmentId,
  type RecordDraft,
} from '../../packages/core/src/history/index.ts'
import { limits } from '../../packages/core/src/limits.ts'
import { equalBytes, fromBase32 } from '../../packages/core/src/wire/index.ts'
import { Town, type Person } from '../support/devices.ts'
import { acquainted, befriend, groupOf } from '../support/friends.ts'
import { OpenedHome } from '../support/opened-home.ts'
import { Puppet, type Forged } from '../support/puppet.ts'

/** A group in which everybody has spoken; one of them is somebody's puppet from here on. */
async function stage() {
  const town = await Town.found()
  const [ada, bob, mallory] = await acquainted(town, ['Ada', 'Bob', 'Mallory'])
  await befriend(town, bob, mallory)
  const conversationId = await groupOf(town, ada, [bob, mallory], 'Forks')
  for (const person of [ada, bob, mallory]) {
    await person.device.dispatch('send', { conversationId, text: `I am ${person.name}` })
    await town.pass(5_000)
  }
  const puppet = await Puppet.possess(town, mallory)
  const id = fromBase32(conversationId)!
  const flood = async (to: Person, records: readonly Forged[]): Promise<void> => {
    for (let at = 0; at < records.length; at += 60) {
      const some = records.slice(at, at + 60).map(({ incoming }) => incoming)
      await puppet.say(to, [{ kind: 'records', from: 0, records: some }])
    }
  }
  /** Talk goes on, and reads alike. */
  const goesOn = async (text: string): Promise<void> => {
    for (const person of [ada, bob])
      await person.device.dispatch('send', { conversationId, text: `${person.name}: ${text}` })
    await town.pass(120_000)
    for (const person of [ada, bob]) {
      const texts = await person.texts(conversationId)
      for (const name of ['Ada', 'Bob']) expect(texts, person.name).to.include(`${name}: ${text}`)
    }
  }
  return { town, ada, bob, puppet, conversationId, id, flood, goesOn }
}

describe('077: a member whose device writes many records of one number', () => {
  it('is heard with a limited number of branches, stops no device, and talk goes on', async () => {
    const { town, ada, bob, puppet, id, flood, goesOn } = await stage()
    const segment = segmentId(town.crypto, id, 1)
    const branch = (i: number): Forged =>
      puppet.forge(id, { segment, aseq: 10 + 2 * i, sseq: 1, lamport: 1 }, `branch ${i}`)
    const branches = Array.from({ length: limits.segmentRecords + 40 }, (_, i) => branch(i))
    for (const person of [ada, bob]) await flood(person, branches)
    await goesOn('still here')
    const home = await OpenedHome.of(town.crypto, ada, town.clock.nowMs())
    const kept = [...(await home.raw(recordRows)).values()]
      .map((row) => readRecord(town.crypto, recordRows.decode(row).bytes)!.content)
      .filter((one) => one.sseq === 1 && equalBytes(one.device, puppet.home.me.self.device))
    expect(kept.filter((one) => equalBytes(one.segment, segment))).to.have.length(limits.recordForkBranches)
  })

  it('cannot keep a message out by citing one branch here that is one too many there', async () => {
    const { town, ada, bob, puppet, id, conversationId, flood } = await stage()
    const segment = segmentId(town.crypto, id, 1)
    const branch = (i: number): Forged =>
      puppet.forge(id, { segment, aseq: 10 + i, sseq: 1, lamport: 1 }, `branch ${i}`)
    const full = Array.from({ length: limits.recordForkBranches }, (_, i) => branch(i))
    await flood(ada, full)
    await flood(bob, [branch(100)])
    town.hub.cut(ada.peerId, bob.peerId)
    await bob.device.dispatch('send', { conversationId, text: 'after what Ada did not take' })
    await town.pass(5_000)
    // The first time they meet, Bob hears of Ada's branches; the second time Ada hears of his.
    for (let meeting = 0; meeting < 2; meeting++) {
      town.hub.cut(ada.peerId, bob.peerId)
      await town.pass(90_000)
      town.hub.heal(ada.peerId, bob.peerId)
      await town.pass(90_000)
    }
    expect(await ada.texts(conversationId)).to.include('after what Ada did not take')
  })

  it('may react without end: what is seen is looked at in a limited number, and others react as ever', async () => {
    const { town, ada, bob, puppet, id, conversationId, flood } = await stage()
    const said = await ada.device.dispatch('send', { conversationId, text: 'look at me' })
    await town.pass(5_000)
    const target = fromBase32(said.messageId)!
    const reactions: Forged[] = []
    for (let i = 0; i < limits.recordsAbout + 20; i++) {
      const last = reactions.at(-1)?.header
      const part: Partial<RecordDraft> = { kind: recordKinds.react, target }
      const next =
        last === undefined
          ? {}
          : {
              aseq: last.content.aseq + 1,
              sseq: last.content.sseq + 1,
              selfPrev: last.id,
              lamport: last.content.lamport + 1,
            }
      reactions.push(puppet.forge(id, { ...part, ...next }, `reaction ${i}`))
    }
    await flood(ada, reactions)
    expect(ada.log.lines.filter((line) => JSON.stringify(line).includes('about-too-much'))).to.have.length(20)
    await bob.device.dispatch('react', { messageId: said.messageId, emoji: '👍' })
    await town.pass(10_000)
    const seen = await ada.device.view('message', { messageId: said.messageId })
    expect(seen.reactions.map(({ emoji }) => emoji)).to.include('👍')
  })
})
