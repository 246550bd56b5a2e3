import { UsageError } from '@sotto/core/ports'
import type { AuditView, DeviceFace, GroupRole, MemberView } from '@sotto/core'
import { findContact, findGroup, findPlace, resolveMember } from '../face/who.ts'
import type { Place } from '../face/who.ts'
import { onDevice } from './context.ts'
import type { Context } from './context.ts'
import { noticeLine, type NameOf } from '../chat/notices.ts'
import { auditJson, memberJson } from './group-shapes.ts'
import { outcome } from './io.ts'
import type { Outcome } from './io.ts'
import { printableLine } from './printable.ts'
import { warnWhenNotRunning } from './session.ts'
import { short, table } from './table.ts'

const named = ({ name }: { readonly name: string }, otherwise: string): string =>
  name === '' ? otherwise : printableLine(name)

/** `sotto group new NAME [--member WHO…]` */
export const runGroupNew = (context: Context, name: string, whos: readonly string[]): Promise<Outcome> =>
  onDevice(context, async (session) => {
    const members: string[] = []
    for (const who of whos) {
      const { accountId } = await findContact(session.face, who)
      if (!members.includes(accountId)) members.push(accountId)
    }
    const group = await session.face.dispatch('create-group', { name, members })
    warnWhenNotRunning(context.io, session)
    const { conversationId } = group
    return outcome(
      { conversationId },
      `Opened ${printableLine(group.name)} with ${group.members} in it.\nNext: sotto send ${short(conversationId)} TEXT`,
    )
  })

const membersText = (members: readonly MemberView[]): string =>
  table(
    members.map((member) => [
      short(member.accountId),
      member.role,
      member.devices.length === 1 ? '1 device' : `${member.devices.length} devices`,
      `${named(member, '(no name known)')}${member.me ? ' (you)' : ''}`,
    ]),
  )

/** `sotto group members G` */
export const runGroupMembers = (context: Context, who: string): Promise<Outcome> =>
  onDevice(context, async ({ face }) => {
    const { conversationId } = await findPlace(face, who)
    const members = await face.view('members', { conversationId })
    return outcome(members.map(memberJson), membersText(members))
  })

type Change = (face: DeviceFace, place: Place) => Promise<readonly [string, readonly MemberView[]]>

/** Changes who is in a group, or what they may do there. */
const changeMembers = (
  context: Context,
  who: string,
  change: Change,
  next: (face: DeviceFace, place: Place) => Promise<string> = async () => '',
): Promise<Outcome> =>
  onDevice(context, async (session) => {
    const place = await findGroup(session.face, who)
    const [accountId, members] = await change(session.face, place)
    warnWhenNotRunning(context.io, session)
    const { conversationId } = place
    const json = { conversationId, accountId, members: members.map(memberJson) }
    return outcome(json, `${membersText(members)}${await next(session.face, place)}`)
  })

/** `sotto group add G WHO` */
export const runGroupAdd = (context: Context, group: string, who: string): Promise<Outcome> =>
  changeMembers(context, group, async (face, { conversationId }) => {
    const { accountId } = await findContact(face, who)
    return [accountId, await face.dispatch('group-add', { conversationId, accountId })]
  })

const findMember = async (face: DeviceFace, { conversationId }: Place, who: string): Promise<string> =>
  resolveMember(await face.view('members', { conversationId }), who).accountId

/** Every removal ends the links into the group; who had one is told how to make another. */
async function freshLink(face: DeviceFace, { conversationId, name }: Place): Promise<string> {
  const invites = await face.view('invites', {})
  const had = invites.some(({ group }) => group?.conversationId === conversationId)
  return had
    ? `\nLinks into the group have ended. A fresh one: sotto invite new --group ${printableLine(name)}`
    : ''
}

/** `sotto group remove G WHO` */
export const runGroupRemove = (context: Context, group: string, who: string): Promise<Outcome> =>
  changeMembers(
    context,
    group,
    async (face, place) => {
      const accountId = await findMember(face, place, who)
      const { conversationId } = place
      return [accountId, await face.dispatch('group-remove', { conversationId, accountId })]
    },
    freshLink,
  )

const roles: readonly GroupRole[] = ['owner', 'admin', 'member']

function parseRole(text: string): GroupRole {
  const role = roles.find((one) => one === text)
  if (role !== undefined) return role
  throw new UsageError('E_ROLE', `“${printableLine(text)}” is no role`, {
    hint: 'A role is owner, admin or member.',
  })
}

/** `sotto group role G WHO ROLE` */
export const runGroupRole = (context: Context, group: string, who: string, typed: string): Promise<Outcome> =>
  changeMembers(context, group, async (face, place) => {
    const role = parseRole(typed)
    const accountId = await findMember(face, place, who)
    const { conversationId } = place
    return [accountId, await face.dispatch('group-role', { conversationId, accountId, role })]
  })

/** `sotto group leave G` */
export const runGroupLeave = (context: Context, group: string): Promise<Outcome> =>
  onDevice(context, async (session) => {
    const { conversationId, name } = await findGroup(session.face, group)
    await session.face.dispatch('group-leave', { conversationId })
    warnWhenNotRunning(context.io, session)
    return outcome({ conversationId }, `Left ${named({ name }, 'the group')}; what was said stays here.`)
  })

/** `sotto group rename G NAME` */
export const runGroupRename = (context: Context, group: string, name: string): Promise<Outcome> =>
  onDevice(context, async (session) => {
    const { conversationId } = await findGroup(session.face, group)
    const renamed = await session.face.dispatch('group-rename', { conversationId, name })
    warnWhenNotRunning(context.io, session)
    return outcome({ conversationId, name: renamed.name }, `The group is now ${printableLine(renamed.name)}.`)
  })

async function auditOutcome(
  face: DeviceFace,
  lines: readonly AuditView[],
  more: readonly MemberView[] = [],
): Promise<Outcome> {
  const self = await face.view('self', {})
  const people = [...(await face.view('contacts', {})), ...more]
  const names = new Map(people.map(({ accountId, name }) => [accountId, printableLine(name)]))
  const nameOf: NameOf = (id) => {
    if (id === null) return 'somebody'
    return id === self?.accountId ? undefined : (names.get(id) ?? short(id))
  }
  const rows = lines.map((line) => [new Date(line.atMs).toISOString(), noticeLine(line, nameOf)])
  return outcome(lines.map(auditJson), rows.length > 0 ? table(rows) : 'Nothing yet.')
}

/** `sotto group audit G` */
export const runGroupAudit = (context: Context, who: string): Promise<Outcome> =>
  onDevice(context, async ({ face }) => {
    const { conversationId } = await findPlace(face, who)
    const members = await face.view('members', { conversationId })
    return auditOutcome(face, await face.view('audit', { conversationId }), members)
  })

/** `sotto audit` */
export const runAudit = (context: Context): Promise<Outcome> =>
  onDevice(context, async ({ face }) => auditOutcome(face, await face.view('audit', {})))
