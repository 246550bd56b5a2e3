/** Three devices that contradict each other about a group: what each does, and what all must show in the end. */
import { expect } from 'chai'
import type { DeviceFace } from '@sotto/core'
import { readMembershipOp, type MembershipOp } from '../../packages/core/src/group/index.ts'
import type { CryptoProvider } from '../../packages/core/src/crypto/index.ts'
import { equalBytes, fromBase32, toHex } from '../../packages/core/src/wire/index.ts'
import { reference, titlesLeft } from '../core/group/reference.ts'

/** One person's device, by its face. */
export interface Actor {
  readonly name: string
  readonly accountId: string
  readonly face: Pick<DeviceFace, 'dispatch' | 'view'>
}

/** Ada owns a group with Bob and Cy in it, who are admins; Ada and Bob know Dee, who is in Bob's part of the world. */
export interface Quarrellers {
  readonly ada: Actor
  readonly bob: Actor
  readonly cy: Actor
  readonly dee: Actor
  /** The group. */
  readonly id: string
  /** Lets what was done reach everybody who can be reached. */
  readonly settle: () => Promise<void>
}

/** What three devices do without knowing of each other, and who of the four is in at the end. */
export interface Quarrel {
  readonly title: string
  readonly before?: (all: Quarrellers) => Promise<unknown>
  readonly acts: Readonly<Record<'ada' | 'bob' | 'cy', (all: Quarrellers) => Promise<unknown>>>
  readonly left: Readonly<Record<string, 'owner' | 'admin' | 'member'>>
  /** Who went by itself, and takes no word back by that. */
  readonly leaves?: string
}

const add = ({ id }: Quarrellers, by: Actor, { accountId }: Actor) =>
  by.face.dispatch('group-add', { conversationId: id, accountId })
const remove = ({ id }: Quarrellers, by: Actor, { accountId }: Actor) =>
  by.face.dispatch('group-remove', { conversationId: id, accountId })
const role = (
  { id }: Quarrellers,
  by: Actor,
  { accountId }: Actor,
  to: 'owner' | 'admin' | 'member',
): Promise<unknown> => by.face.dispatch('group-role', { conversationId: id, accountId, role: to })
const rules = (
  { id }: Quarrellers,
  by: Actor,
  some: {
    readonly timerMs?: number | null
    readonly adminsGrantAdmin?: boolean
    readonly membersAdmit?: boolean
  },
): Promise<unknown> => by.face.dispatch('group-policy', { conversationId: id, ...some })

const nothing = async (): Promise<void> => undefined

/** Every quarrel, by name. */
export const quarrels: readonly Quarrel[] = [
  {
    title: 'mutual removal by admins of one level',
    acts: {
      ada: nothing,
      bob: (all) => remove(all, all.bob, all.cy),
      cy: (all) => remove(all, all.cy, all.bob),
    },
    left: { Ada: 'owner', Bob: 'admin', Cy: 'admin' },
  },
  {
    title: 'mutual removal by an owner and whom it made one',
    before: (all) => role(all, all.ada, all.bob, 'owner'),
    acts: {
      ada: (all) => remove(all, all.ada, all.bob),
      bob: (all) => remove(all, all.bob, all.ada),
      cy: nothing,
    },
    left: { Ada: 'owner', Cy: 'admin' },
  },
  {
    title: 'demotion in a circle',
    before: async (all) => {
      await role(all, all.ada, all.bob, 'owner')
      await all.settle()
      await role(all, all.bob, all.cy, 'owner')
    },
    acts: {
      ada: (all) => role(all, all.ada, all.bob, 'member'),
      bob: (all) => role(all, all.bob, all.cy, 'member'),
      cy: async (all) => {
        const refusal = await role(all, all.cy, all.ada, 'member').catch((error: unknown) => error)
        expect(refusal).to.include({ code: 'E_NOT_ALLOWED' })
      },
    },
    left: { Ada: 'owner', Bob: 'member', Cy: 'owner' },
  },
  {
    title: 'a removal and an add again that does not know of it',
    before: (all) => add(all, all.ada, all.dee),
    acts: {
      ada: nothing,
      bob: (all) => remove(all, all.bob, all.dee),
      cy: async (all) => {
        await remove(all, all.cy, all.dee)
        await add(all, all.cy, all.dee)
      },
    },
    left: { Ada: 'owner', Bob: 'admin', Cy: 'admin' },
  },
  {
    title: 'a removal and what the removed adds meanwhile',
    acts: {
      ada: (all) => remove(all, all.ada, all.bob),
      bob: async (all) => {
        await add(all, all.bob, all.dee)
        await rules(all, all.bob, { timerMs: 7_200_000 })
      },
      cy: nothing,
    },
    left: { Ada: 'owner', Cy: 'admin' },
  },
  {
    title: 'an owner who leaves while others act by its word',
    before: (all) => role(all, all.ada, all.cy, 'owner'),
    acts: {
      ada: async (all) => {
        await rules(all, all.ada, { membersAdmit: true })
        await all.ada.face.dispatch('group-leave', { conversationId: all.id })
      },
      bob: (all) => add(all, all.bob, all.dee),
      cy: (all) => rules(all, all.cy, { membersAdmit: false }),
    },
    left: { Cy: 'owner', Bob: 'admin', Dee: 'member' },
    leaves: 'Ada',
  },
  {
    title: 'rules that contradict each other',
    before: (all) => rules(all, all.ada, { adminsGrantAdmin: true }),
    acts: {
      ada: (all) => rules(all, all.ada, { timerMs: 3_600_000, adminsGrantAdmin: false }),
      bob: async (all) => {
        await rules(all, all.bob, { timerMs: 7_200_000, membersAdmit: true })
        await add(all, all.bob, all.dee)
        await role(all, all.bob, all.dee, 'admin')
      },
      cy: (all) => rules(all, all.cy, { timerMs: null, membersAdmit: false }),
    },
    left: { Ada: 'owner', Bob: 'admin', Cy: 'admin', Dee: 'member' },
  },
]

