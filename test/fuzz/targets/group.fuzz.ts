import { createNodeProvider } from '../../../packages/core/bindings/crypto-node/index.ts'
import {
  addMembershipOps,
  readMembershipOp,
  resolveMembership,
} from '../../../packages/core/src/group/index.ts'
import { encodeOp, encodeOpBody } from '../../../packages/core/src/group/op.ts'
import { Group, laterMs } from '../../core/group/support.ts'
import { sameBytes } from '../checks.ts'
import type { FuzzTarget } from '../driver.ts'

const crypto = await createNodeProvider()
const group = new Group()
group.grant('A', 'B', 'admin')
group.grant('B', 'C', 'member')
group.policy('B', { kind: 'history', days: null })
const invite = group.invite('B', 2)
group.admit('A', 'D', invite)
group.deviceset('A', 'B', { 1: group.ops[2]!, 2: null })
group.meta('C')
group.write('C', { kind: 'seg', depth: 1 })
group.demote('A', 'B', 'member')
group.revoke('A', 'C')
group.leave('D')
const seeds = group.ops.map((op) => op.bytes)
const set = group.set(group.ops.slice(0, -1))

export const targets: readonly FuzzTarget[] = [
  {
    name: 'group/operation',
    seeds,
    run: (input) => {
      const op = readMembershipOp(crypto, input)
      if (op === undefined) return false
      // What a later version says is kept as it came and never written anew.
      if (op.args.kind === 'unknown') return true
      if (op.args.kind === 'policy' && op.args.change.kind === 'unknown') return true
      const conversation = op.args.kind === 'create' ? null : op.conversation
      return sameBytes(encodeOp(encodeOpBody({ ...op, conversation }), op.signature), input)
    },
  },
  {
    name: 'group/delivery',
    seeds: [seeds.at(-1)!],
    weight: 8,
    run: (input) => {
      const { set: after, added } = addMembershipOps(crypto, set, [input], group.logs, laterMs)
      resolveMembership(after, group.logs)
      return added.length > 0
    },
  },
]
