import type { Membership, MembershipOp } from '../group/index.ts'
import { toHex } from '../wire/index.ts'
import { note } from './audit.ts'
import type { Step } from './context.ts'
import type { Conversation } from './tables.ts'

/** Writes into the conversation's audit lines what operations changed, and what was resolved against somebody's word. */
export function noteMembership(
  step: Step,
  { conversation }: Conversation,
  before: Membership,
  after: Membership,
  added: readonly MembershipOp[],
): void {
  const by = (find: (op: MembershipOp) => boolean): Uint8Array | null => added.find(find)?.account ?? null
  const line = (kind: string, subject: Uint8Array, author: Uint8Array | null, detail: string): void => {
    note(step, { conversation, kind, by: author, subject, device: null, detail })
  }
  for (const [key, member] of after.members) {
    const was = before.members.get(key)
    const author = member.by?.account ?? null
    if (was === undefined) line('member-added', member.account, author, member.role)
    else if (was.role !== member.role) line('role-changed', member.account, author, member.role)
  }
  for (const [key, member] of before.members) {
    if (after.members.has(key)) continue
    const left = added.some((op) => op.args.kind === 'leave' && op.byAccount === key)
    const author = by((op) => op.args.kind === 'revoke' && toHex(op.args.account) === key)
    line(left ? 'member-left' : 'member-removed', member.account, left ? member.account : author, '')
  }
  for (const op of added)
    if (op.args.kind === 'policy') line('policy-changed', op.account, op.account, op.args.change.kind)
  const known = new Set(before.conflicts.map(conflictKey))
  for (const conflict of after.conflicts) {
    if (known.has(conflictKey(conflict)) || toldElsewhere.has(conflict.kind)) continue
    const subject = 'account' in conflict ? conflict.account : conversation
    note(step, {
      conversation,
      kind: `conflict-${conflict.kind}`,
      by: null,
      subject,
      device: null,
      detail: '',
    })
  }
}

type Conflict = Membership['conflicts'][number]

/** Void operations have lines of their own kinds; what befalls an account is told with its device log. */
const toldElsewhere: ReadonlySet<Conflict['kind']> = new Set(['void', 'account-contested', 'account-accused'])

const conflictKey = (conflict: Conflict): string =>
  Object.entries(conflict)
    .map(
      ([name, value]) =>
        `${name}=${value instanceof Uint8Array ? toHex(value) : typeof value === 'string' ? value : ''}`,
    )
    .join()
