import { expect } from 'chai'
import type { PeerLink, Step } from '../../../packages/core/src/device/context.ts'
import { answerWith, weightOf } from '../../../packages/core/src/device/extras.ts'
import { payloadFrame, type PayloadItem } from '../../../packages/core/src/device/payload.ts'
import { issueCreate } from '../../../packages/core/src/group/index.ts'
import type { AccountId } from '../../../packages/core/src/identity/index.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { CollectingLog } from '../../../packages/core/src/memory/index.ts'
import { Town } from '../../support/devices.ts'
import { befriend } from '../../support/friends.ts'
import { Puppet } from '../../support/puppet.ts'

const id = (n: number): Uint8Array => new Uint8Array(32).fill(n)

function fresh() {
  const log = new CollectingLog()
  return { log, step: { context: { log } } as unknown as Step, link: { extras: [] } as unknown as PeerLink }
}

/** A question about a group with this many accounts. */
const about = (n: number, accounts: number): PayloadItem => ({
  kind: 'group',
  ...{ conversation: id(n), accounts: [], heads: [], ops: [] },
  since: null,
  logs: Array.from({ length: accounts }, (_, i) => ({ account: id(i) as AccountId, heads: [] })),
})

describe('device: answers that wait for the next payload', () => {
  it('are so many at most, and the last about a conversation stands', () => {
    const { step, link, log } = fresh()
    for (let n = 0; n < limits.payloadAnswers; n++) answerWith(step, link, about(n, 1))
    answerWith(step, link, about(0, 2))
    expect(link.extras).to.have.length(limits.payloadAnswers)
    expect(link.extras.at(-1)).to.deep.equal(about(0, 2))
    expect(log.lines).to.have.length(0)
    answerWith(step, link, about(99, 1))
    expect(link.extras).to.have.length(limits.payloadAnswers)
    expect(log.lines).to.have.length(1)
  })

  it('take so many bytes at most, by a weight that is never too low', () => {
    const { step, link } = fresh()
    const room = limits.payloadAnswerBytes
    const item = (size: number): PayloadItem => ({ kind: 'logOps', ops: [new Uint8Array(size)] })
    const over = weightOf([item(0)])
    answerWith(step, link, item(room - over + 1))
    expect(link.extras).to.have.length(0)
    answerWith(step, link, item(room - over))
    expect(link.extras).to.have.length(1)
    const payload = (items: readonly PayloadItem[]) =>
      payloadFrame.encode({
        ...{ version: 1, boot: 0, bootSeen: 0, sentAtMs: 0, myLogHeads: [], yourLogHeads: [] },
        items,
      }).length
    for (const some of [[about(1, 60)], [{ kind: 'logOps', ops: [id(1), id(2)] } as const]])
      expect(weightOf(some)).to.be.at.least(payload(some) - payload([]))
  })

  it('do not grow by questions without end, and leave what else is said to the same device alone', async () => {
    const town = await Town.found()
    const [ada, mallory] = [await town.person('Ada'), await town.person('Mallory')]
    const conversationId = await befriend(town, ada, mallory)
    const puppet = await Puppet.possess(town, mallory)
    await puppet.say(ada, [])
    const { account, device } = puppet.home.me.self
    const author = { account, device, identity: puppet.home.me.identity }
    const question = (n: number): PayloadItem => {
      const create = issueCreate(town.crypto, author, puppet.headsOf(account), id(n), town.clock.nowMs())
      return { ...about(0, 200), conversation: create.id, ops: [create.bytes] } as PayloadItem
    }
    for (let n = 0; n < 20; n++)
      await puppet.say(
        ada,
        Array.from({ length: 6 }, (_, i) => question(6 * n + i)),
      )
    const heard = puppet.heard.length
    await ada.device.dispatch('send', { conversationId, text: 'still here' })
    await town.pass(30_000)
    const said = puppet.heard.slice(heard).flatMap(({ payload }) => payload.items.map(({ kind }) => kind))
    expect(said).to.include('records')
    expect(ada.log.lines.map((line) => JSON.stringify(line)).join()).to.not.include('flush-failed')
  })
})
