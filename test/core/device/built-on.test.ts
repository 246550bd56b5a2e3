import { expect } from 'chai'
import { limits } from '../../../packages/core/src/limits.ts'
import { fromBase32 } from '../../../packages/core/src/wire/index.ts'
import { Town } from '../../support/devices.ts'
import { acquainted, groupOf } from '../../support/friends.ts'
import { Puppet } from '../../support/puppet.ts'

describe('device: words that stand on others', () => {
  it('which their author’s peer lacks: who built on them is asked for them, and not when they have come', async () => {
    const town = await Town.found()
    const [ada, mallory] = await acquainted(town, ['Ada', 'Mallory'])
    const conversationId = await groupOf(town, ada, [mallory], 'Trap')
    await ada.device.dispatch('send', { conversationId, text: 'hello' })
    await town.pass(60_000)
    const puppet = await Puppet.possess(town, mallory)
    const id = fromBase32(conversationId)!
    const first = puppet.forge(id)
    const { aseq, sseq, lamport } = first.header.content
    const next = { aseq: aseq + 1, sseq: sseq + 1, lamport: lamport + 1, selfPrev: first.header.id }
    const second = puppet.forge(id, next, 'on top of the first')
    /** Questions of sync that Ada asks after she was shown some records. */
    const askedAfter = async (...shown: readonly (typeof first)[]): Promise<number> => {
      const before = puppet.heard.length
      const records = shown.map(({ incoming }) => incoming)
      for (const record of records)
        await puppet.say(ada, [{ kind: 'records', from: aseq, records: [record] }])
      await town.pass(2 * limits.lateSyncPauseMs)
      const items = puppet.heard.slice(before).flatMap(({ payload }) => payload.items)
      return items.filter(({ kind }) => kind === 'sync').length
    }
    // They meet, and compare.
    await puppet.say(ada, [])
    await town.pass(120_000)
    expect(await askedAfter(second, first), 'both came').to.equal(0)
    expect(await ada.texts(conversationId)).to.include('on top of the first')
    const unknown = town.crypto.sha256(id)
    const third = puppet.forge(
      id,
      {
        ...next,
        aseq: aseq + 2,
        sseq: sseq + 2,
        lamport: lamport + 2,
        selfPrev: second.header.id,
        refs: [unknown],
      },
      'on top of what nobody brought',
    )
    expect(await askedAfter(third)).to.be.greaterThan(0)
    expect((await ada.device.view('status', {})).held).to.equal(1)
  })
})
