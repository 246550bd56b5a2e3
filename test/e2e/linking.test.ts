import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import type { OwnDeviceView } from '@sotto/core'
import { temporaryFolder } from '../support/folder.ts'
import { RealNode, tcpAddress } from '../support/real-node.ts'
import type { Line } from '../support/real-node.ts'

const bin = fileURLToPath(new URL('../../packages/node/bin/sotto.mjs', import.meta.url))

/** Runs `sotto devices link` in a home until it ends; each line is shown as it comes. */
function linkHere(home: string, bootstrap: string, onLine: (line: Line) => void) {
  const where = ['--home', home, '--listen', '/ip4/127.0.0.1/tcp/0', '--bootstrap', bootstrap, '--no-mdns']
  const child = spawn(
    process.execPath,
    [bin, 'devices', 'link', '--name', 'Pocket', '--yes', '--json', '--no-input', ...where],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const lines: Line[] = []
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as Line
    lines.push(line)
    onLine(line)
  })
  return new Promise<{ code: number | null; lines: readonly Line[] }>((resolve) => {
    child.once('close', (code) => resolve({ code, lines }))
  })
}

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
      const shown = Promise.withResolvers<string>()
      const linking = linkHere(fresh.home, bootstrap, (line) => {
        if (line['event'] === 'code') shown.resolve(String(line[way]))
      })
      const approved = await old.cli('devices', 'approve', await shown.promise, '--yes')
      const { code, lines } = await linking
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
