import type { Stage } from '../scenarios/stage.ts'
import type { User } from './user.ts'

const minute = 60_000

/** Who knows whom: everybody next to each other in a ring, and half of the other pairs. */
export function pairsOf(stage: Stage): readonly (readonly [User, User])[] {
  const draw = stage.world.stream('workload', 'pairs')
  const { users } = stage
  return users.flatMap((a, i) =>
    users.slice(i + 1).flatMap((b, step) => (step === 0 || draw.chance(0.5) ? [[a, b] as const] : [])),
  )
}

/** Opens every app, with one or more relays each, and lets the pairs meet by invites. Throws when they do not. */
export async function introduce(stage: Stage): Promise<void> {
  const { world, users, relays } = stage
  const draw = world.stream('workload', 'relays')
  for (const relay of relays) relay.boot()
  for (const user of users) {
    await world.timeline.until(user.boot(), minute)
    const first = draw.pick(relays)
    const used = relays.filter((relay) => relay === first || draw.chance(0.5))
    for (const relay of used) await world.timeline.until(dispatchRelay(user, relay.address), minute)
  }
  for (const [inviter, guest] of pairsOf(stage)) await meet(stage, inviter, guest)
}

const dispatchRelay = async (user: User, address: string): Promise<unknown> =>
  user.device?.dispatch('add-relay', { address })

async function meet(stage: Stage, inviter: User, guest: User): Promise<void> {
  const { timeline } = stage.world
  const relayHints = stage.relays.map((relay) => relay.address)
  for (let attempt = 0; attempt < 20; attempt++) {
    const invite = inviter.device?.dispatch('create-invite', { direct: attempt % 2 === 0 })
    if (invite === undefined) break
    const { link } = await timeline.until(invite, minute)
    await timeline.runUntil(timeline.nowMs + 5_000)
    const adding = guest.device?.dispatch('add', { link, relayHints }).catch(() => undefined)
    const added = adding === undefined ? undefined : await timeline.until(adding, minute)
    await timeline.runUntil(timeline.nowMs + minute)
    if (added === undefined) continue
    inviter.conversations.set(guest.name, added.conversationId)
    guest.conversations.set(inviter.name, added.conversationId)
    return
  }
  throw new Error(`${guest.name} could not take up an invite of ${inviter.name}`)
}

/** Everybody talks: now and then a message, at times many at once, and what is there is read. */
export function beginTalk(stage: Stage): void {
  for (const user of stage.users) {
    const draw = stage.world.stream('workload', user.name)
    stage.repeat(draw, stage.plan.messageEveryMs, () => {
      const peers = [...user.conversations.keys()]
      const to = draw.pick(peers)
      const count = draw.chance(0.05) ? 2 + draw.below(20) : 1
      const texts = Array.from({ length: count }, () => stage.world.newText(draw))
      const reads = draw.chance(0.3)
      for (const text of texts) void user.say(to, text)
      const conversationId = user.conversations.get(to)
      if (reads && conversationId !== undefined)
        user.device?.dispatch('mark-read', { conversationId }).catch(() => undefined)
    })
  }
}
