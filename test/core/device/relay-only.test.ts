import { expect } from 'chai'
import { befriend } from '../../support/friends.ts'
import { Town, type Person } from '../../support/devices.ts'
import { undialled } from '../../support/undialled.ts'

const accountOf = async (person: Person): Promise<string> => (await person.device.view('self', {}))!.accountId

/** Opens a group and, for each person, says one thing in it; every device must show them all. */
async function everybodySpeaks(
  town: Town,
  owner: Person,
  invited: readonly Person[],
  all: readonly Person[],
): Promise<void> {
  const members = await Promise.all(invited.map(accountOf))
  const { conversationId } = await owner.device.dispatch('create-group', { name: 'Walkers', members })
  await town.pass(20 * 60_000)
  for (const person of all)
    await person.device.dispatch('send', { conversationId, text: `from ${person.name}` })
  await town.pass(20 * 60_000)
  for (const person of all) {
    const texts = await person.texts(conversationId)
    expect(texts.toSorted(), person.name).to.deep.equal(all.map(({ name }) => `from ${name}`).sort())
    const { outbox, held } = await person.device.view('status', {})
    expect({ outbox, held }, person.name).to.deep.equal({ outbox: 0, held: 0 })
  }
}

describe('device: relays alone', () => {
  async function people(town: Town, names: readonly string[], address: string): Promise<readonly Person[]> {
    const found: Person[] = []
    for (const name of names) {
      const person = await town.person(name)
      await person.device.dispatch('add-relay', { address })
      found.push(person)
    }
    await town.pass(10_000)
    return found
  }

  it('carry what members of a group say who never met', async () => {
    const town = await Town.found()
    town.port = undialled
    const [ada, bob, cy] = await people(town, ['Ada', 'Bob', 'Cy'], town.relay('relay'))
    await befriend(town, ada!, bob!)
    await befriend(town, ada!, cy!)
    await everybodySpeaks(town, ada!, [bob!, cy!], [ada!, bob!, cy!])
  })

  it('carry what several devices of an account say to each other and to others', async () => {
    const town = await Town.found()
    town.port = undialled
    const address = town.relay('relay')
    const [ada, bob] = await people(town, ['Ada', 'Bob'], address)
    await befriend(town, ada!, bob!)
    const linked: Person[] = []
    for (const [person, name] of [
      [ada!, 'Ada 2'],
      [ada!, 'Ada 3'],
      [bob!, 'Bob 2'],
    ] as const) {
      const fresh = await town.link(person, name, 'all')
      await fresh.device.dispatch('add-relay', { address })
      linked.push(fresh)
    }
    await town.pass(60_000)
    await everybodySpeaks(town, ada!, [bob!], [ada!, bob!, ...linked])
  })
})
