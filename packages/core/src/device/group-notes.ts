import type { Membership, MembershipOp } from '../group/index.ts'
import { idHex, toBase32, toHex } from '../wire/index.ts'
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
    const author = by((op) => op.args.kind === 'revoke' && idHex(op.args.account) === key)
    line(left ? 'member-left' : 'member-removed', member.account, left ? member.account : author, '')
  }
  for (const op of added)
    if (op.args.kind === 'policy') line('policy-changed', op.account, op.account, op.args.change.kind)
  const known = new Set(before.conflicts.map(conflictKey))
  for (const conflict of after.conflicts) {
    if (known.has(conflictKey(conflict)) || toldElsewhere.has(conflict.kind)) continue
    note(step, { conversation, kind: `conflict-${conflict.kind}`, ...whatOf(after, conversation, conflict) })
  }
}

type Conflict = Membership['conflicts'][number]

/** Whom a resolved conflict is about, whose word it was, and where it matters who undid that. */
function whatOf(
  { judge }: Membership,
  conversation: Uint8Array,
  conflict: Conflict,
): { subject: Uint8Array; by: Uint8Array | null; device: Uint8Array | null; detail: string } {
  const authorOf = (op: Uint8Array | null): Uint8Array | null =>
    op === null ? null : (judge.set.byId.get(toHex(op))?.op.account ?? null)
  const about = (subject: Uint8Array, by: Uint8Array | null = null, detail = '') => ({
    ...{ subject, by, detail, device: null },
  })
  switch (conflict.kind) {
    case 'removal-undone': {
      const { account, by, undoneByAccount, back } = conflict
      return about(account, by.account, back && undoneByAccount !== null ? toBase32(undoneByAccount) : '')
    }
    case 'removal-incomplete':
      return about(conflict.account, conflict.by.account)
    case 'ejected':
      return about(conflict.account, authorOf(conflict.cause))
    case 'link-used-twice':
      return about(conflict.account, authorOf(conflict.admission))
    case 'policy-overruled':
      return about(conversation, authorOf(conflict.by), conflict.setting)
    case 'equivocation':
      return { ...about(conflict.device.account), device: conflict.device.device }
    default:
      return about('account' in conflict ? conflict.account : conversation)
  }
}

/** Void operations have lines of their own kinds; what befalls an account is told with its device log. */
const toldElsewhere: ReadonlySet<Conflict['kind']> = new Set(['void', 'account-contested', 'account-accused'])

const conflictKey = (conflict: Conflict): string =>
  Object.entries(conflict)
    .map(
      ([name, value]) =>
        `${name}=${value instanceof Uint8Array ? toHex(value) : typeof value === 'string' ? value : ''}`,
    )
    .join()
