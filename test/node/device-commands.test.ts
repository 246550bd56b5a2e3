import { expect } from 'chai'
import { InvariantError, PortError } from '@sotto/core'
import type { OwnDeviceView } from '@sotto/core'
import { FakeCli } from '../support/cli.ts'
import type { Ran } from '../support/cli.ts'
import { fakeId } from '../support/fake-id.ts'

const emoji = ['🐝', '🐘', '🐙', '🐌', '🐢', '🐧']

const ownDevice = (seed: number, name: string, more: Partial<OwnDeviceView> = {}): OwnDeviceView => ({
  deviceId: fakeId(seed),
  name,
  addedAtMs: 0,
  addedBy: null,
  lastSeenMs: null,
  expiresAtMs: 86_400_000,
  state: 'active',
  thisDevice: false,
  told: null,
  ...more,
})

const errorOf = ({ code, lines }: Ran): readonly [number, unknown] => [
  code,
  (lines.at(-1)?.['error'] as { code?: string } | undefined)?.code,
]

describe('node: device commands', () => {
  let cli: FakeCli
  afterEach(() => cli.folder.remove())

  describe('on a device of the account', () => {
    beforeEach(() => {
      cli = new FakeCli('Ada')
      cli.face.devices = [
        ownDevice(2, 'Desk', { thisDevice: true, lastSeenMs: 1_000 }),
        ownDevice(5, 'Pocket', { addedBy: fakeId(2) }),
      ]
    })

    it('list all in the agreed shape', async () => {
      const { json } = await cli.run(['devices', 'list', '--json'])
      expect((json as unknown[])[1]).to.deep.equal({
        deviceId: fakeId(5),
        name: 'Pocket',
        addedAt: '1970-01-01T00:00:00.000Z',
        addedBy: fakeId(2),
        lastSeen: null,
        expiresAt: '1970-01-02T00:00:00.000Z',
        state: 'active',
        thisDevice: false,
        told: null,
      })
      expect((json as unknown[])[0]).to.include({ lastSeen: '1970-01-01T00:00:01.000Z', thisDevice: true })
      const shown = (await cli.run(['devices', 'list'])).out
      expect(shown).to.include('Desk (this device)')
      expect(shown).to.match(/added 1970-01-01 by Desk +never seen +until 1970-01-02 +Pocket/)
    })

    it('put one out by name, id or the beginning of that, and only when told', async () => {
      expect(errorOf(await cli.run(['devices', 'remove', 'Pocket', '--json']))).to.deep.equal([
        2,
        'E_CONFIRM',
      ])
      expect(cli.face.dispatched).to.be.empty
      const { json } = await cli.run(['devices', 'remove', 'pocket', '--yes', '--json'])
      expect(json).to.deep.equal({ deviceId: fakeId(5), told: { devices: 1, of: 2 } })
      expect((await cli.run(['devices', 'remove', fakeId(5).slice(0, 8), '--yes'])).code).to.equal(0)
      const unknown = await cli.run(['devices', 'remove', 'Attic', '--yes', '--json'])
      expect(errorOf(unknown)).to.deep.equal([6, 'E_NOT_FOUND'])
    })

    it('say how many know of a removal once the running node has told them', async () => {
      await cli.whileUp([], async () => {
        const { json } = await cli.run(['devices', 'remove', 'pocket', '--yes', '--json'])
        expect(json).to.deep.equal({ deviceId: fakeId(5), told: { devices: 2, of: 2 } })
      })
      expect((await cli.run(['devices', 'list'])).out).to.include('revoked, 2/2 know')
    })

    it('approve a new one over the running node, with the history that was chosen', async () => {
      await cli.whileUp([], async () => {
        const { code, json } = await cli.run([
          'devices',
          'approve',
          ' 7k3-9qwtx ',
          '--history',
          'days:30',
          '--yes',
          '--json',
        ])
        expect(code).to.equal(0)
        expect(json).to.deep.equal({ deviceId: fakeId(8), emoji })
        expect(cli.face.dispatched).to.deep.equal([
          { command: 'link-approve', input: { code: '7k3-9qwtx', history: { days: 30 } } },
          { command: 'link-confirm', input: { match: true } },
        ])
        for (const [typed, history] of [
          ['all', 'all'],
          ['none', 'none'],
        ]) {
          await cli.run(['devices', 'approve', 'x', '--history', typed!, '--yes'])
          expect(cli.face.dispatched.at(-2)?.input).to.deep.equal({ code: 'x', history })
        }
        await cli.run(['devices', 'approve', 'x', '--yes'])
        expect(cli.face.dispatched.at(-2)?.input).to.deep.equal({ code: 'x' })
      })
    })

    it('approve nothing without a network, without somebody to compare, or with a history nobody can read', async () => {
      const approve = (...args: readonly string[]) => cli.run(['devices', 'approve', 'x', ...args, '--json'])
      expect(errorOf(await approve('--yes'))).to.deep.equal([7, 'E_NOT_RUNNING'])
      await cli.whileUp([], async () => {
        expect(errorOf(await approve())).to.deep.equal([2, 'E_CONFIRM'])
        expect(errorOf(await approve('--history', 'some', '--yes'))).to.deep.equal([2, 'E_USAGE'])
      })
      expect(cli.face.dispatched).to.be.empty
    })

    it('report why approving failed', async () => {
      await cli.whileUp([], async () => {
        cli.face.linking.confirm = () =>
          Promise.reject(new PortError('E_LINK_CANCELLED', 'the other said no'))
        const ran = await cli.run(['devices', 'approve', 'x', '--yes', '--json'])
        expect(errorOf(ran)).to.deep.equal([1, 'E_LINK_CANCELLED'])
      })
    })

    it('are not linked to another account', async () => {
      const ran = await cli.run(['devices', 'link', '--yes', '--json'])
      expect(errorOf(ran)).to.deep.equal([1, 'E_ALREADY_INITIALISED'])
      await cli.whileUp([], async () => {
        const running = await cli.run(['devices', 'link', '--yes', '--json'])
        expect(errorOf(running)).to.deep.equal([1, 'E_ALREADY_INITIALISED'])
      })
      expect(cli.face.dispatched).to.be.empty
      expect(cli.stops).to.equal(cli.opened.length)
    })
  })

  describe('on a new device', () => {
    beforeEach(() => (cli = new FakeCli()))

    const link = (onCode: () => void, ...args: readonly string[]) =>
      cli.run(['devices', 'link', '--json', ...args], {
        onOut: (text) => {
          if (text.includes('"code"')) onCode()
        },
      })

    it('show a code, then what to compare, then that it is done', async () => {
      const ran = await link(
        () => cli.face.emit({ type: 'link', state: 'compare', emoji }),
        '--yes',
        '--name',
        'Pocket',
        '--bootstrap',
        '/ip4/1.1.1.1/tcp/1',
        '--relay',
        '/ip4/2.2.2.2/tcp/2',
        '--no-mdns',
      )
      expect(ran.code, ran.err).to.equal(0)
      expect(ran.lines).to.deep.equal([
        { event: 'code', code: '7K3-9QWTX', link: 'sotto:l#abc', expiresAt: '2023-11-14T22:18:20.000Z' },
        { event: 'compare', emoji },
        { event: 'linked', accountId: fakeId(1), deviceId: fakeId(8) },
      ])
      expect(cli.face.dispatched).to.deep.equal([
        { command: 'add-bootstrap', input: { address: '/ip4/1.1.1.1/tcp/1' } },
        { command: 'add-relay', input: { address: '/ip4/2.2.2.2/tcp/2' } },
        { command: 'link-offer', input: { deviceName: 'Pocket' } },
        { command: 'link-confirm', input: { match: true } },
      ])
      expect(cli.opened[0]?.network).to.deep.include({ mdns: false })
      expect(cli.stops).to.equal(1)
    })

    it('take the event for done when the command does not say so', async () => {
      cli.face.linking.confirm = () => {
        cli.face.emit({ type: 'link', state: 'linked', accountId: fakeId(1), deviceId: fakeId(7) })
        return new Promise(() => undefined)
      }
      const ran = await link(() => cli.face.emit({ type: 'link', state: 'compare', emoji }), '--yes')
      expect(ran.lines.at(-1)).to.deep.equal({ event: 'linked', accountId: fakeId(1), deviceId: fakeId(7) })
    })

    it('refuse before a code is shown when nobody can compare', async () => {
      expect(errorOf(await cli.run(['devices', 'link', '--json']))).to.deep.equal([2, 'E_CONFIRM'])
      expect(cli.opened).to.be.empty
    })

    it('end with the code of what went wrong, before and after comparing', async () => {
      const failed = { type: 'link', state: 'failed', code: 'E_LINK_EXPIRED' } as const
      expect(errorOf(await link(() => cli.face.emit(failed), '--yes'))).to.deep.equal([1, 'E_LINK_EXPIRED'])
      cli.face.linking.confirm = () => {
        cli.face.emit({ ...failed, code: 'E_LINK_MISMATCH' })
        return new Promise(() => undefined)
      }
      const late = await link(() => cli.face.emit({ type: 'link', state: 'compare', emoji }), '--yes')
      expect(errorOf(late)).to.deep.equal([4, 'E_LINK_MISMATCH'])
      expect(cli.stops).to.equal(2)
    })

    it('end when interrupted, or when the device halts', async () => {
      const interrupt = new AbortController()
      const ran = await cli.run(['devices', 'link', '--yes', '--json'], {
        interrupt: interrupt.signal,
        onOut: () => interrupt.abort(),
      })
      expect(errorOf(ran)).to.deep.equal([130, 'E_INTERRUPTED'])
      const halt = () => cli.halting.resolve(new InvariantError('E_BUG', 'an unexpected error'))
      expect(errorOf(await link(halt, '--yes'))).to.deep.equal([1, 'E_BUG'])
      expect(cli.stops).to.equal(2)
    })
  })
})
