import { expect } from 'chai'
import { limits } from '../../../packages/core/src/limits.ts'
import { stateRows, standingRows } from '../../../packages/core/src/device/tables.ts'
import type { PayloadItem } from '../../../packages/core/src/device/payload.ts'
import { fromBase32, toHex } from '../../../packages/core/src/wire/index.ts'
import { Town, type Person } from '../../support/devices.ts'
import { acquainted, groupOf } from '../../support/friends.ts'
import { OpenedHome } from '../../support/opened-home.ts'
import { Puppet } from '../../support/puppet.ts'

type GroupItem = Extract<PayloadItem, { readonly kind: 'group' }>

const names = ['Ada', 'Bob', 'Cy', 'Dan', 'Eve'] as const

/** A group of five, all of whom agree on who is in. */
async function five() {
  const town = await Town.found()
  const [ada, ...others] = await acquainted(town, names)
  const conversationId = await groupOf(town, ada, others, 'Walkers')
  await town.pass(10_000)
  return { town, ada, others, conversationId }
}

const groupsHeard = (puppet: Puppet): readonly GroupItem[] =>
  puppet.heard.flatMap(({ payload }) => payload.items.filter((item) => item.kind === 'group'))

describe('device: how a group stands', () => {
  it('is said against what both agreed on, and in full to whoever does not hold that', async () => {
    const { town, ada, others, conversationId } = await five()
    const puppet = await Puppet.possess(town, others[3])
    await ada.device.dispatch('group-rename', { conversationId, name: 'Swimmers' })
    await puppet.say(ada, [])
    await town.pass(10_000)
    const renamed = groupsHeard(puppet).at(-1)!
    expect(renamed.ops).to.have.length(1)
    expect(renamed.since).to.not.equal(null)
    expect(renamed.logs).to.deep.equal([])

    // Against something that Ada does not hold: she says everything, and is answered in full.
    const { conversation, heads } = renamed
    const asked = { kind: 'group', conversation, accounts: [], heads, ops: [], logs: [] } as const
    await puppet.say(ada, [{ ...asked, since: new Uint8Array(32).fill(7) }])
    await town.pass(10_000)
    const whole = groupsHeard(puppet).at(-1)!
    expect(whole.since).to.equal(null)
    expect(whole.logs).to.have.length(names.length)

    // The same in full is what Ada holds: both agree again.
    const before = puppet.heard.length
    await puppet.say(ada, [{ ...asked, since: null, logs: whole.logs }])
    await town.pass(10_000)
    const said = puppet.heard.slice(before).flatMap(({ payload }) => payload.items.map(({ kind }) => kind))
    expect(said).to.include('groupGot')
  })

  it('is kept once for all who agreed on it, and old states go', async () => {
    const { town, ada, others, conversationId } = await five()
    const id = fromBase32(conversationId)!
    const kept = async (person: Person) => {
      const { rows } = await OpenedHome.of(town.crypto, person, town.clock.nowMs())
      const here = (one: { readonly conversation: Uint8Array }) => toHex(one.conversation) === toHex(id)
      return { states: rows.all(stateRows).filter(here), standings: rows.all(standingRows).filter(here) }
    }
    // One goes away: what it agreed on stays as long as it is spoken to against that.
    await others[0].close()
    for (let i = 0; i <= 2 * limits.keptStates; i++) {
      await ada.device.dispatch('group-rename', { conversationId, name: `Walk ${String(i)}` })
      await town.pass(10_000)
      const { states, standings } = await kept(ada)
      expect(states.length).to.be.at.most(limits.keptStates)
      const digests = states.map(({ digest }) => toHex(digest))
      for (const { since } of standings) expect(digests).to.include(toHex(since!))
    }
    const { states, standings } = await kept(ada)
    expect(states.length).to.be.greaterThan(limits.keptStates / 4)
    expect(new Set(standings.map(({ since }) => toHex(since!))).size).to.equal(2)
    for (const { logs } of standings) expect(logs).to.deep.equal([])
    await others[0].open(true)
    await town.pass(10 * 60_000)
    const views = await others[0].device.view('conversations', {})
    expect(views.find((one) => one.conversationId === conversationId)?.name).to.equal(
      `Walk ${String(2 * limits.keptStates)}`,
    )
    expect(new Set((await kept(ada)).standings.map(({ since }) => toHex(since!))).size).to.equal(1)
  })
})
