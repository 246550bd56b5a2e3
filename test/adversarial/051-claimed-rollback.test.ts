import { expect } from 'chai'
import { Town, type Person } from '../support/devices.ts'
import { befriend } from '../support/friends.ts'
import { accountOf } from '../support/liar.ts'
import { Puppet } from '../support/puppet.ts'

async function stage() {
  const town = await Town.found()
  const [ada, bob, mallory] = [
    await town.person('Ada'),
    await town.person('Bob'),
    await town.person('Mallory'),
  ]
  for (const other of [bob, mallory]) await befriend(town, ada, other)
  const members = [await accountOf(bob), await accountOf(mallory)]
  const { conversationId } = await ada.device.dispatch('create-group', { name: 'Trap', members })
  await town.pass(10_000)
  for (const person of [ada, bob]) {
    await person.device.dispatch('send', { conversationId, text: `I am ${person.name}` })
    await town.pass(5_000)
  }
  return { town, ada, bob, puppet: await Puppet.possess(town, mallory), conversationId }
}

const warnings = async ({ device }: Person): Promise<readonly string[]> =>
  (await device.view('status', {})).warnings.map(({ code }) => code)

describe('051: a member who says that a home is an older copy of itself', () => {
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
})
