import { expect } from 'chai'
import type { Network } from '@sotto/core/ports'
import { Town, type Person } from '../../support/devices.ts'
import { portOver } from '../../support/port-over.ts'

/** Both say that the pictures are the same; what became of it at each end. */
async function linkUp(town: Town, old: Person, fresh: Person): Promise<readonly unknown[]> {
  const offering = fresh.device.dispatch('link-offer', { deviceName: fresh.name })
  await town.pass(1_000)
  const approving = old.device.dispatch('link-approve', { code: (await offering).link })
  await town.pass(2_000)
  await approving
  const confirmed = [fresh, old].map((one) =>
    one.device.dispatch('link-confirm', { match: true }).catch((error: unknown) => error),
  )
  await town.pass(3_000)
  return Promise.all(confirmed)
}

describe('device: linking again', () => {
  it('works after a try that was called off, without a restart', async () => {
    const town = await Town.found()
    const ada = await town.person('Ada')
    const laptop = await town.newcomer('laptop')
    const offering = laptop.device.dispatch('link-offer', { deviceName: 'laptop' })
    await town.pass(1_000)
    const { link } = await offering
    const approving = ada.device.dispatch('link-approve', { code: link })
    await town.pass(2_000)
    await approving
    const refused = await ada.device
      .dispatch('link-confirm', { match: false })
      .catch((error: unknown) => error)
    expect(refused).to.include({ code: 'E_LINK_CANCELLED' })
    await town.pass(2_000)
    expect(await laptop.device.view('self', {})).to.equal(null)

    const again = laptop.device.dispatch('link-offer', { deviceName: 'laptop' })
    await town.pass(1_000)
    const second = ada.device.dispatch('link-approve', { code: (await again).link })
    await town.pass(2_000)
    await second
    const confirmed = [laptop, ada].map((one) => one.device.dispatch('link-confirm', { match: true }))
    await town.pass(3_000)
    const [there, here] = await Promise.all(confirmed)
    expect(there).to.deep.equal(here)
    await laptop.close()
    await laptop.open(true)
    await town.pass(10_000)
    for (const person of [ada, laptop]) expect(await person.device.view('devices', {})).to.have.length(2)
  })

  it('when nobody said that the pictures are the same: the time runs out, and the device goes on', async () => {
    const town = await Town.found()
    const ada = await town.person('Ada')
    const laptop = await town.newcomer('laptop')
    const offering = laptop.device.dispatch('link-offer', { deviceName: 'laptop' })
    await town.pass(1_000)
    const approving = ada.device.dispatch('link-approve', { code: (await offering).link })
    await town.pass(2_000)
    await approving
    await town.pass(600_000)
    const late = await ada.device.dispatch('link-confirm', { match: true }).catch((error: unknown) => error)
    expect(late).to.include({ code: 'E_LINK_STATE' })
    const linked = await town.link(ada, 'tablet')
    expect(await linked.device.view('devices', {})).to.have.length(2)
  })

  it('a try that broke after the device was written into the log leaves no second device there', async () => {
    const town = await Town.found()
    // The fourth frame of the old device hands over the log, in which the new one stands by then.
    let frames = 0
    town.port = (network, name): Network =>
      portOver(network, {
        write: (channel, frame) => {
          if (name === 'Ada' && ++frames === 4) town.hub.cut(ada.peerId, laptop.peerId)
          return network.write(channel, frame)
        },
      })
    const ada = await town.person('Ada')
    const laptop = await town.newcomer('laptop')
    for (const end of await linkUp(town, ada, laptop)) expect(end).to.include({ code: 'E_LINK_LOST' })
    expect(await laptop.device.view('self', {})).to.equal(null)
    const [, lost] = await ada.device.view('devices', {})
    expect(lost).to.include({ state: 'active' })

    town.hub.heal(ada.peerId, laptop.peerId)
    const [there, here] = await linkUp(town, ada, laptop)
    expect(there).to.deep.equal(here)
    await town.pass(10_000)
    for (const { device } of [ada, laptop]) {
      const devices = await device.view('devices', {})
      expect(devices.map(({ state }) => state).sort()).to.deep.equal(['active', 'active', 'revoked'])
      expect(devices.find(({ state }) => state === 'revoked')).to.include({ deviceId: lost!.deviceId })
    }
  })
})
