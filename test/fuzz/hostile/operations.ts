/** Membership operations as members sign them, against admission, the resolver and what is stored. */
import {
  addMembershipOps,
  emptyOpSet,
  opsOf,
  readMembershipOp,
  resolveMembership,
  restoreOpSet,
  type AccountLogs,
  type Membership,
  type OpSet,
} from '../../../packages/core/src/group/index.ts'
import { toHex } from '../../../packages/core/src/wire/index.ts'
import { crypto, digestOf, laterMs } from '../../core/group/support.ts'
import { shuffled } from '../../core/history/segment-world.ts'
import { drawFrom, type Draw } from '../mutator.ts'
import { answerOf, byTurns, Tally, type HostileCampaign } from './lie.ts'
import { operationLies, OperationScene, type Room, type ToldOperation } from './operation-lies.ts'

/** Every lie so often to one set: some leave a branch of their author, of which a device may have 16. */
const roundsAScene = 3

/** Who is in and what the rules are: what no lie may change. */
const standing = ({ members, policy }: Membership): string =>
  JSON.stringify([
    [...members].map(([key, { role, grant }]) => [key, role, toHex(grant ?? new Uint8Array())]),
    policy,
  ])

/** The sets of one group, each told the lies that are about its bound. */
class OperationTarget {
  readonly scene = new OperationScene()
  readonly #logs: AccountLogs
  readonly #fresh: Readonly<Record<Room, OpSet>>
  readonly #standing: string
  #heard: Uint8Array[] = []
  #set: OpSet

  constructor() {
    const { group, base, full } = this.scene
    this.#logs = group.logs
    const start = group.set(base)
    const and = (room: Exclude<Room, 'group'>): OpSet =>
      this.#add(
        start,
        full[room].map(({ bytes }) => bytes),
      ).set
    this.#fresh = {
      group: start,
      deep: and('deep'),
      busy: and('busy'),
      waiting: and('waiting'),
      forked: and('forked'),
    }
    this.#set = start
    this.#standing = standing(resolveMembership(start, this.#logs))
  }

  #add(set: OpSet, ops: readonly Uint8Array[]) {
    return addMembershipOps(crypto, set, ops, this.#logs, laterMs)
  }

  /** Why it is refused, what it waits for, or what it does where it was let in. */
  hear({ bytes, room }: ToldOperation): string {
    const before = room === 'group' ? this.#set : this.#fresh[room]
    const { set, added, rejected } = this.#add(before, [bytes])
    const [refusal] = rejected
    if (refusal !== undefined) {
      const same = set.entries.length === before.entries.length && set.parked.size === before.parked.size
      this.#remember(bytes)
      return same ? refusal.reason : `${refusal.reason}, and left a trace`
    }
    if (room === 'group') {
      this.#set = set
      this.#heard.push(bytes)
    }
    const [op] = added
    if (op === undefined)
      return `waits for ${[...set.parked.values()].find((parked) => parked.op.bytes === bytes)?.awaiting ?? 'nothing'}`
    const membership = resolveMembership(set, this.#logs)
    if (standing(membership) !== this.#standing) return 'changed who is in'
    const fault = membership.faults.get(op.key)
    return fault === undefined ? 'no effect' : `void by ${fault.reason}`
  }

  #remember(bytes: Uint8Array): void {
    const op = readMembershipOp(crypto, bytes)
    if (op !== undefined && this.scene.refused.length < 200) this.scene.refused.push(op.id)
  }

  /** Another replica hears the same in another order and other batches; what is stored is the same again. */
  compare(tally: Tally, draw: Draw): void {
    const { group, base } = this.scene
    const all = shuffled(draw, [...base.map(({ bytes }) => bytes), ...this.#heard])
    let other = emptyOpSet(group.conversation)
    while (all.length > 0) other = this.#add(other, all.splice(0, 1 + draw(9))).set
    const mine = this.#likeness(this.#set)
    if (mine !== this.#likeness(other)) tally.wrong('two replicas differ')
    const restored = restoreOpSet(crypto, group.conversation, opsOf(this.#set), this.#logs)
    if (mine !== this.#likeness({ ...restored, parked: this.#set.parked }))
      tally.wrong('what is stored is another set')
    this.#set = this.#fresh.group
    this.#heard = []
  }

  #likeness(set: OpSet): string {
    const membership = resolveMembership(set, this.#logs)
    const conflicts = membership.conflicts.filter(({ kind }) => kind !== 'waiting')
    return [digestOf({ ...membership, conflicts }), ...opsOf(set).map(toHex)].join()
  }
}

/** Signed operations against sets, the resolver and restoring. */
export const operationCampaign: HostileCampaign = {
  room: 'group: operations',
  run: (inputs, seed) => {
    const draw = drawFrom(seed)
    const tally = new Tally('group: operations', operationLies)
    const turns = byTurns(operationLies, draw)
    const target = new OperationTarget()
    while (tally.inputs < inputs) {
      for (let i = 0; i < roundsAScene * operationLies.length; i++) {
        const lie = turns.next().value
        const input = lie.tell(target.scene, draw)
        if (input !== undefined)
          tally.note(
            lie,
            answerOf(() => target.hear(input)),
          )
      }
      target.compare(tally, draw)
    }
    return tally.finish()
  },
}
