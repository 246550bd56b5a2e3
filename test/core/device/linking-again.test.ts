import { expect } from 'chai'
import { Town } from '../../support/devices.ts'

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
})
