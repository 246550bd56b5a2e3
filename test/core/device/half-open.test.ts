import { expect } from 'chai'
import type { Network } from '@sotto/core/ports'
import { Town } from '../../support/devices.ts'
import { befriend } from '../../support/friends.ts'
import { HalfOpen } from '../../support/half-open.ts'

describe('device: a channel that is half open', () => {
  it('takes no answer along: what went into it and may not have arrived is said again on the next', async () => {
    const town = await Town.found()
    const half = new HalfOpen()
    let inner: Network | undefined
    town.port = (network, name) => {
      if (name !== 'Bob') return network
      inner = network
      return half.port(network)
    }
    const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
    for (const { device } of [ada, bob])
      await device.dispatch('set-setting', { key: 'readReceipts', value: 'on' })
    const conversationId = await befriend(town, ada, bob)
    const { messageId } = await ada.device.dispatch('send', { conversationId, text: 'read this' })
    await town.pass(60_000)
    const state = async (): Promise<unknown> => {
      const { messages } = await ada.device.view('history', { conversationId, limit: 10 })
      return messages.find((one) => one.messageId === messageId)?.state
    }
    expect(await state()).to.equal('delivered')
    half.silent = true
    await bob.device.dispatch('mark-read', { conversationId })
    await town.pass(20_000)
    expect(await state()).to.equal('delivered')
    await half.break(inner!)
    await town.pass(30_000)
    expect(await state()).to.equal('read')
  })
})
