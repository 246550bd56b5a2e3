import type { Person, Town } from './devices.ts'

/** Makes two people contacts by a direct invite; the id of their conversation. */
export async function befriend(town: Town, inviter: Person, guest: Person): Promise<string> {
  const invite = await inviter.device.dispatch('create-invite', { direct: true })
  await town.pass(1_000)
  const adding = guest.device.dispatch('add', { link: invite.link })
  await town.pass(20_000)
  const { conversationId } = await adding
  await town.pass(5_000)
  return conversationId
}

/** Two friends who collect at one relay; its address, and the id of their conversation. */
export async function friendsAtRelay(town: Town) {
  const address = town.relay('relay')
  const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
  for (const { device } of [ada, bob]) await device.dispatch('add-relay', { address })
  await town.pass(10_000)
  return { ada, bob, address, conversationId: await befriend(town, ada, bob) }
}

/** People with a device each; the first knows all others, and they know nobody else. */
export async function acquainted<const N extends readonly [string, ...string[]]>(
  town: Town,
  names: N,
): Promise<{ readonly [K in keyof N]: Person }> {
  const people: Person[] = []
  for (const name of names) people.push(await town.person(name))
  for (const other of people.slice(1)) await befriend(town, people[0]!, other)
  return people as unknown as { readonly [K in keyof N]: Person }
}

/** Makes a group of friends. */
export async function groupOf(
  town: Town,
  owner: Person,
  friends: readonly Person[],
  name: string,
): Promise<string> {
  const members: string[] = []
  for (const friend of friends) members.push((await friend.device.view('self', {}))!.accountId)
  const { conversationId } = await owner.device.dispatch('create-group', { name, members })
  await town.pass(20_000)
  return conversationId
}
