import { expect } from 'chai'
import {
  syncAnswerFrame,
  syncBodiesAskFrame,
  syncBodiesFrame,
  syncGapsFrame,
} from '../../packages/core/src/history/index.ts'
import { limits } from '../../packages/core/src/limits.ts'
import { syncFrames } from '../../packages/core/src/device/payload.ts'
import { fromBase32 } from '../../packages/core/src/wire/index.ts'
import { Town, type Person } from '../support/devices.ts'
import { befriend } from '../support/friends.ts'
import { accountOf } from '../support/liar.ts'
import { Puppet } from '../support/puppet.ts'

const bytes = (id: string): Uint8Array => fromBase32(id)!
const nonce = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)

/** A group that Mallory came into late, and a conversation of the two others. */
async function stage() {
  const town = await Town.found()
  const [ada, bob, mallory] = [
    await town.person('Ada'),
    await town.person('Bob'),
    await town.person('Mallory'),
  ]
  const direct = await befriend(town, ada, bob)
  await befriend(town, ada, mallory)
  const members = [await accountOf(bob)]
  const { conversationId } = await ada.device.dispatch('create-group', { name: 'Choir', members })
  const say = async (id: string, text: string): Promise<Uint8Array> =>
    bytes((await ada.device.dispatch('send', { conversationId: id, text })).messageId)
  const before = await say(conversationId, 'before')
  const secret = await say(direct, 'between us')
  await town.pass(20_000)
  await ada.device.dispatch('group-add', { conversationId, accountId: await accountOf(mallory) })
  await town.pass(20_000)
  const after = await say(conversationId, 'after')
  const gone = await say(conversationId, 'gone')
  await town.pass(20_000)
  return { town, ada, before, secret, after, gone, conversationId, mallory }
}

/** What a device answers to a question of sync: how many frames it says, and the bodies that came. */
async function answerTo(
  puppet: Puppet,
  to: Awaited<ReturnType<typeof stage>>,
  what: number,
  frame: Uint8Array,
) {
  const heard = puppet.heard.length
  await puppet.say(to.ada, [{ kind: 'sync', conversation: bytes(to.conversationId), what, frame }])
  await to.town.pass(1_000)
  const items = puppet.heard.slice(heard).flatMap(({ payload }) => payload.items)
  const frames = items.flatMap((item) => (item.kind === 'sync' ? [item] : []))
  const said = frames.flatMap((item) => {
    const answer = item.what === syncFrames.answer ? syncAnswerFrame.decode(item.frame) : undefined
    return answer?.ok === true ? [answer.value.frames] : []
  })
  const bodies = frames.flatMap((item) => {
    const decoded = item.what === syncFrames.bodies ? syncBodiesFrame.decode(item.frame) : undefined
    return decoded?.ok === true ? decoded.value.bodies : []
  })
  return { said, bodies: bodies.map(({ body }) => new TextDecoder().decode(body.slice(-6))) }
}

describe('086: who asks for more than it may see', () => {
  it('is given bodies of what it may read and nothing else, whatever it names', async () => {
    const scene = await stage()
    const { town, ada, before, secret, after, gone, conversationId, mallory } = scene
    const puppet = await Puppet.possess(town, mallory)
    const ask = (records: readonly Uint8Array[]) =>
      answerTo(
        puppet,
        scene,
        syncFrames.bodiesAsk,
        syncBodiesAskFrame.encode({ version: 1, conversation: bytes(conversationId), nonce, records }),
      )
    const unknown = town.crypto.sha256(before)
    expect(await ask([before, secret, after, unknown])).to.deep.equal({ said: [1], bodies: ['eafter'] })
    expect(await ask([before, secret, unknown])).to.deep.equal({ said: [0], bodies: [] })
    const many = Array.from({ length: limits.syncBodies }, () => after)
    const flood = await ask(many)
    expect(flood.said[0]).to.be.at.most(limits.syncAnswerFramesMax)
    await ada.device.dispatch('delete', { messageId: (await idOf(ada, conversationId, 'gone'))! })
    expect(await ask([gone])).to.deep.equal({ said: [0], bodies: [] })
  })

  it('is given nothing for places in a count that is not the common one, or no count at all', async () => {
    const scene = await stage()
    const { town, ada, conversationId, mallory } = scene
    const puppet = await Puppet.possess(town, mallory)
    const gaps = {
      ...{ version: 1 as const, conversation: bytes(conversationId), nonce, before: 9 },
      ...{ digest: town.crypto.sha256(nonce), numbers: Uint8Array.of(0, 0, 0) },
    }
    const { said } = await answerTo(puppet, scene, syncFrames.gaps, syncGapsFrame.encode(gaps))
    expect(said).to.deep.equal([0])
    for (const what of [syncFrames.gaps, syncFrames.bodiesAsk])
      expect((await answerTo(puppet, scene, what, Uint8Array.of(1, 2, 3))).said).to.deep.equal([])
    expect(ada.log.count('sync-malformed')).to.be.at.least(2)
  })
})

const idOf = async (person: Person, conversationId: string, text: string) =>
  (await person.device.view('history', { conversationId })).messages.find((one) => one.text === text)
    ?.messageId
