/** Membership operations by members of little power who claim more, each with a signature that verifies. */
import { encode as encodeAnything } from 'cborg'
import { signAs } from '../../../packages/core/src/crypto/index.ts'
import {
  admitProof,
  issueOp,
  type KnownOpArgs,
  type MembershipOp,
  type OpId,
  type OpPlace,
} from '../../../packages/core/src/group/index.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { crypto, Group, laterMs, seedOf, startMs } from '../../core/group/support.ts'
import { drawFrom, type Draw } from '../mutator.ts'
import type { Lie } from './lie.ts'

/** Sets that lies are told to: the group as it was, and such in which a bound is reached. */
export type Room = 'group' | 'deep' | 'busy' | 'waiting' | 'forked'

/** An operation and the set that hears it. */
export interface ToldOperation {
  readonly bytes: Uint8Array
  readonly room: Room
}

/**
 * A group in which A is owner, B and C are admins, D is a member, and R was one. B, D and R lie. Nothing written
 * here is ever changed; what lies leave is in the sets alone.
 */
export class OperationScene {
  readonly group = new Group()
  readonly open: MembershipOp
  readonly ended: MembershipOp
  readonly closed: MembershipOp
  readonly removal: MembershipOp
  readonly base: readonly MembershipOp[]
  readonly tips: readonly MembershipOp[]
  /** The liars' last operations, of which the next are to follow. */
  readonly last = new Map<string, MembershipOp>()
  /** What was refused, to build on. */
  readonly refused: OpId[] = []
  /** What each set holds beside the group, that has a bound reached. */
  readonly full: Readonly<Record<Exclude<Room, 'group'>, readonly MembershipOp[]>>
  readonly #draw = drawFrom(7)

  constructor() {
    const { group } = this
    group.grant('A', 'B', 'admin')
    group.grant('A', 'C', 'admin')
    group.grant('B', 'D', 'member')
    group.grant('A', 'R', 'member')
    group.meta('R')
    this.closed = group.invite('C', 9)
    this.removal = group.revoke('A', 'R')
    this.open = group.invite('B', 3)
    this.ended = group.invite('B', 3, {}, startMs + 1)
    for (const name of ['E', 'F', 'G']) group.account(name)
    group.meta('B')
    group.meta('D')
    this.base = [...group.ops]
    this.tips = group.tips()
    for (const name of ['A1', 'B1', 'D1', 'R1']) this.last.set(name, group.last.get(name)!)
    this.full = {
      waiting: this.#times(limits.groupParkedPerAuthor, () => orphan(this, this.#draw)),
      forked: this.#times(limits.groupForkBranches, () => this.issue('D', edit(this.#draw))),
      busy: this.#day(),
      deep: this.#depth(),
    }
  }

  #times(count: number, write: () => MembershipOp): readonly MembershipOp[] {
    return Array.from({ length: count }, write)
  }

  /** As many operations of D as one day has room for. */
  #day(): readonly MembershipOp[] {
    const [ops, tsMs] = [[] as MembershipOp[], startMs + 1_000]
    let last = this.last.get('D1')!
    while (last.oseq < limits.groupOpsPerDay) {
      last = this.issue('D', edit(this.#draw), { deps: [last.id], oseq: last.oseq + 1, tsMs })
      ops.push(last)
    }
    return ops
  }

  /** Grants of ownership one below the other, as deep as they may go. */
  #depth(): readonly MembershipOp[] {
    const { group } = this
    let [cap, by] = [group.create, 'A']
    for (let level = 1; level <= limits.delegationDepth; level++) {
      const to = by === 'A' ? 'B' : 'A'
      cap = group.grant(by, to, 'owner', { cap, after: level === 1 ? this.tips : [cap] })
      by = to
    }
    return group.ops.slice(this.base.length)
  }

  id(name: string) {
    return this.group.account(name).scene.account.id
  }

  /** The next operation of a liar, but for what is told. */
  issue(by: string, args: KnownOpArgs, part: Partial<OpPlace> = {}): MembershipOp {
    const last = this.last.get(`${by}1`)
    const tips = this.tips.filter((op) => last === undefined || op.by !== last.by)
    return issueOp(crypto, this.group.author(by, '1'), this.place(by, last, tips, part), args)
  }

  place(
    by: string,
    last: MembershipOp | undefined,
    after: readonly MembershipOp[],
    part: Partial<OpPlace> = {},
  ): OpPlace {
    return {
      conversation: this.group.create.conversation,
      deps: [...after, ...(last === undefined ? [] : [last])].map(({ id }) => id),
      cap: this.group.grants.get(by)?.id ?? null,
      accountHeads: this.group.account(by).heads,
      oseq: (last?.oseq ?? 0) + 1,
      tsMs: Math.max(startMs + 1_000, last?.tsMs ?? 0),
      ...part,
    }
  }
}

