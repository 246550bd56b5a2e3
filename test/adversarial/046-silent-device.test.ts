import { expect } from 'chai'
import type { Network } from '@sotto/core/ports'
import { directProtocol } from '../../packages/core/src/device/protocols.ts'
import { Town, type Person } from '../support/devices.ts'
import { befriend } from '../support/friends.ts'

/** What was told to faces and written to devices, in order. */
type Line =
  | { readonly kind: 'shown'; readonly by: string; readonly deviceId: string }
  | { readonly kind: 'frame'; readonly by: string; readonly to: string }

/** The network of one device, whose frames for other devices go into the ledger. */
function ledgerPort(network: Network, by: string, ledger: Line[]): Network {
  const peers = new Map<number, string>()
  const note = (channel: number, peer: string, protocol: string): void => {
    if (protocol === directProtocol) peers.set(channel, peer)
  }
  const own: Partial<Network> = {
    listen: (listener) =>
      network.listen((event) => {
        if (event.type === 'opened') note(event.channel, event.peer, event.protocol)
        return listener(event)
      }),
    open: async (peer, addresses, protocol) => {
      const opened = await network.open(peer, addresses, protocol)
      note(opened.channel, peer, protocol)
      return opened
    },
    write: (channel, frame) => {
      const to = peers.get(channel)
      if (to !== undefined) ledger.push({ kind: 'frame', by, to })
      return network.write(channel, frame)
    },
  }
  return new Proxy(network, {
    get: (target, key) => {
      const value: unknown = Reflect.get(own, key) ?? Reflect.get(target, key)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

function shows(person: Person, ledger: Line[]): void {
  person.device.subscribe((event) => {
    if (event.type === 'device' && event.change === 'added')
      ledger.push({ kind: 'shown', by: person.name, deviceId: event.deviceId })
  })
}

describe('046: no device comes silently', function () {
  this.timeout(180_000)
  it('every own device and every device of contacts and members shows it before it is sent anything', async () => {
    const ledger: Line[] = []
    const town = await Town.found()
    town.port = (network, name) => ledgerPort(network, name, ledger)
    const [ada, bob, cy] = [await town.person('Ada'), await town.person('Bob'), await town.person('Cy')]
    const direct = await befriend(town, ada, bob)
    await befriend(town, bob, cy)
    const members = [ada, cy].map(async ({ device }) => (await device.view('self', {}))!.accountId)
    const { conversationId } = await bob.device.dispatch('create-group', {
      name: 'Lake',
      members: await Promise.all(members),
    })
    await town.pass(10_000)
    const laptop = await town.link(ada, 'laptop')
    const tablet = await town.link(bob, 'tablet')
    const everybody = [ada, laptop, bob, tablet, cy]
    for (const person of everybody) shows(person, ledger)
    ledger.length = 0

    // Everybody goes on talking while the phone comes.
    const talk = async (round: number): Promise<void> => {
      for (const { device, name } of everybody)
        await device.dispatch('send', { conversationId, text: `${name} ${String(round)}` })
      await bob.device.dispatch('send', { conversationId: direct, text: `only for Ada ${String(round)}` })
    }
    const phone = await town.newcomer('phone')
    const offering = phone.device.dispatch('link-offer', { deviceName: 'phone' })
    await town.pass(1_000)
    const { link } = await offering
    await talk(1)
    const approving = ada.device.dispatch('link-approve', { code: link, history: 'all' })
    await town.pass(2_000)
    await approving
    await talk(2)
    const confirmed = [phone, ada].map(({ device }) => device.dispatch('link-confirm', { match: true }))
    await talk(3)
    await town.pass(1_000)
    await talk(4)
    await town.pass(60_000)
    await Promise.all(confirmed)
    await talk(5)
    await town.pass(120_000)

    const phoneId = (await phone.device.view('self', {}))!.deviceId
    for (const { name, device } of everybody) {
      const shown = ledger.findIndex(
        (line) => line.kind === 'shown' && line.by === name && line.deviceId === phoneId,
      )
      const sent = ledger.findIndex(
        (line) => line.kind === 'frame' && line.by === name && line.to === phone.peerId,
      )
      expect(shown, `${name} shows it`).to.be.at.least(0)
      expect(sent, `${name} sends to it`).to.be.above(shown)
      for (const conversation of name === 'Cy' ? [conversationId] : [conversationId, direct]) {
        const lines = await device.view('audit', { conversationId: conversation })
        expect(
          lines.filter(({ kind, deviceId }) => kind === 'device-added' && deviceId === phoneId),
          `${name} reads it in the conversation`,
        ).to.have.length(1)
      }
    }
    const texts = await phone.texts(conversationId)
    for (const { name } of everybody) expect(texts).to.include(`${name} 5`)
  })
})
