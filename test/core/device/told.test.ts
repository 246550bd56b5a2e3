import { expect } from 'chai'
import { readForkProof } from '../../../packages/core/src/identity/index.ts'
import { fromBase32, toBase32 } from '../../../packages/core/src/wire/index.ts'
import { createChat } from '../../../packages/node/src/chat/chat.ts'
import { Town, type Person } from '../../support/devices.ts'
import { FaultyStore } from '../../support/faulty-store.ts'
import { befriend } from '../../support/friends.ts'

const kinds = async (person: Person, conversationId: string): Promise<readonly string[]> =>
  (await person.device.view('audit', { conversationId })).map(({ kind }) => kind)

/** Removes the one other device of a person's account. */
async function removeOther(person: Person): Promise<string> {
  const other = (await person.device.view('devices', {})).find(({ thisDevice }) => !thisDevice)
  await person.device.dispatch('remove-device', { deviceId: other!.deviceId })
  return other!.deviceId
}

describe('what befalls the devices of an account', () => {
  it('two that removed each other are told of, in events, in the audit and on a terminal', async () => {
    const town = await Town.found()
    const ada = await town.person('Ada')
    const bob = await town.person('Bob')
    const conversationId = await befriend(town, ada, bob)
    const laptop = await town.link(bob, 'laptop')
    const said: string[] = []
    const chat = createChat(ada.device, {
      say: (text) => said.push(text),
      prompt: () => undefined,
      openWeb: () => undefined,
    })
    await chat.start()
    ada.device.subscribe((event) => chat.event(event))
    town.hub.cut(bob.peerId, laptop.peerId)
    await removeOther(bob)
    await removeOther(laptop)
    await town.pass(60_000)
    const changes = ada.events.flatMap((event) => (event.type === 'account' ? [event.change] : []))
    expect(changes).to.deep.equal(['accused'])
    const lines = await kinds(ada, conversationId)
    expect(lines.filter((kind) => kind === 'conflict-account-accused')).to.have.length(1)
    expect(lines.filter((kind) => kind === 'device-revoked')).to.have.length(2)
    expect(said.filter((line) => line.includes('Two of Bob’s devices removed each other'))).to.have.length(1)
    expect(said.filter((line) => line.includes('A device of Bob was removed'))).to.have.length(2)
  })

  it('a copied home that goes on by itself is told of with the proof, and of the right device', async () => {
    const town = await Town.found()
    const ada = await town.person('Ada')
    const store = new FaultyStore(3)
    const bob = await town.person('Bob', { store })
    const conversationId = await befriend(town, ada, bob)
    const laptop = await town.link(bob, 'laptop')
    await town.link(bob, 'tablet')
    await town.pass(5_000)
    const copy = await store.snapshot()
    const bobs = (await bob.device.view('devices', {})).map(({ deviceId }) => deviceId)
    const remove = (at: number): Promise<unknown> =>
      bob.device.dispatch('remove-device', { deviceId: bobs[at]! })
    await remove(1)
    await town.pass(60_000)
    await bob.close()
    await store.restore(copy, { mark: true })
    const older = await store.reopen()
    bob.store = older
    await bob.open(false)
    await remove(2)
    await bob.close()
    bob.store = await older.reopen()
    await bob.open(true)
    // A new session with the same device is begun once an hour; the copy understands nobody before.
    await town.pass(3_700_000)
    const told = ada.events.flatMap((event) =>
      event.type === 'device' && event.change === 'forked' ? [event.deviceId] : [],
    )
    expect(told).to.deep.equal([bobs[0]])
    const line = (await ada.device.view('audit', { conversationId })).find(
      ({ kind }) => kind === 'device-forked',
    )
    const proof = readForkProof(town.crypto, fromBase32(line?.proof ?? '')!)
    expect(proof === undefined ? undefined : toBase32(proof.device)).to.equal(bobs[0])
    expect(laptop.events.some((event) => event.type === 'device' && event.change === 'revoked')).to.equal(
      true,
    )
  })
})