type OperationLie = Lie<OperationScene, ToldOperation>

const pick = <T>(list: readonly T[], draw: Draw): T => list[draw(list.length)]!
const noise = (draw: Draw): Uint8Array => seedOf(`lie ${draw(2 ** 30)} ${draw(2 ** 30)}`)
const unknownOp = (draw: Draw): OpId => noise(draw) as OpId

/** An edit nobody has made before, so that no operation is a repeat. */
const edit = (draw: Draw): KnownOpArgs => ({ kind: 'meta', intent: noise(draw), after: [] })
/** A time of its own, so that the same words are another operation. */
const later = (draw: Draw) => ({ tsMs: startMs + 2_000 + draw(2 ** 30) })
const timer = (draw: Draw): KnownOpArgs => ({ kind: 'policy', change: { kind: 'timer', ms: draw(2 ** 40) } })

const lie = (
  name: string,
  answer: string,
  tell: (scene: OperationScene, draw: Draw) => MembershipOp | Uint8Array | undefined,
  room: Room = 'group',
): OperationLie => ({
  name,
  answers: [answer],
  tell: (scene, draw) => {
    const op = tell(scene, draw)
    return op && { bytes: op instanceof Uint8Array ? op : op.bytes, room }
  },
})

/** An operation of D that names what nobody wrote. */
const orphan = (scene: OperationScene, draw: Draw): MembershipOp =>
  scene.issue('D', edit(draw), { deps: [scene.last.get('D1')!.id, unknownOp(draw)] })

/** A body of any values at all, signed by D. */
function misshapen(name: string, change: (fields: unknown[], draw: Draw) => unknown): OperationLie {
  return lie(name, 'malformed', (scene, draw) => {
    const op = scene.issue('D', edit(draw))
    const { conversation, deps, cap, account, device, accountHeads, oseq, tsMs } = op
    const fields: unknown[] = [
      ...[conversation, [11, noise(draw), []], deps, cap, account, device],
      ...[accountHeads, oseq, tsMs],
    ]
    change(fields, draw)
    const body = encodeAnything(fields)
    const { identity } = scene.group.author('D', '1')
    return encodeAnything([body, signAs(crypto, identity, 'membership-op', conversation, body)])
  })
}

const fieldAt = { args: 1, deps: 2, cap: 3, heads: 6, oseq: 7, ts: 8 } as const

const malformed: readonly OperationLie[] = [
  misshapen('a value of another type', (fields, draw) => {
    const value = pick(['__proto__', NaN, -1, 2n ** 60n, [[[[]]]], '', 1.5], draw)
    fields[pick(Object.values(fieldAt), draw)] = value
  }),
  misshapen('ids out of order, or twice', (fields, draw) => {
    const [a, b] = [new Uint8Array(32).fill(2), new Uint8Array(32).fill(1 + draw(2))]
    fields[pick([fieldAt.deps, fieldAt.heads], draw)] = [a, b]
  }),
  misshapen('more ids than a list may have', (fields, draw) => {
    const many = Array.from({ length: 33 + draw(200) }, (_, i) => new Uint8Array(32).fill(i))
    fields[pick([fieldAt.deps, fieldAt.heads], draw)] = many
  }),
  misshapen('a number beyond its bound', (fields, draw) => {
    fields[fieldAt.oseq] = limits.groupOpsPerDevice + 1 + draw(99)
  }),
  misshapen('arguments that are none', (fields, draw) => {
    const args = [
      [],
      11,
      [11],
      [2, noise(draw)],
      [8, [1]],
      [3, noise(draw), [[1, 2, 3]]],
      [11, new Uint8Array(0), []],
    ]
    fields[fieldAt.args] = pick(args, draw)
  }),
  misshapen('an edit beyond its size', (fields) => {
    fields[fieldAt.args] = [11, new Uint8Array(limits.metaIntentBytes + 1), []]
  }),
  misshapen('a bomb', (fields, draw) => {
    fields[fieldAt.args] = [98, new Uint8Array(limits.groupOpBytes + draw(9_999))]
  }),
  misshapen('a nest', (fields, draw) => {
    let nest: unknown = 0
    for (let depth = limits.cborDepth + 1 + draw(900); depth > 0; depth--) nest = [nest]
    fields[fieldAt.args] = [99, nest]
  }),
  lie('bytes after the end', 'malformed', (scene, draw) => {
    const { bytes } = scene.issue('D', edit(draw))
    return Uint8Array.from([...bytes, draw(256)])
  }),
]

