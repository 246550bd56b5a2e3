/** The membership of a group in the hands of a puppet: it may write any operation its keys can sign. */
import { opRows, logRows } from '../../packages/core/src/device/tables.ts'
import {
  addMembershipOps,
  emptyOpSet,
  groupHeads,
  issueOp,
  resolveMembership,
  writeOp,
  type ConversationId,
  type KnownOpArgs,
  type MembershipOp,
  type OpSet,
} from '../../packages/core/src/group/index.ts'
import { logHeads, restoreLog } from '../../packages/core/src/identity/index.ts'
import { equalBytes, toHex } from '../../packages/core/src/wire/index.ts'
import type { Person } from './devices.ts'
import type { Puppet } from './puppet.ts'

/** Operations of one group as a puppet's home has them. */
export class PuppetGroup {
  readonly puppet: Puppet
  readonly id: Uint8Array
  readonly logs
  /** What the home held. */
  readonly set: OpSet

  constructor(puppet: Puppet, id: Uint8Array) {
    const { crypto, home } = puppet
    this.puppet = puppet
    this.id = id
    this.logs = new Map(
      home.rows.all(logRows).map(({ genesis, ops }) => {
        const log = restoreLog(crypto, genesis, ops)
        return [toHex(log.account.id), log]
      }),
    )
    const ops = home.rows.all(opRows).filter(({ conversation }) => equalBytes(conversation, id))
    const empty = emptyOpSet({ kind: 'group', id: id as ConversationId })
    const held = ops.map(({ bytes }) => bytes)
    this.set = addMembershipOps(crypto, empty, held, this.logs, Infinity).set
  }

  /** Signs the device's next operation, after everything the home held or after another; nobody hears of it yet. */
  write(args: KnownOpArgs, tsMs: number, after?: MembershipOp): MembershipOp {
    const { crypto, home } = this.puppet
    const { self, identity } = home.me
    const author = { account: self.account, device: self.device, identity }
    if (after !== undefined) {
      const { conversation, cap, accountHeads, oseq, id } = after
      return issueOp(
        crypto,
        author,
        { conversation, cap, accountHeads, tsMs, oseq: oseq + 1, deps: [id] },
        args,
      )
    }
    const own = toHex(self.account)
    const cap = resolveMembership(this.set, this.logs).members.get(own)?.grant ?? null
    const terms = { cap, accountHeads: logHeads(this.logs.get(own)!), tsMs }
    return writeOp(crypto, this.set, author, terms, args)
  }

  /** Tells a device of these operations, as news of the group. */
  async tell(to: Person, ops: readonly MembershipOp[]): Promise<void> {
    const item = { conversation: this.id, accounts: [], heads: groupHeads(this.set), since: null, logs: [] }
    for (let at = 0; at < ops.length; at += 60)
      await this.puppet.say(to, [
        { kind: 'group', ...item, ops: ops.slice(at, at + 60).map(({ bytes }) => bytes) },
      ])
  }
}
