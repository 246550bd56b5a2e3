import { expect } from 'chai'
import { Secret } from '../../../packages/core/src/crypto/index.ts'
import { Vault } from '../../../packages/core/src/device/sealed-store-vault.ts'
import { openSealedStore } from '../../../packages/core/src/device/sealed-store.ts'
import { opRows } from '../../../packages/core/src/device/tables.ts'
import { readMembershipOp, type MembershipOp } from '../../../packages/core/src/group/index.ts'
import { seededRandom } from '../../../packages/core/src/memory/index.ts'
import { equalBytes, fromBase32, utf8 } from '../../../packages/core/src/wire/index.ts'
import { Town, type Person } from '../../support/devices.ts'
import { acquainted, groupOf } from '../../support/friends.ts'
import { copyOf } from '../../support/opened-home.ts'

const code = 'E_MEMBERSHIP_DAMAGED'
const codeOf = (error: unknown): unknown => (error as { readonly code?: unknown }).code
const losses = ['its row is deleted', 'its row is flipped', 'the batch with its row is lost'] as const
type Loss = (typeof losses)[number]

/** Loses the operations of a group that `which` picks from the home of a device that is closed. */
async function lose(
  town: Town,
  person: Person,
  id: string,
  how: Loss,
  which: (op: MembershipOp) => boolean,
): Promise<number> {
  const { crypto } = town
  const store = await copyOf(person)
  const random = seededRandom(crypto, `loss ${person.name}`)
  const key = (): Secret => new Secret(crypto.sha256(utf8(person.name)))
  const sealed = await openSealedStore({ crypto, store, random, key: key(), nowMs: town.clock.nowMs() })
  const lost = (await sealed.list(opRows)).filter(({ value }) => {
    const { conversation, bytes } = opRows.decode(value)
    const op = equalBytes(conversation, fromBase32(id)!) ? readMembershipOp(crypto, bytes) : undefined
    return op !== undefined && which(op)
  })
  if (how === 'the batch with its row is lost')
    await sealed.commit(
      lost.map((row) => ({ table: opRows, key: row.key, value: null })),
      { durable: true },
    )
  await sealed.close()
  const raw = store.reopen()
  const vault = new Vault(crypto, random, key())
  for (const row of how === 'the batch with its row is lost' ? [] : lost) {
    const { dbKey } = vault.address(opRows.name, row.key)
    const value = (await raw.get(dbKey))!
    value[value.length >> 1]! ^= 4
    const op = how === 'its row is deleted' ? ({ type: 'del', key: dbKey } as const) : undefined
    await raw.batch([op ?? { type: 'put', key: dbKey, value }], { durable: true })
  }
  person.store = raw
  return lost.length
}

const kindsLost: Readonly<Record<string, (op: MembershipOp) => boolean>> = {
  'the first one, on which all others rest': ({ args }) => args.kind === 'create',
  'a removal, which nothing after it names': ({ args }) => args.kind === 'revoke',
  'what let somebody in': ({ args }) => args.kind === 'grant',
  'all of them': () => true,
}

/** Ada's group with Bob, Cy and Dee, of whom Dee was put out; each has said something. */
async function stage() {
  const town = await Town.found()
  const [ada, bob, cy, dee] = await acquainted(town, ['Ada', 'Bob', 'Cy', 'Dee'])
  const id = await groupOf(town, ada, [bob, cy, dee], 'Lake')
  for (const person of [ada, bob, cy, dee]) {
    await person.device.dispatch('send', { conversationId: id, text: `I am ${person.name}` })
    await town.pass(5_000)
  }
  const { accountId } = (await dee.device.view('self', {}))!
  await ada.device.dispatch('group-remove', { conversationId: id, accountId })
  await town.pass(20_000)
  return { town, ada, bob, cy, dee, id }
}

const seen = async ({ device }: Person, conversationId: string) => ({
  members: (await device.view('members', { conversationId })).map(({ accountId, role }) => accountId + role),
  policy: await device.view('policy', { conversationId }),
  export: (await device.view('export', { conversationId })).json,
  history: await device.view('history', { conversationId }),
})
const warned = async ({ device }: Person): Promise<boolean> =>
  (await device.view('status', {})).warnings.some((one) => one.code === code)
const kinds = async ({ device }: Person, conversationId: string): Promise<readonly string[]> =>
  (await device.view('audit', { conversationId })).map(({ kind }) => kind)