const misattributed: readonly OperationLie[] = [
  lie('in the owner’s name', 'bad-signature', (scene, draw) => {
    const { account, device } = scene.group.author('A', '1')
    const { identity } = scene.group.author('D', '1')
    const place = scene.place(
      'A',
      scene.last.get('A1'),
      scene.tips.filter(({ by }) => by !== scene.last.get('A1')!.by),
    )
    return issueOp(crypto, { account, device, identity }, place, timer(draw))
  }),
  lie('a device of the liar’s in the owner’s account', 'author-not-active', (scene, draw) => {
    const { account } = scene.group.author('A', '1')
    const own = scene.group.author('D', '1')
    const place = scene.place('A', undefined, scene.tips)
    return issueOp(crypto, { ...own, account }, place, timer(draw))
  }),
  lie('a device that was not yet, at the heads it pins', 'author-not-active', (scene, draw) => {
    const [first] = scene.group.account('D').scene.ops
    const place = scene.place('D', undefined, scene.tips, { accountHeads: [first!.id] })
    return issueOp(crypto, scene.group.author('D', '3'), place, edit(draw))
  }),
  lie('who was never let in', 'author-not-known', (scene, draw) =>
    scene.issue('E', edit(draw), { cap: scene.group.create.id }),
  ),
  lie('of another conversation', 'wrong-conversation', (scene, draw) =>
    scene.issue('D', edit(draw), { conversation: noise(draw) as never }),
  ),
  lie('another beginning', 'wrong-conversation', (scene, draw) =>
    scene.issue(
      'D',
      { kind: 'create', nonce: noise(draw) },
      { conversation: null, deps: [], cap: null, oseq: 1 },
    ),
  ),
]

const misnumbered: readonly OperationLie[] = [
  lie('a hole in the numbers', 'broken-chain', (scene, draw) =>
    scene.issue('D', edit(draw), { oseq: scene.last.get('D1')!.oseq + 2 + draw(99) }),
  ),
  lie('a number that was used', 'broken-chain', (scene, draw) => scene.issue('D', edit(draw), { oseq: 1 })),
  lie('its own last unnamed', 'broken-chain', (scene, draw) =>
    scene.issue('D', edit(draw), { deps: [scene.group.create.id] }),
  ),
  lie('a time before its own last', 'broken-chain', (scene, draw) =>
    scene.issue('D', edit(draw), { tsMs: draw(startMs) }),
  ),
]

