import { expect } from 'chai'
import { befriend } from '../../support/friends.ts'
import { Town, type Person } from '../../support/devices.ts'

const emojiOf = (person: Person): readonly string[] =>
  person.events
    .flatMap((event) => (event.type === 'link' && event.state === 'compare' ? [event.emoji] : []))
    .at(-1) ?? []

describe('device: linking', () => {
  it('makes a new device one of the account, by link, with the same pictures on both', async () => {
    const town = await Town.found()
    const ada = await town.person('Ada')
    const laptop = await town.newcomer('laptop')
    const offering = laptop.device.dispatch('link-offer', { deviceName: 'laptop' })
    await town.pass(1_000)
    const { link } = await offering
    const approving = ada.device.dispatch('link-approve', { code: link })
    await town.pass(2_000)
    const shown = await approving
    expect(shown.deviceName).to.equal('laptop')
    expect(shown.emoji).to.have.length(6)
    expect(emojiOf(laptop)).to.deep.equal(shown.emoji)
    const linked: string[] = []
    for (const { device, name } of [ada, laptop])
      device.subscribe((event) => {
        if (event.type === 'link' && event.state === 'linked') linked.push(name)
      })
    const confirmed = [laptop, ada].map((one) => one.device.dispatch('link-confirm', { match: true }))
    await town.pass(3_000)
    const [there, here] = await Promise.all(confirmed)
    // A command on the new device ends with it: by then the old one has to know.
    expect(linked).to.deep.equal(['Ada', 'laptop'])
    expect(there).to.deep.equal(here)
    await town.pass(10_000)
    for (const person of [ada, laptop]) {
      const devices = await person.device.view('devices', {})
      expect(devices.map(({ state }) => state)).to.deep.equal(['active', 'active'])
      expect((await person.device.view('self', {}))!.accountId).to.equal(here!.accountId)
    }
  })

  it('by code, found in the DHT', async () => {
    const town = await Town.found()
    const ada = await town.person('Ada')
    await town.person('Somebody')
    const laptop = await town.newcomer('laptop')
    const offering = laptop.device.dispatch('link-offer', { deviceName: 'laptop' })
    await town.pass(1_000)
    const { code } = await offering
    await town.pass(15_000)
    const approving = ada.device.dispatch('link-approve', { code })
    await town.pass(5_000)
    expect((await approving).emoji).to.deep.equal(emojiOf(laptop))
    const confirmed = [laptop, ada].map((one) => one.device.dispatch('link-confirm', { match: true }))
    await town.pass(3_000)
    await Promise.all(confirmed)
    expect(await laptop.device.view('devices', {})).to.have.length(2)
  })

  it('leaves nothing behind that wakes the new device', async () => {
    const town = await Town.found()
    const ada = await town.person('Ada')
    const laptop = await town.link(ada, 'laptop')
    await town.pass(400_000)
    const wake = laptop.wake.bind(laptop)
    let wakes = 0
    laptop.wake = () => {
      wakes += 1
      wake()
    }
    await town.pass(600_000)
    // The code's record was put again every ten seconds.
    expect(wakes).to.be.below(10)
  })

  it('a new device has the contacts, says and hears what is said, and contacts are told of it first', async () => {
    const town = await Town.found()
    const ada = await town.person('Ada')
    const bob = await town.person('Bob')
    const conversationId = await befriend(town, ada, bob)
    await bob.device.dispatch('send', { conversationId, text: 'before' })
    await town.pass(5_000)
    const laptop = await town.link(ada, 'laptop')
    const [contact] = await laptop.device.view('contacts', {})
    expect(contact).to.include({ name: 'Bob', state: 'connected' })
    await laptop.device.dispatch('send', { conversationId, text: 'from the laptop' })
    await town.pass(10_000)
    await bob.device.dispatch('send', { conversationId, text: 'to both' })
    await town.pass(10_000)
    expect(await bob.texts(conversationId)).to.deep.equal(['before', 'from the laptop', 'to both'])
    expect(await ada.texts(conversationId)).to.deep.equal(['before', 'from the laptop', 'to both'])
    expect(await laptop.texts(conversationId)).to.deep.equal(['from the laptop', 'to both'])
    const kinds = bob.events.flatMap((event) =>
      event.type === 'device' ? ['device'] : event.type === 'message' ? [event.message.text ?? ''] : [],
    )
    expect(kinds.indexOf('device')).to.be.greaterThan(-1)
    expect(kinds.indexOf('device')).to.be.lessThan(kinds.indexOf('from the laptop'))
    const lines = await bob.device.view('audit', { conversationId })
    expect(lines.map(({ kind }) => kind)).to.include('device-added')
  })

  it('own devices share what the person calls and blocks', async () => {
    const town = await Town.found()
    const ada = await town.person('Ada')
    const bob = await town.person('Bob')
    await befriend(town, ada, bob)
    const laptop = await town.link(ada, 'laptop')
    const accountId = (await bob.device.view('self', {}))!.accountId
    await laptop.device.dispatch('rename-contact', { accountId, name: 'Robert' })
    await town.pass(10_000)
    expect((await ada.device.view('contacts', {})).map(({ name }) => name)).to.deep.equal(['Robert'])
    await ada.device.dispatch('block', { accountId })
    await town.pass(10_000)
    expect((await laptop.device.view('contacts', {})).map(({ state }) => state)).to.deep.equal(['blocked'])
    const cy = await town.person('Cy')
    await befriend(town, laptop, cy)
    await town.pass(10_000)
    expect((await ada.device.view('contacts', {})).map(({ name }) => name)).to.include('Cy')
  })

  it('gives a new device the history it was granted', async () => {
    const town = await Town.found()
    const ada = await town.person('Ada')
    const bob = await town.person('Bob')
    const conversationId = await befriend(town, ada, bob)
    for (let n = 0; n < 30; n++)
      await (n % 2 === 0 ? ada : bob).device.dispatch('send', { conversationId, text: `message ${n}` })
    await town.pass(10_000)
    const laptop = await town.link(ada, 'laptop', 'all')
    await town.pass(20_000)
    expect((await laptop.texts(conversationId)).toSorted()).to.deep.equal(
      (await ada.texts(conversationId)).toSorted(),
    )
    const json = async (person: Person) => (await person.device.view('export', { conversationId })).json
    expect(await json(laptop)).to.equal(await json(ada))
    expect(await json(bob)).to.equal(await json(ada))
  })

  it('a device that is removed is told nothing more, by anybody', async () => {
    const town = await Town.found()
    const ada = await town.person('Ada')
    const bob = await town.person('Bob')
    const conversationId = await befriend(town, ada, bob)
    const laptop = await town.link(ada, 'laptop')
    await laptop.device.dispatch('send', { conversationId, text: 'still in' })
    await town.pass(10_000)
    const { deviceId } = (await laptop.device.view('self', {}))!
    await ada.device.dispatch('remove-device', { deviceId })
    await town.pass(10_000)
    await ada.device.dispatch('send', { conversationId, text: 'without it' })
    await bob.device.dispatch('send', { conversationId, text: 'without it too' })
    await town.pass(10_000)
    expect(await laptop.texts(conversationId)).to.deep.equal(['still in'])
    expect(
      laptop.events.some(
        (event) => event.type === 'device' && event.change === 'revoked' && event.deviceId === deviceId,
      ),
    ).to.equal(true)
    const refusal = await laptop.device
      .dispatch('send', { conversationId, text: 'hello?' })
      .catch((e: unknown) => e)
    expect(refusal).to.include({ code: 'E_DEVICE_REMOVED' })
    // Nobody links to what a removed device wrote: against that, `without it` has no order of its own.
    expect(await bob.texts(conversationId)).to.have.members(['still in', 'without it', 'without it too'])
    expect((await bob.device.view('audit', { conversationId })).map(({ kind }) => kind)).to.include(
      'device-revoked',
    )
  })
})
