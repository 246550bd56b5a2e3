import { openGroupOf } from '../actors/introduce.ts'
import { lies } from '../actors/lies.ts'
import { lying } from '../actors/liar.ts'
import { lastWords } from './relay-outage.ts'
import { everydayActs, everydayFaults, type Scenario } from './scenario.ts'

/** One of those who know each other says what no device would, in true sessions and under true keys. */
export const hostileMember: Scenario = {
  name: 'hostile-member',
  claim:
    'A member of the group who forges records, tells everybody something else of what it holds and how things stand, repeats itself until a payload is full, and sends what is nested too deep to read: nobody believes a word that was not signed so, nobody else loses one, and ten minutes after the lies end all agree.',
  expects: [...lies, ...everydayFaults],
  acts: everydayActs,
  shape: (plan) => ({
    ...plan,
    users: 3,
    devices: Math.min(5, Math.max(4, plan.devices)),
    groups: 0,
    acquaintance: 1,
    messageEveryMs: plan.messageEveryMs / 2,
    dialableShare: Math.max(0.5, plan.dialableShare),
  }),
  prepare: async (stage, draw) => {
    const [owner, ...others] = stage.people
    if (owner !== undefined) await openGroupOf(stage, draw, owner, others)
  },
  begin: (stage, draw) => {
    const { faults } = stage.world
    const liar = stage.people.at(-1)
    for (const machine of liar?.devices ?? []) {
      machine.speaks = (crypto) =>
        lying(crypto, {
          draw,
          faults,
          isOn: () => stage.open,
          onForged: (count) => (stage.forgedRecords += count),
        })
      void machine.crash().then(() => machine.boot())
    }
    // What a liar said it had, it said in a frame that was made a lie: it says so again with what comes next.
    lastWords(stage, draw)
  },
}