/** What rests on a grant that gives no such power. */
const presumptuous: readonly OperationLie[] = [
  lie('on the owner’s grant', 'bad-cap', (scene, draw) =>
    scene.issue('D', timer(draw), { cap: scene.group.create.id }),
  ),
  lie('on no grant', 'bad-cap', (scene, draw) => scene.issue('D', edit(draw), { cap: null })),
  lie('on a grant nobody has', 'bad-cap', (scene, draw) =>
    scene.issue('D', edit(draw), { cap: unknownOp(draw) }),
  ),
  lie('a member’s removal of the owner', 'bad-cap', (scene) =>
    scene.issue('D', { kind: 'revoke', account: scene.id('A'), frontier: [] }),
  ),
  lie('a member’s grant', 'bad-cap', (scene, draw) => {
    const role = pick(['owner', 'admin'] as const, draw)
    return scene.issue('D', {
      kind: 'grant',
      account: scene.id('E'),
      role,
      heads: scene.group.account('E').heads,
    })
  }),
  lie('an admin’s grant of ownership', 'bad-cap', (scene) =>
    scene.issue('B', {
      kind: 'grant',
      account: scene.id('B'),
      role: 'owner',
      heads: scene.group.account('B').heads,
    }),
  ),
  lie('a member’s rule', 'bad-cap', (scene, draw) => scene.issue('D', timer(draw))),
  lie('an admin’s rule that admins make admins', 'bad-cap', (scene) =>
    scene.issue('B', { kind: 'policy', change: { kind: 'adminsGrantAdmin', allowed: true } }),
  ),
  lie('leaving on a grant', 'bad-cap', (scene) => scene.issue('D', { kind: 'leave' })),
  lie('a member’s link', 'bad-cap', (scene, draw) =>
    scene.issue('D', {
      kind: 'invite',
      key: crypto.signKeyPair(noise(draw)).publicKey,
      uses: 9,
      expiresAtMs: laterMs,
    }),
  ),
]

const admission = (
  scene: OperationScene,
  invite: MembershipOp,
  name: string,
): Extract<KnownOpArgs, { kind: 'admit' }> => {
  const { group } = scene
  const about = { conversation: group.create.conversation, invite: invite.id, account: scene.id(name) }
  const proof = admitProof(crypto, group.invites.get(invite.key)!, about)
  return {
    kind: 'admit',
    invite: invite.id,
    account: scene.id(name),
    heads: group.account(name).heads,
    proof,
  }
}

const ofNoTerms: readonly OperationLie[] = [
  lie('a demotion of the owner', 'bad-terms', (scene, draw) =>
    scene.issue('B', {
      kind: 'demote',
      account: scene.id('A'),
      role: pick(['admin', 'member'] as const, draw),
    }),
  ),
  lie('a demotion of its equal', 'bad-terms', (scene) =>
    scene.issue('B', { kind: 'demote', account: scene.id('C'), role: 'member' }),
  ),
  lie('a removal of who was never in', 'bad-terms', (scene) =>
    scene.issue('B', { kind: 'revoke', account: scene.id('E'), frontier: [] }),
  ),
  lie('a removal that names what nobody wrote', 'bad-terms', (scene, draw) => {
    const { device } = scene.group.author('D', '1')
    const op = { oseq: 1 + draw(9), id: pick([unknownOp(draw), scene.group.create.id], draw) }
    return scene.issue('B', {
      kind: 'revoke',
      account: scene.id('D'),
      frontier: [{ device, record: null, op }],
    })
  }),
  lie('a link for nobody', 'bad-terms', (scene, draw) =>
    scene.issue('B', {
      kind: 'invite',
      key: crypto.signKeyPair(noise(draw)).publicKey,
      uses: 0,
      expiresAtMs: laterMs,
    }),
  ),
  lie('an admission after the link’s end', 'bad-terms', (scene) =>
    scene.issue('B', admission(scene, scene.ended, 'E')),
  ),
  lie('an admission by what is no link', 'bad-terms', (scene) =>
    scene.issue('B', { ...admission(scene, scene.open, 'E'), invite: scene.group.create.id }),
  ),
  lie('a grant for nobody’s devices', 'bad-terms', (scene) =>
    scene.issue('B', { kind: 'grant', account: scene.id('E'), role: 'member', heads: [] }),
  ),
  lie('a closing of what is no link', 'bad-terms', (scene) =>
    scene.issue('B', { kind: 'close', invite: scene.group.create.id }),
  ),
  lie('an edit after what is no edit', 'bad-terms', (scene, draw) =>
    scene.issue('D', { kind: 'meta', intent: noise(draw), after: [scene.group.create.id] }),
  ),
  lie('devices of who was never in', 'bad-terms', (scene) =>
    scene.issue('D', {
      kind: 'deviceset',
      account: scene.id('E'),
      heads: scene.group.account('E').heads,
      last: [],
    }),
  ),
  lie('an admission with another’s proof', 'bad-proof', (scene) => {
    const { proof } = admission(scene, scene.open, 'F')
    return scene.issue('B', { ...admission(scene, scene.open, 'E'), proof })
  }),
]