/** Makes Bob and Cy admins, and whatever else comes before a quarrel. */
export async function prepare(all: Quarrellers, { before }: Quarrel): Promise<void> {
  for (const admin of [all.bob, all.cy]) await role(all, all.ada, admin, 'admin')
  await all.settle()
  await before?.(all)
  await all.settle()
}

/** One says something, does what it does, calls the group its own way and says something again; its messages. */
export async function quarrel(
  all: Quarrellers,
  { acts }: Quarrel,
  who: 'ada' | 'bob' | 'cy',
): Promise<readonly string[]> {
  const { face } = all[who]
  const said: string[] = []
  const say = async (text: string): Promise<void> => {
    said.push((await face.dispatch('send', { conversationId: all.id, text })).messageId)
  }
  await say(`${who} before it acts`)
  await face.dispatch('group-rename', { conversationId: all.id, name: `Lake of ${who}` })
  await acts[who](all)
  const left = await say(`${who} after it acted`).catch((error: unknown) => error)
  if (left !== undefined) expect(left).to.include({ code: 'E_NOT_MEMBER' })
  return said
}

/** The operations of a group among the rows of a home. */
export const opsAmong = (
  crypto: CryptoProvider,
  id: string,
  rows: readonly { readonly conversation: Uint8Array; readonly bytes: Uint8Array }[],
): readonly MembershipOp[] =>
  rows
    .filter(({ conversation }) => equalBytes(conversation, fromBase32(id)!))
    .flatMap(({ bytes }) => readMembershipOp(crypto, bytes) ?? [])

/** What one device shows of a group. */
export async function shownBy({ face }: Actor, conversationId: string) {
  const members = await face.view('members', { conversationId })
  const conversations = await face.view('conversations', {})
  return {
    members: members.map(({ accountId, role: its }) => `${accountId} ${its}`).sort(),
    policy: await face.view('policy', { conversationId }),
    title: conversations.find((one) => one.conversationId === conversationId)?.name,
    history: await face.view('history', { conversationId, limit: 100 }),
    export: (await face.view('export', { conversationId })).json,
  }
}
export type Shown = Awaited<ReturnType<typeof shownBy>>

/** The members that are named, as `shownBy` says them. */
export const membersLeft = ({ ada, bob, cy, dee }: Quarrellers, { left }: Quarrel): readonly string[] =>
  [ada, bob, cy, dee].flatMap(({ name, accountId }) =>
    left[name] === undefined ? [] : [`${accountId} ${left[name]}`],
  )

/** Every device of a member shows what the reference makes of all signed operations, and every message. */
export function judge(
  all: Quarrellers,
  one: Quarrel,
  union: readonly MembershipOp[],
  shown: ReadonlyMap<string, Shown>,
  said: ReadonlyMap<string, Actor>,
): void {
  const ops = [...new Map(union.map((op) => [op.key, op])).values()]
  const right = reference(ops, () => true)
  const titles = titlesLeft(ops, new Set(right.void))
  const hexOf = (line: string): string => {
    const [account = '', its = ''] = line.split(' ')
    return `${toHex(fromBase32(account)!)}:${its}`
  }
  expect(membersLeft(all, one).map(hexOf).sort(), 'by the reference').to.deep.equal(right.members)
  const inside = [...shown].filter(([name]) => one.left[name] !== undefined)
  expect(inside).to.have.length(right.members.length)
  for (const [name, { members, policy, title }] of inside) {
    expect(members.map(hexOf).sort(), name).to.deep.equal(right.members)
    expect(titles, 'titles that no later one replaced').to.include(title)
    expect(policy.timerMs, name).to.equal(valueOf(right.policy['timer'], 'ms') ?? null)
    for (const rule of ['adminsGrantAdmin', 'membersAdmit'] as const)
      expect(policy[rule], `${rule} at ${name}`).to.equal(valueOf(right.policy[rule], 'allowed') ?? false)
  }
  // Who came in meanwhile is shown what was written since.
  const longer = inside.filter(([name]) => name !== all.dee.name)
  expect(new Set(longer.map(([, { export: text }]) => text)).size, 'different exports').to.equal(1)
  for (const [name, { history }] of longer) judgeMessages(name, history, one, said)
}

const valueOf = (change: unknown, field: string): unknown =>
  change === null ? null : (change as Readonly<Record<string, unknown>>)[field]

function judgeMessages(
  reader: string,
  { messages, missing }: Shown['history'],
  { left, leaves }: Quarrel,
  said: ReadonlyMap<string, Actor>,
): void {
  expect(missing, reader).to.equal(0)
  const byId = new Map(messages.map((message) => [message.messageId, message]))
  expect([...byId.keys()], reader).to.have.members([...said.keys()])
  for (const [messageId, author] of said) {
    const { text, outside, author: by } = byId.get(messageId)!
    expect(text, `${reader} reads ${author.name}`).to.be.a('string')
    expect(by.accountId).to.equal(author.accountId)
    if (left[author.name] !== undefined || leaves === author.name) expect(outside, 'it counts').to.equal(null)
  }
}
