import { expect } from 'chai'
import type { OwnDeviceView } from '@sotto/core'
import { temporaryFolder } from '../support/folder.ts'
import { linkCommand } from '../support/link-command.ts'
import { RealNode, tcpAddress } from '../support/real-node.ts'

for (const way of ['link', 'code'] as const) {
  describe(`a second device is linked by its ${way}`, function () {
    this.timeout(180_000)
    const folder = temporaryFolder()
    const [old, fresh, guide] = ['old', 'fresh', 'guide'].map(
      (name) => new RealNode(`${folder.path}/${name}`),
    ) as [RealNode, RealNode, RealNode]

    after(async () => {
      await Promise.all([old, fresh, guide].map((node) => node.end()))
      folder.remove()
    })

    const activeOf = async (node: RealNode) =>
      ((await node.cli('devices', 'list')).json as readonly OwnDeviceView[])
        .filter(({ state }) => state === 'active')
        .map(({ deviceId }) => deviceId)

    it('shows a code, is approved on the old one, and both know of each other', async () => {
      await guide.begin('Guide')
      const bootstrap = tcpAddress(guide.ready)
      await old.begin('Ada', '--bootstrap', bootstrap)
      const linking = linkCommand(fresh.home, bootstrap)
      const approved = await old.cli('devices', 'approve', (await linking.shown)[way], '--yes')
      const { code, lines } = await linking.ended
      expect([approved.code, code], approved.out).to.deep.equal([0, 0])
      expect(lines.map(({ event }) => event)).to.deep.equal(['code', 'compare', 'linked'])
      const answer = approved.json as { deviceId: string; emoji: readonly string[] }
      expect(answer.emoji).to.have.length(6).and.to.deep.equal(lines[1]?.['emoji'])
      const self = await old.face.view('self', {})
      expect(lines[2]).to.include({ accountId: self?.accountId, deviceId: answer.deviceId })
      await fresh.up('--bootstrap', bootstrap)
      for (const node of [old, fresh])
        expect(await activeOf(node)).to.have.members([self?.deviceId, answer.deviceId])
    })

    it('is not linked to another account as well', async () => {
      const again = await fresh.cli('devices', 'link', '--yes')
      expect(again.code).to.equal(1)
      expect(again.json).to.have.nested.property('error.code', 'E_ALREADY_INITIALISED')
    })
  })
}
