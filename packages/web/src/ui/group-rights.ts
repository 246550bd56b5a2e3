import type { ConversationView, MemberView, PolicyView } from '@sotto/core'

/** What one account may do here; the device has the last word. */
export interface Rights {
  readonly mayWrite: boolean
  readonly mayAdd: boolean
  readonly mayRule: boolean
  readonly isOwner: boolean
  readonly mayMakeAdmins: boolean
}

/** Rights by role and rules, for showing no more than what would be taken. */
export function rightsOf(
  conversation: ConversationView,
  me: MemberView | undefined,
  policy: PolicyView | undefined,
): Rights {
  const mayWrite = conversation.contactState === 'connected' && me !== undefined
  const isOwner = mayWrite && me.role === 'owner'
  const mayRule = mayWrite && me.role !== 'member'
  return {
    ...{ mayWrite, isOwner, mayRule },
    mayAdd: mayRule,
    mayMakeAdmins: isOwner || (mayRule && policy?.adminsGrantAdmin === true),
  }
}
