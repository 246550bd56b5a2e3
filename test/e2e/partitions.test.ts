import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { temporaryFolder } from '../support/folder.ts'
import { RealNode, tcpAddress } from '../support/real-node.ts'
import type { Line } from '../support/real-node.ts'

/**
 * Real daemons on loopback, several to an account, in three partitions: a partition is up while the others are down,
 * and each changes the group without knowing of the rest. `npm run campaign:daemons` has five accounts with eleven
 * devices and heals in all six orders; `SOTTO_DAEMONS=some` has five devices and one order. Minutes of processes starting
 * and ending are too long for every day.
 */
const asked = process.env['SOTTO_DAEMONS']
const whole = asked === 'all'
/** How many devices each account has. */
const accounts: Readonly<Record<string, number>> = whole
  ? { Ada: 3, Bob: 2, Cyd: 2, Dee: 2, Eve: 2 }
  : { Ada: 2, Bob: 2, Cyd: 1 }
const orders = whole ? ['012', '021', '102', '120', '201', '210'] : asked === 'some' ? ['120'] : []

const bin = fileURLToPath(new URL('../../packages/node/bin/sotto.mjs', import.meta.url))

/** Looks again every second; the test's own time limit ends it. */
async function eventually(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 1_000))
}

/** Runs `sotto devices link` in a home; resolves with its link, and when it has ended. */
async function offer(home: string, bootstrap: string): Promise<{ link: string; ended: Promise<unknown> }> {
  const where = ['--home', home, '--listen', '/ip4/127.0.0.1/tcp/0', '--bootstrap', bootstrap, '--no-mdns']
  const child = spawn(
    process.execPath,
    [bin, 'devices', 'link', '--name', 'Another', '--yes', '--json', '--no-input', ...where],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const shown = Promise.withResolvers<string>()
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as Line
    if (line['event'] === 'code') shown.resolve(String(line['link']))
  })
  const ended = new Promise((resolve) => child.once('close', resolve))
  return { link: await shown.promise, ended }
}

for (const order of orders) {
  describe(`a group in three partitions that heal in the order ${order}`, function () {
    this.timeout(900_000)
    const folder = temporaryFolder()
    const guide = new RealNode(`${folder.path}/guide`)
    const devices = Object.entries(accounts).map(([name, count]) =>
      Array.from({ length: count }, (_, i) => ({ name, node: new RealNode(`${folder.path}/${name}${i}`) })),
    )
    const all = devices.flat()
    const firsts = devices.map(([first]) => first!)
    let bootstrap = ''
    let group = ''
    const sent = new Set<string>()

    after(async () => {
      await Promise.all([guide, ...all.map(({ node }) => node)].map((node) => node.end()))
      folder.remove()
    })

    async function ok<T>(node: RealNode, ...args: readonly string[]): Promise<T> {
      const ran = await node.cli(...args)
      expect(ran.code, `${args.join(' ')}: ${ran.out}${ran.err}`).to.equal(0)
      return ran.json
    }
    const send = async (node: RealNode, text: string): Promise<string> => {
      sent.add(text)
      return (await ok<{ messageId: string }>(node, 'send', group, text)).messageId
    }
    const knows = (node: RealNode) =>
      eventually(async () =>
        (await node.face.view('conversations', {})).some(
          ({ conversationId, members }) => conversationId === group && members === devices.length,
        ),
      )

    it('all devices are linked, and know the group', async () => {
      await guide.begin('Guide')
      bootstrap = tcpAddress(guide.ready)
      for (const { name, node } of firsts) await node.begin(name, '--bootstrap', bootstrap)
      for (const [first, ...others] of devices)
        for (const { node } of others) {
          const { link, ended } = await offer(node.home, bootstrap)
          await ok(first!.node, 'devices', 'approve', link, '--yes', '--history', 'all')
          await ended
          await node.up('--bootstrap', bootstrap)
        }
      const [ada, ...rest] = firsts
      for (const { node } of rest) {
        const { link } = await ok<{ link: string }>(ada!.node, 'invite', 'new', '--direct')
        await ok(node, 'add', link)
        await eventually(async () =>
          (await ada!.node.face.view('contacts', {})).every(({ state }) => state === 'connected'),
        )
      }
      const names = rest.map(({ name }) => name)
      const made = await ok<{ conversationId: string }>(
        ada!.node,
        'group',
        'new',
        'Lake',
        '--member',
        ...names,
      )
      group = made.conversationId
      await Promise.all(all.map(({ node }) => knows(node)))
      await send(ada!.node, 'welcome everybody')
      for (const { node } of all)
        await eventually(async () =>
          (await node.history(group)).some(({ text }) => text === 'welcome everybody'),
        )
    })

    it('each partition goes on by itself', async () => {
      const [ada, second] = firsts
      await ok(ada!.node, 'group', 'role', group, second!.name, 'admin')
      await eventually(async () =>
        (await second!.node.face.view('members', { conversationId: group })).some(
          ({ role }) => role === 'admin',
        ),
      )
      await Promise.all(all.map(({ node }) => node.end()))
      for (const n of [0, 1, 2]) {
        const part = all.filter((_, i) => i % 3 === n)
        await Promise.all(part.map(({ node }) => node.up('--bootstrap', bootstrap)))
        for (const { name, node } of part) {
          const first = await send(node, `${name} says one in ${n}`)
          const other = await send(node, `${name} says two in ${n}`)
          await ok(node, 'edit', first, `${name} corrects one in ${n}`)
          sent.delete(`${name} says one in ${n}`)
          sent.add(`${name} corrects one in ${n}`)
          await ok(node, 'delete', other)
          sent.delete(`${name} says two in ${n}`)
          await ok(node, 'react', first, '👍')
        }
        await ok(part[0]!.node, 'group', 'rename', group, `Lake ${n}`)
        await Promise.all(part.map(({ node }) => node.end()))
      }
    })

    it('and when they meet, every device shows the same', async () => {
      for (const n of order)
        await Promise.all(
          all.filter((_, i) => i % 3 === Number(n)).map(({ node }) => node.up('--bootstrap', bootstrap)),
        )
      const exports = (): Promise<readonly string[]> =>
        Promise.all(
          all.map(async ({ node }) => (await node.face.view('export', { conversationId: group })).json),
        )
      await eventually(async () => {
        const found = await exports()
        return new Set(found).size === 1 && [...sent].every((text) => found[0]!.includes(text))
      })
      const { members, messages } = JSON.parse((await exports())[0]!) as {
        readonly members: readonly unknown[]
        readonly messages: readonly { readonly text: string | null; readonly deleted: boolean }[]
      }
      expect(members).to.have.length(devices.length)
      const texts = messages.flatMap(({ text }) => (text === null ? [] : [text]))
      expect(texts.toSorted()).to.deep.equal([...sent].sort())
      expect(messages.filter(({ deleted }) => deleted)).to.have.length(all.length)
      const views = await Promise.all(
        all.map(({ node }) => node.face.view('members', { conversationId: group })),
      )
      const roles = views.map((view) =>
        view
          .map(({ accountId, role }) => `${accountId} ${role}`)
          .sort()
          .join(),
      )
      expect(new Set(roles).size).to.equal(1)
    })
  })
}