describe('device: membership operations that a store lost', function () {
  this.timeout(60_000)
  for (const how of losses)
    for (const [what, which] of Object.entries(kindsLost))
      it(`${what}, where ${how}: come again from who is met, and nothing is told twice`, async () => {
        const { town, ada, bob, cy, dee, id } = await stage()
        const before = await seen(bob, id)
        const told = await kinds(bob, id)
        const heard = dee.events.length
        await bob.close()
        expect(await lose(town, bob, id, how, which)).to.be.above(0)
        for (const other of [ada, cy]) town.hub.cut(bob.peerId, other.peerId)
        await bob.open(true)
        expect(await warned(bob), 'it is said at once').to.equal(true)
        await town.pass(5_000)
        expect((await bob.device.view('history', { conversationId: id })).messages).to.deep.equal(
          before.history.messages,
        )
        expect(await kinds(bob, id)).to.deep.equal([...told, 'membership-damaged'])
        const send = () => bob.device.dispatch('send', { conversationId: id, text: 'to whom?' })
        expect(await send().then(() => 'sent', codeOf)).to.equal(code)
        const invite = bob.device.dispatch('group-leave', { conversationId: id })
        expect(await invite.then(() => 'left', codeOf)).to.equal(code)
        town.hub.heal(bob.peerId, cy.peerId)
        await bob.device.dispatch('retry-now', {})
        await town.pass(60_000)
        const after = await seen(bob, id)
        expect(after.members).to.deep.equal(before.members)
        expect(after.policy).to.deep.equal(before.policy)
        expect(after.export).to.equal(before.export)
        expect(await warned(bob)).to.equal(false)
        expect(await kinds(bob, id)).to.deep.equal([...told, 'membership-damaged', 'membership-repaired'])
        await send()
        await town.pass(10_000)
        expect(await cy.texts(id)).to.include('to whom?')
        expect(dee.events.length, 'who was put out hears nothing').to.equal(heard)
        await bob.close()
        await bob.open(true)
        await town.pass(1_000)
        expect(await warned(bob), 'it is stored again').to.equal(false)
      })

  it('are waited for with what others say meanwhile, and nobody is told as new who was not', async () => {
    const { town, ada, bob, cy, id } = await stage()
    const lines = (await bob.device.view('audit', { conversationId: id })).length
    await bob.close()
    await lose(town, bob, id, 'its row is deleted', ({ args }) => args.kind === 'grant')
    const eve = await town.person('Eve')
    const { link } = await ada.device.dispatch('create-invite', { direct: true })
    const adding = eve.device.dispatch('add', { link })
    await town.pass(20_000)
    await adding
    const { accountId } = (await eve.device.view('self', {}))!
    await ada.device.dispatch('group-add', { conversationId: id, accountId })
    await town.pass(10_000)
    await cy.device.dispatch('send', { conversationId: id, text: 'welcome Eve' })
    await town.pass(10_000)
    await bob.open(true)
    await town.pass(60_000)
    const news = (await bob.device.view('audit', { conversationId: id })).slice(lines)
    expect(news.map(({ kind, subject }) => [kind, kind === 'member-added' ? subject : ''])).to.deep.equal([
      ['membership-damaged', ''],
      ['member-added', accountId],
      ['membership-repaired', ''],
    ])
    expect(await bob.texts(id)).to.include('welcome Eve')
    expect((await bob.device.view('history', { conversationId: id })).missing).to.equal(0)
  })

  it('that nobody who takes part has are given up, and said to be lost', async () => {
    const { town, ada, bob, cy, id } = await stage()
    // What Bob did while alone he alone knows.
    for (const other of [ada, cy]) town.hub.cut(bob.peerId, other.peerId)
    await town.pass(30_000)
    await bob.device.dispatch('group-rename', { conversationId: id, name: 'Lake of Bob' })
    await bob.close()
    const own = (op: MembershipOp) => op.args.kind === 'meta' && Buffer.from(op.bytes).includes('Lake of Bob')
    expect(await lose(town, bob, id, 'its row is flipped', own)).to.equal(1)
    await bob.open(true)
    town.hub.heal(bob.peerId, ada.peerId)
    await bob.device.dispatch('retry-now', {})
    await town.pass(60_000)
    expect(await warned(bob), 'Cy may have it').to.equal(true)
    town.hub.heal(bob.peerId, cy.peerId)
    await bob.device.dispatch('retry-now', {})
    await town.pass(60_000)
    expect(await warned(bob)).to.equal(false)
    expect((await kinds(bob, id)).at(-1)).to.equal('membership-lost')
    await bob.device.dispatch('group-rename', { conversationId: id, name: 'Lake again' })
    await town.pass(20_000)
    for (const person of [ada, bob, cy]) {
      const groups = await person.device.view('conversations', {})
      expect(groups.find(({ conversationId }) => conversationId === id)?.name).to.equal('Lake again')
    }
    expect((await seen(ada, id)).export).to.equal((await seen(bob, id)).export)
  })
})
