import { everydayActs, everydayFaults, type Scenario } from './scenario.ts'

const kbit = 1_000
const second = 1_000

/** Links as thin as a modem's, which every now and then stay open and carry nothing. */
export const narrowLinks: Scenario = {
  name: 'narrow-links',
  claim:
    'Links of a few kilobits a second, on which everything waits for what is before it, and which at times stay open and carry nothing: nothing is lost or shown twice, nothing is given up that only takes long, and ten minutes after they carry again all agree.',
  expects: ['stall', 'frame-stalled', 'frame-queued', ...everydayFaults],
  acts: everydayActs,
  shape: (plan, draw) => ({
    ...plan,
    users: Math.min(3, plan.users),
    devices: Math.min(4, plan.devices),
    groups: 1,
    stallEveryMs: Math.min(plan.messageEveryMs, draw.between(30, 300) * second),
    net: { ...plan.net, bandwidth: draw.between(16, 128) * kbit },
  }),
  // The plan has it all.
  begin: () => undefined,
}
