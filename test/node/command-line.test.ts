import { expect } from 'chai'
import { UsageError, PortError } from '@sotto/core'
import { FakeCli } from '../support/cli.ts'
import { fakeContact } from '../support/fake-face.ts'
import { fakeId } from '../support/fake-id.ts'

describe('node: command line', () => {
  let cli: FakeCli

  afterEach(() => cli.folder.remove())

  describe('an empty home', () => {
    beforeEach(() => (cli = new FakeCli()))

    it('is made by init, once', async () => {
      const first = await cli.run(['init', '--name', 'Ada', '--json'])
      expect(first.code).to.equal(0)
      expect(first.json).to.deep.equal({
        accountId: fakeId(1),
        deviceId: fakeId(2),
        name: 'Ada',
        home: cli.home,
      })
      const second = await cli.run(['init', '--name', 'Eve', '--json'])
      expect(second.code).to.equal(1)
      expect(second.json).to.have.nested.property('error.code', 'E_ALREADY_INITIALISED')
      expect(cli.face.self?.name).to.equal('Ada')
      expect(cli.stops).to.equal(cli.opened.length)
    })

    it('takes the name from SOTTO_NAME, and without any ends with 2', async () => {
      const without = await cli.run(['init', '--json'])
      expect(without.code).to.equal(2)
      expect(cli.opened).to.be.empty
      cli.env = { SOTTO_NAME: 'bot' }
      expect((await cli.run(['init', '--json'])).code).to.equal(0)
      expect(cli.face.self?.name).to.equal('bot')
    })

    it('answers every other command with E_NO_ACCOUNT and creates nothing', async () => {
      for (const args of [
        ['status'],
        ['send', 'Bob', 'hi'],
        ['contacts', 'list'],
        ['up'],
        ['wipe', '--yes'],
      ]) {
        const ran = await cli.run([...args, '--json'])
        expect(ran.code, args.join(' ')).to.equal(6)
        expect(ran.json).to.have.nested.property('error.code', 'E_NO_ACCOUNT')
      }
      expect(cli.opened).to.be.empty
    })

    it('opens in process without a network, with the clock shifted as asked', async () => {
      cli.env = { SOTTO_CLOCK_OFFSET_MS: '-5000' }
      await cli.run(['init', '--name', 'Ada'])
      expect(cli.opened[0]?.network).to.equal(null)
      expect(cli.opened[0]?.clockOffsetMs).to.equal(-5000)
      cli.env = { SOTTO_CLOCK_OFFSET_MS: 'soon' }
      expect((await cli.run(['status'])).code).to.equal(2)
    })
  })

  describe('an account', () => {
    const bob = fakeContact(20, 'Bob')

    beforeEach(() => {
      cli = new FakeCli('Ada')
      cli.face.contacts = [bob]
    })

    it('says how it stands', async () => {
      const { code, json } = await cli.run(['status', '--json'])
      expect(code).to.equal(0)
      expect(json).to.include({
        running: false,
        peerId: 'peer',
        connection: 'offline',
        peers: 0,
        outbox: 0,
        held: 0,
        conversations: 1,
      })
      expect(json).to.deep.include({
        listen: ['/ip4/127.0.0.1/tcp/4001'],
        relays: [],
        warnings: [],
        home: cli.home,
      })
    })

    it('queues a text, and says that nothing is running to deliver it', async () => {
      const { code, json, err } = await cli.run(['send', 'Bob', 'hello there', '--json'])
      expect(code).to.equal(0)
      expect(json).to.have.all.keys('messageId', 'conversationId', 'state')
      expect(json).to.include({ conversationId: bob.conversationId, state: 'waiting' })
      expect(err).to.include('Nothing is running')
      expect(cli.face.messages[0]?.text).to.equal('hello there')
    })

    it('reads a text from standard input, without its last line end', async () => {
      await cli.run(['send', 'Bob', '-'], { stdin: 'two\nlines\n' })
      await cli.run(['send', 'Bob'], { stdin: 'no argument' })
      expect(cli.face.messages.map(({ text }) => text)).to.deep.equal(['two\nlines', 'no argument'])
    })

    it('ends a wait with 8 at once when nothing runs, naming the queued message', async () => {
      const { code, json } = await cli.run([
        'send',
        'Bob',
        'x',
        '--wait',
        'device',
        '--timeout',
        '1h',
        '--json',
      ])
      expect(code).to.equal(8)
      expect(json).to.have.nested.property('error.code', 'E_TIMEOUT')
      expect(json).to.have.nested.property('error.retryable', true)
      expect(json).to.have.nested.property('error.messageId', cli.face.messages[0]?.messageId)
    })

    it('shows a history in the agreed shape, oldest first', async () => {
      await cli.run(['send', 'Bob', 'one'])
      cli.face.messages = [...cli.face.messages, cli.face.message(bob.conversationId, 'two', bob)]
      const { json } = await cli.run(['history', 'Bob', '--json'])
      const [first, second] = json as Record<string, unknown>[]
      expect(first).to.have.all.keys(
        'messageId',
        'conversationId',
        'author',
        'text',
        'textMissing',
        'sentAt',
        'receivedAt',
        'state',
        'replyTo',
        'edited',
        'deleted',
        'late',
        'outside',
        'reactions',
        'attachments',
      )
      expect(first).to.include({ text: 'one', state: 'waiting', sentAt: '2023-11-14T22:13:20.000Z' })
      expect(second).to.include({ text: 'two', state: null })
      expect(second?.['author']).to.deep.equal({
        accountId: bob.accountId,
        deviceId: fakeId(9),
        name: 'Bob',
        me: false,
      })
    })

    it('shows all of a long history as JSON, and the newest with --limit', async () => {
      cli.face.messages = Array.from({ length: 1_203 }, (_, at) =>
        cli.face.message(bob.conversationId, `${at}`),
      )
      const all = (await cli.run(['history', 'Bob', '--json'])).json as { text: string }[]
      expect(all.map(({ text }) => Number(text))).to.deep.equal(Array.from({ length: 1_203 }, (_, at) => at))
      const few = (await cli.run(['history', 'Bob', '--limit', '3', '--json'])).json as { text: string }[]
      expect(few.map(({ text }) => text)).to.deep.equal(['1200', '1201', '1202'])
      expect((await cli.run(['history', 'Bob', '--limit', '0'])).code).to.equal(2)
    })

    it('makes, lists and revokes invites', async () => {
      const made = (await cli.run(['invite', 'new', '--expires', '2h', '--uses', '3', '--direct', '--json']))
        .json
      expect(made).to.include({ uses: 3, expiresAt: '2023-11-15T00:13:20.000Z' })
      expect(made).to.deep.include({ heldBy: [] })
      expect(cli.face.dispatched.at(-1)).to.deep.equal({
        command: 'create-invite',
        input: { expiresInMs: 7_200_000, uses: 3, direct: true },
      })
      const { inviteId } = made as { inviteId: string }
      expect((await cli.run(['invite', 'list', '--json'])).json).to.have.length(1)
      const revoked = await cli.run(['invite', 'revoke', inviteId.slice(0, 8), '--json'])
      expect(revoked.json).to.include({ inviteId, state: 'revoked' })
      const unknown = await cli.run(['invite', 'revoke', 'nonesuch', '--json'])
      expect(unknown.code).to.equal(6)
    })

    it('opens a link only with a network', async () => {
      const { code, json } = await cli.run(['add', 'sotto:i#x', '--json'])
      expect(code).to.equal(7)
      expect(json).to.have.nested.property('error.code', 'E_NOT_RUNNING')
    })

    it('answers requests', async () => {
      cli.face.requests = [
        { requestId: fakeId(70), accountId: fakeId(71), name: 'Mallory', atMs: 0, group: null },
      ]
      expect((await cli.run(['requests', 'list', '--json'])).json).to.deep.equal([
        {
          ...{ requestId: fakeId(70), accountId: fakeId(71), name: 'Mallory' },
          ...{ at: '1970-01-01T00:00:00.000Z', group: null },
        },
      ])
      const accepted = await cli.run(['requests', 'accept', fakeId(70).slice(0, 10), '--json'])
      expect(accepted.json).to.include({ accountId: fakeId(71), name: 'Mallory' })
      expect((await cli.run(['requests', 'ignore', fakeId(70), '--json'])).code).to.equal(6)
    })

    it('renames, blocks and shows contacts', async () => {
      await cli.run(['contacts', 'rename', 'Bob', 'Robert'])
      expect((await cli.run(['contacts', 'block', 'Robert', '--json'])).json).to.include({ state: 'blocked' })
      await cli.run(['contacts', 'unblock', bob.accountId.slice(0, 8)])
      expect((await cli.run(['contacts', 'list', '--json'])).json).to.deep.equal([
        {
          accountId: bob.accountId,
          conversationId: bob.conversationId,
          name: 'Robert',
          verified: false,
          state: 'connected',
          devices: 1,
        },
      ])
      const safety = (await cli.run(['contacts', 'safety', bob.conversationId, '--json'])).json as Record<
        string,
        string
      >
      expect(safety['number']).to.match(/^\d{60}$/)
      expect(safety['deviceState']).to.match(/^\d{30}$/)
    })

    it('verifies a contact by the number the other person sees, and by no other', async () => {
      const verify = async (...args: string[]) => cli.run(['contacts', 'verify', 'Bob', ...args, '--json'])
      const { number } = await cli.face.view('safety', { accountId: bob.accountId })
      const grouped = number.match(/.{5}/g)!.join(' ')
      for (const [args, exit, code] of [
        [[], 2, 'E_USAGE'],
        [['--number', number.slice(1)], 2, 'E_USAGE'],
        [['--number', `${number.slice(0, -1)}x`], 2, 'E_USAGE'],
        [['--number', number.slice(1) + number.slice(0, 1)], 4, 'E_SAFETY_DIFFERS'],
      ] as const) {
        const ran = await verify(...args)
        expect(ran.code).to.equal(exit)
        expect(ran.json).to.have.nested.property('error.code', code)
      }
      expect((await cli.face.view('contacts', {}))[0]).to.include({ verified: false })
      expect((await verify('--number', grouped)).json).to.include({ name: 'Bob', verified: true })
      expect((await cli.run(['contacts', 'list'])).out).to.include('verified')
    })

    it('lists the candidates of an ambiguous name', async () => {
      cli.face.contacts = [bob, fakeContact(21, 'Bob')]
      const { code, json } = await cli.run(['send', 'Bob', 'x', '--json'])
      expect(code).to.equal(2)
      const { error } = json as { error: { code: string; candidates: { id: string; name: string }[] } }
      expect(error.code).to.equal('E_AMBIGUOUS')
      expect(error.candidates.map(({ id }) => id)).to.deep.equal(
        cli.face.contacts.map(({ accountId }) => accountId),
      )
      expect(cli.face.messages).to.be.empty
    })

    it('keeps relays and settings', async () => {
      const added = (await cli.run(['relays', 'add', '/ip4/1.2.3.4/tcp/1', '--json'])).json as { id: string }
      expect(added).to.have.all.keys('id', 'address', 'state', 'items')
      expect((await cli.run(['relays', 'remove', added.id, '--json'])).json).to.deep.equal({ id: added.id })
      expect((await cli.run(['relays', 'list', '--json'])).json).to.deep.equal([])
      expect((await cli.run(['config', 'set', 'read-receipts', 'on', '--json'])).json).to.deep.equal({
        readReceipts: true,
      })
      expect((await cli.run(['config', 'get', 'readReceipts', '--json'])).json).to.deep.equal({
        readReceipts: true,
      })
      expect((await cli.run(['config', 'get', 'toString', '--json'])).code).to.equal(2)
    })

    it('shows and confirms the recovery words', async () => {
      expect((await cli.run(['recovery', 'words', '--json'])).json)
        .to.have.property('words')
        .of.length(24)
      const confirmed = await cli.run(['recovery', 'confirm', '--json'], {
        stdin: '1 zoo\n 12: abandon\n24=art\n',
      })
      expect(confirmed.code).to.equal(0)
      expect(cli.face.dispatched.at(-1)?.input).to.deep.equal({
        words: { 1: 'zoo', 12: 'abandon', 24: 'art' },
      })
      expect((await cli.run(['recovery', 'confirm'], { stdin: 'zoo' })).code).to.equal(2)
    })

    it('replays events without texts or names unless asked, then says that nothing runs', async () => {
      cli.face.emit({ type: 'message', message: cli.face.message(bob.conversationId, 'secret text', bob) })
      cli.face.emit({ type: 'contact', contact: bob, change: 'connected' })
      cli.face.emit({
        type: 'request',
        request: { requestId: fakeId(70), accountId: fakeId(71), name: 'Mallory', atMs: 0, group: null },
      })
      cli.face.emit({ type: 'connection', connection: 'relay' })
      const { code, lines, out } = await cli.run(['listen', '--since', '0', '--json'])
      expect(code).to.equal(7)
      expect(lines.map(({ event, seq }) => [event, seq])).to.deep.equal([
        ['message', 1],
        ['contact', 2],
        ['request', 3],
        ['connection', 4],
        [undefined, undefined],
      ])
      expect(out).not.to.match(/secret text|Bob|Mallory/)
      const shown = await cli.run(['listen', '--since', '0', '--previews', '--json'])
      expect(shown.lines[0]).to.include({ text: 'secret text' })
      expect(shown.lines[1]).to.include({ name: 'Bob' })
      expect((await cli.run(['listen', '--since', '3', '--json'])).lines[0]).to.include({ seq: 4 })
    })

    it('erases only its own files, and only when told', async () => {
      expect((await cli.run(['wipe'])).code).to.equal(2)
      const { code, json } = await cli.run(['wipe', '--yes', '--json'])
      expect(code).to.equal(0)
      expect(json).to.deep.equal({ wiped: cli.home })
      expect((await cli.run(['status'])).code).to.equal(6)
    })

    it('names a verb of a later version', async () => {
      const verbs = [
        ['search', 'x'],
        ['backup', 'create', 'f'],
        ['init', '--restore', 'f'],
        ['send', 'Bob', 'x', '-f', 'y'],
      ]
      for (const args of verbs) {
        const { code, json } = await cli.run([...args, '--json'])
        expect(code, args.join(' ')).to.equal(2)
        expect(json, args.join(' ')).to.have.nested.property('error.code', 'E_NOT_BUILT')
      }
    })

    it('ends with 2 on what it does not understand, and with 0 on help', async () => {
      for (const args of [
        ['nonsense'],
        ['send'],
        ['status', '--nonsense'],
        ['invite'],
        ['invite', 'nonsense'],
        ['send', 'Bob', 'x', '--wait', 'long'],
        ['send', 'Bob', 'x', '--timeout', 'long'],
        ['invite', 'new', '--uses', '-1'],
      ]) {
        const { code, json } = await cli.run([...args, '--json'])
        expect(code, args.join(' ')).to.equal(2)
        expect(json, args.join(' ')).to.have.nested.property('error.code')
      }
      const help = await cli.run(['--help'])
      expect(help.code).to.equal(0)
      expect(help.out).to.include('Usage')
      const version = await cli.run(['version', '--json'])
      expect(version.json).to.have.property('version')
    })

    it('reports failures by their code, without an inside to see', async () => {
      const cases: [Error, number, string][] = [
        [new UsageError('E_INVITE_USED', 'used'), 1, 'E_INVITE_USED'],
        [new PortError('E_NET_TIMEOUT', 'slow', { retryable: true }), 3, 'E_NET_TIMEOUT'],
        [new PortError('E_OUTBOX_FULL', 'full'), 5, 'E_OUTBOX_FULL'],
        [new PortError('E_STORE_FULL', 'full'), 9, 'E_STORE_FULL'],
        [new TypeError('secret detail'), 1, 'E_INTERNAL'],
      ]
      for (const [failure, code, name] of cases) {
        cli.face.failNext = failure
        const ran = await cli.run(['send', 'Bob', 'x', '--json'])
        expect(ran.code, name).to.equal(code)
        expect(ran.json).to.have.nested.property('error.code', name)
        expect(ran.out).not.to.include('secret detail')
        expect(Object.keys((ran.json as { error: object }).error)).to.include.members([
          'code',
          'message',
          'hint',
          'retryable',
        ])
      }
      cli.openFailure = new PortError('E_HOME_LOCKED', 'in use')
      expect((await cli.run(['up'])).code).to.equal(7)
      cli.openFailure = new PortError('E_STORE_NEWER', 'newer')
      expect((await cli.run(['status'])).code).to.equal(9)
    })

    it('never lets another person’s text steer the terminal', async () => {
      cli.face.contacts = [fakeContact(20, 'Bo\u001b]0;title\u0007b')]
      const contact = cli.face.contacts[0]!
      cli.face.messages = [cli.face.message(contact.conversationId, 'a\u001b[2Jb\u009b1mc\u202ed', contact)]
      const text = await cli.run(['history', contact.accountId])
      // eslint-disable-next-line no-control-regex -- the very characters that must not come through
      expect(text.out).not.to.match(/[\u001b\u0007\u009b\u202e]/)
      const json = await cli.run(['history', contact.accountId, '--json'])
      // eslint-disable-next-line no-control-regex -- as above
      expect(json.out).not.to.match(/[\u001b\u0007\u009b]/)
      expect(json.json).to.have.nested.property('[0].text', 'a\u001b[2Jb\u009b1mc\u202ed')
    })
  })
})
