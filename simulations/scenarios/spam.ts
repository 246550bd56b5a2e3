import { beginSpam, Spammer } from '../actors/spammer.ts'
import { everydayActs, everydayFaults, type Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'

/** How many spammers there are. */
const spammers = 3

const spammersOf = new WeakMap<Stage, readonly Spammer[]>()

/** Strangers flood devices and relays with channels and with frames that mean nothing. */
export const spam: Scenario = {
  name: 'spam',
  claim:
    'Strangers who open every channel they can to devices and relays and fill them with rubbish are cut off after a few frames each, and among those who know each other nothing is lost, late or shown twice for it.',
  expects: ['spam-channel', 'spam-frame', 'spam-refused', 'spam-cut-off', ...everydayFaults],
  acts: everydayActs,
  shape: (plan) => ({
    ...plan,
    users: Math.min(3, plan.users),
    devices: Math.min(4, plan.devices),
    groups: 1,
    dialableShare: 1,
  }),
  begin: (stage, draw) => {
    const all = Array.from({ length: spammers }, (_, n) => new Spammer(stage.world, `spammer${n}`))
    spammersOf.set(stage, all)
    beginSpam(stage, draw, all)
  },
  judge: async (stage) => {
    for (const spammer of spammersOf.get(stage) ?? [])
      for (const { to } of spammer.patient())
        stage.world.ledger.violate('bounds', `${to} goes on listening to a stranger who says nothing`)
  },
}