const waiting: readonly OperationLie[] = [
  lie('an orphan', 'waits for operations', orphan),
  lie('what follows a lie', 'waits for operations', (scene, draw) => {
    const { refused } = scene
    if (refused.length === 0) return undefined
    return scene.issue('D', edit(draw), { deps: [pick(refused, draw)], oseq: 2 + draw(40) })
  }),
  lie('heads of a log that nobody wrote', 'waits for account-logs', (scene, draw) =>
    scene.issue('D', edit(draw), { accountHeads: [noise(draw) as never] }),
  ),
  lie('the year 2099', 'waits for time', (scene, draw) =>
    scene.issue('D', edit(draw), { tsMs: Date.UTC(2099, draw(12)) + draw(1e9) }),
  ),
]

/** What enters, for it is well formed, and counts for nothing. */
const voidOnes: readonly OperationLie[] = [
  lie('an admin’s grant of its own rank', 'void by policy', (scene, draw) => {
    const name = pick(['D', 'E', 'F'], draw)
    return scene.issue(
      'B',
      {
        kind: 'grant',
        account: scene.id(name),
        role: 'admin',
        heads: scene.group.account(name).heads,
      },
      later(draw),
    )
  }),
  lie('a member’s admission, where members may not', 'void by policy', (scene, draw) =>
    scene.issue('D', admission(scene, scene.open, 'E'), later(draw)),
  ),
  lie('an admission by a link from before a removal', 'void by invite-closed', (scene, draw) =>
    scene.issue('B', admission(scene, scene.closed, 'F'), later(draw)),
  ),
  lie('the word of who is out', 'void by author-removed', (scene, draw) => {
    const own = scene.last.get('R1')!
    const about = pick([scene.base.slice(0, 3), scene.tips], draw)
    return issueOp(
      crypto,
      scene.group.author('R', '1'),
      scene.place(
        'R',
        own,
        about.filter(({ by }) => by !== own.by),
      ),
      edit(draw),
    )
  }),
  lie('a removal of its equal', 'no effect', (scene, draw) =>
    scene.issue('B', { kind: 'revoke', account: scene.id('C'), frontier: [] }, later(draw)),
  ),
  lie('a removal of the owner', 'no effect', (scene, draw) =>
    scene.issue('B', { kind: 'revoke', account: scene.id('A'), frontier: [] }, later(draw)),
  ),
  lie('a cut of the owner’s devices', 'no effect', (scene, draw) => {
    const { heads, scene: own } = scene.group.account('A')
    const last = ['1', '2'].map((name) => ({ device: own.device(name).device, record: null, op: null }))
    return scene.issue('D', { kind: 'deviceset', account: scene.id('A'), heads, last }, later(draw))
  }),
  lie('a second word under one number', 'no effect', (scene, draw) =>
    scene.issue('D', edit(draw), later(draw)),
  ),
]

/** Where a bound is reached. */
const beyond: readonly OperationLie[] = [
  lie(
    'a grant below 64 others',
    'too-deep',
    (scene, draw) => {
      const cap = scene.full.deep.at(-1)!
      const own = scene.group.last.get('A1')!
      const { heads } = scene.group.account('E')
      const place = {
        deps: [cap.id, own.id],
        cap: cap.id,
        oseq: own.oseq + 1,
        tsMs: startMs + 2_000 + draw(1e6),
      }
      return scene.issue('A', { kind: 'grant', account: scene.id('E'), role: 'owner', heads }, place)
    },
    'deep',
  ),
  lie(
    'one more on a day of 2,000',
    'too-many',
    (scene, draw) => {
      const last = scene.full.busy.at(-1)!
      return scene.issue('D', edit(draw), { deps: [last.id], oseq: last.oseq + 1, tsMs: last.tsMs })
    },
    'busy',
  ),
  lie('one more orphan than may wait', 'parked-full', orphan, 'waiting'),
  lie(
    'one more branch than is taken unasked',
    'forked-too-often',
    (scene, draw) => scene.issue('D', edit(draw)),
    'forked',
  ),
]

/** Lies after which nobody is in who was not, and no rule is another. */
export const operationLies: readonly OperationLie[] = [
  ...malformed,
  ...misattributed,
  ...misnumbered,
  ...presumptuous,
  ...ofNoTerms,
  ...waiting,
  ...voidOnes,
  ...beyond,
]
