import { randomBytes } from 'node:crypto'
import { createNodeProvider } from '@sotto/core/crypto-node'
import { openLevelStore } from '@sotto/core/level'
import { homePaths } from '../../packages/node/src/home/paths.ts'
import { loadKey } from '../../packages/node/src/home/key-file.ts'
import { openSealedStore } from '../../packages/core/src/device/sealed-store.ts'
import { opRows } from '../../packages/core/src/device/tables.ts'
import type { MembershipOp } from '../../packages/core/src/group/index.ts'
import { temporaryFolder } from '../support/folder.ts'
import { accountOf, copyHome, eventually, meet } from '../support/households.ts'
import { RealNode, tcpAddress } from '../support/real-node.ts'
import {
  judge,
  membersLeft,
  opsAmong,
  prepare,
  quarrel,
  quarrels,
  shownBy,
  type Actor,
  type Quarrel,
  type Quarrellers,
  type Shown,
} from '../support/quarrels.ts'

/**
 * Three real daemons on loopback contradict each other while each is alone, and a fourth is with one of them; then they
 * are brought together, two and the third, whichever that is. What they show is compared with the reference on the
 * operations read from their homes. `npm run campaign:conflicts`: minutes of processes are too long for every day.
 */
const names = ['ada', 'bob', 'cy', 'dee'] as const
type Name = (typeof names)[number]
const called: Readonly<Record<Name, string>> = { ada: 'Ada', bob: 'Bob', cy: 'Cy', dee: 'Dee' }
/** Who comes up together, step by step: Dee is where Bob is. */
const orders: readonly (readonly (readonly Name[])[])[] = [
  [['ada', 'bob', 'dee'], ['cy']],
  [
    ['ada', 'cy'],
    ['bob', 'dee'],
  ],
  [['bob', 'dee', 'cy'], ['ada']],
]

/** The operations of a group that a home holds; its daemon has ended. */
async function opsIn(home: string, id: string): Promise<readonly MembershipOp[]> {
  const crypto = await createNodeProvider()
  const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
  const paths = homePaths(home, {})
  const key = await loadKey(paths.key, { crypto, random, passphrase: async () => undefined })
  const store = await openLevelStore(paths.store)
  const sealed = await openSealedStore({ crypto, store, random: { bytes: random }, key, nowMs: Date.now() })
  const rows = (await sealed.list(opRows)).map(({ value }) => opRows.decode(value))
  await sealed.close()
  return opsAmong(crypto, id, rows)
}

const campaign = process.env['SOTTO_CONFLICTS'] === 'all' ? describe : () => undefined
campaign(
  'daemons: three that contradict each other agree with the reference, whoever comes last',
  function () {
    this.timeout(900_000)
    const folder = temporaryFolder()
    const nodes = new Map<Name, RealNode>()
    const accounts = new Map<Name, string>()
    const guide = new RealNode(`${folder.path}/origin/guide`)
    let bootstrap = ''

    const node = (name: Name): RealNode => nodes.get(name)!
    const up = (some: readonly Name[]) =>
      Promise.all(some.map((name) => node(name).up('--bootstrap', bootstrap)))
    const endAll = () => Promise.all([...nodes.values()].map((one) => one.end()))
    const actor = (name: Name): Actor => ({
      name: called[name],
      accountId: accounts.get(name)!,
      face: {
        dispatch: (command, input) => node(name).face.dispatch(command, input),
        view: (query, input) => node(name).face.view(query, input),
      },
    })
    const quarrellers = (id: string): Quarrellers => {
      const all = { ada: actor('ada'), bob: actor('bob'), cy: actor('cy'), dee: actor('dee'), id }
      return { ...all, settle: () => alike(all, names) }
    }
    /** Waits until those of these who are in show the same of the group. */
    const alike = (all: Omit<Quarrellers, 'settle'>, some: readonly Name[]): Promise<void> =>
      eventually(async () => {
        const { members, policy } = await shownBy(all.ada, all.id)
        const said = JSON.stringify([members, policy])
        for (const name of some) {
          if (!members.some((one) => one.startsWith(all[name].accountId))) continue
          const shown = await shownBy(all[name], all.id).catch(() => undefined)
          if (JSON.stringify([shown?.members, shown?.policy]) !== said) return false
        }
        return true
      })

    /** Everybody goes on in a copy of what they had. */
    async function moveTo(from: string, to: string): Promise<void> {
      await endAll()
      for (const name of names) {
        await copyHome(`${folder.path}/${from}/${name}`, `${folder.path}/${to}/${name}`)
        nodes.set(name, new RealNode(`${folder.path}/${to}/${name}`))
      }
    }

    before(async () => {
      await guide.begin('Guide')
      bootstrap = tcpAddress(guide.ready)
      for (const name of names) {
        nodes.set(name, new RealNode(`${folder.path}/origin/${name}`))
        await node(name).begin(called[name], '--bootstrap', bootstrap)
        accounts.set(name, await accountOf(node(name)))
      }
      for (const [inviter, guest] of [
        ['ada', 'bob'],
        ['ada', 'cy'],
        ['ada', 'dee'],
        ['bob', 'dee'],
      ] as const)
        await meet(node(inviter), node(guest))
    })

    after(async () => {
      await endAll()
      await guide.end()
      folder.remove()
    })

    async function compare(all: Quarrellers, one: Quarrel, said: ReadonlyMap<string, Actor>): Promise<void> {
      const shown = new Map<string, Shown>()
      for (const name of names)
        if (one.left[called[name]] !== undefined) shown.set(called[name], await shownBy(all[name], all.id))
      await endAll()
      const ops: MembershipOp[] = []
      for (const name of names) ops.push(...(await opsIn(node(name).home, all.id)))
      judge(all, one, ops, shown, said)
    }

    for (const [n, one] of quarrels.entries()) {
      const said = new Map<string, Actor>()
      let all: Quarrellers

      it(`${one.title}: each by itself`, async () => {
        const place = `quarrel${String(n)}`
        await moveTo('origin', place)
        await up(names)
        const members = [accounts.get('bob')!, accounts.get('cy')!]
        const made = await node('ada').face.dispatch('create-group', { name: 'Lake', members })
        all = quarrellers(made.conversationId)
        await all.settle()
        await prepare(all, one)
        await endAll()
        for (const name of ['ada', 'bob', 'cy'] as const) {
          await up(name === 'bob' ? ['bob', 'dee'] : [name])
          for (const id of await quarrel(all, one, name)) said.set(id, all[name])
          await endAll()
        }
      })

      for (const [last, order] of orders.entries())
        it(`${one.title}: together, ${order.map((some) => some.join(' and ')).join(', then ')}`, async () => {
          await moveTo(`quarrel${String(n)}`, `quarrel${String(n)}-${String(last)}`)
          for (const some of order) await up(some)
          const inside = names.filter((name) => one.left[called[name]] !== undefined)
          await eventually(async () => {
            const shown = await Promise.all(
              inside.map((name) => shownBy(all[name], all.id).catch(() => undefined)),
            )
            const members = JSON.stringify([...membersLeft(all, one)].sort())
            const longer = shown.filter((_, at) => inside[at] !== 'dee')
            return (
              shown.every((at) => JSON.stringify(at?.members) === members) &&
              longer.every((at) => at?.history.messages.length === said.size) &&
              new Set(longer.map((at) => at?.export)).size === 1 &&
              new Set(shown.map((at) => at?.title)).size === 1
            )
          })
          await compare(all, one, said)
        })
    }
  },
)
