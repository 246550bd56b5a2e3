import { expect } from 'chai'
import { opRows } from '../../../packages/core/src/device/tables.ts'
import { Town, type Person } from '../../support/devices.ts'
import { acquainted, befriend, groupOf } from '../../support/friends.ts'
import { OpenedHome } from '../../support/opened-home.ts'
import {
  judge,
  opsAmong,
  prepare,
  quarrel,
  quarrels,
  shownBy,
  type Actor,
  type Quarrel,
  type Quarrellers,
  type Shown,
} from '../../support/quarrels.ts'

/** Orders in which the three ways between them heal; `npm run campaign:conflicts` takes all, every day two of each. */
const orders = ['012', '120', '201', '021', '210', '102']
const ordersOf = (at: number): readonly string[] =>
  process.env['SOTTO_CONFLICTS'] === 'all' ? orders : [orders[at % 6]!, orders[(at + 3) % 6]!]

type People = Readonly<Record<'ada' | 'bob' | 'cy' | 'dee', Person>>

async function stage(one: Quarrel) {
  const town = await Town.found()
  const [ada, bob, cy, dee] = await acquainted(town, ['Ada', 'Bob', 'Cy', 'Dee'])
  await befriend(town, bob, dee)
  const id = await groupOf(town, ada, [bob, cy], 'Lake')
  const actor = async ({ name, device }: Person): Promise<Actor> => ({
    ...{ name, face: device },
    accountId: (await device.view('self', {}))!.accountId,
  })
  const all: Quarrellers = {
    ...{ ada: await actor(ada), bob: await actor(bob), cy: await actor(cy), dee: await actor(dee) },
    ...{ id, settle: () => town.pass(20_000) },
  }
  await prepare(all, one)
  return { town, all, people: { ada, bob, cy, dee } }
}

/** What every device shows against what the reference makes of the operations that any of them holds. */
async function compare(
  town: Town,
  people: People,
  all: Quarrellers,
  one: Quarrel,
  said: ReadonlyMap<string, Actor>,
): Promise<void> {
  const shown = new Map<string, Shown>()
  const ops = []
  for (const name of ['ada', 'bob', 'cy', 'dee'] as const) {
    const home = await OpenedHome.of(town.crypto, people[name], town.clock.nowMs())
    ops.push(...opsAmong(town.crypto, all.id, home.rows.all(opRows)))
    if (one.left[all[name].name] !== undefined) shown.set(all[name].name, await shownBy(all[name], all.id))
  }
  judge(all, one, ops, shown, said)
}

/** Whoever is in speaks, and whoever is in hears it. */
async function goOn(town: Town, all: Quarrellers, { left }: Quarrel): Promise<void> {
  const inside = [all.ada, all.bob, all.cy].filter(({ name }) => left[name] !== undefined)
  for (const { name, face } of inside) {
    const text = `${name} goes on`
    const { messageId } = await face.dispatch('send', { conversationId: all.id, text })
    await town.pass(10_000)
    for (const other of inside)
      expect(await other.face.view('message', { messageId })).to.include({ text, outside: null })
  }
}

describe('device: three that contradict each other agree with the reference, however they meet', function () {
  this.timeout(60_000)
  for (const [at, one] of quarrels.entries())
    for (const order of ordersOf(at))
      it(`${one.title}, healed in the order ${order}`, async () => {
        const { town, all, people } = await stage(one)
        const { ada, bob, cy, dee } = people
        town.part([[ada], [bob, dee], [cy]])
        // What is said from here on is on no channel that only seems to be there.
        await town.pass(30_000)
        const said = new Map<string, Actor>()
        for (const name of ['ada', 'bob', 'cy'] as const) {
          for (const id of await quarrel(all, one, name)) said.set(id, all[name])
          await town.pass(5_000)
        }
        const ways = [
          [[ada], [bob, dee]],
          [[ada], [cy]],
          [[bob, dee], [cy]],
        ]
        for (const way of order) {
          town.join(ways[Number(way)]!)
          for (const { device } of [ada, bob, cy, dee]) await device.dispatch('retry-now', {})
          await town.pass(60_000)
        }
        await compare(town, people, all, one, said)
        await goOn(town, all, one)
      })
})
