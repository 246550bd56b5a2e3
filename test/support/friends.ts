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
