import { expect } from 'chai'
import { UsageError } from '@sotto/core'
import type { AuditView } from '@sotto/core'
import { FakeCli } from '../support/cli.ts'
import { fakeContact } from '../support/fake-face.ts'
import { freshPolicy } from '../support/fake-groups.ts'
import { fakeId } from '../support/fake-id.ts'

const bob = fakeContact(20, 'Bob')
const cyd = fakeContact(21, 'Cyd')

describe('node: group commands', () => {
  let cli: FakeCli
  let group: string

  const run = (...args: readonly string[]) => cli.run([...args, '--json'])
  const code = async (...args: readonly string[]): Promise<readonly [number, unknown]> => {
    const ran = await run(...args)
    return [ran.code, (ran.json as { error?: { code: string } } | null)?.error?.code]
  }
  const last = () => cli.face.dispatched.at(-1)

  beforeEach(async () => {
    cli = new FakeCli('Ada')
    cli.face.contacts = [bob, cyd]
    const made = await run('group', 'new', 'Lake', '--member', 'Bob')
    group = (made.json as { conversationId: string }).conversationId
  })
  afterEach(() => cli.folder.remove())

  it('open a group with the contacts named, each once', async () => {
    const {
      code: exit,
      json,
      err,
    } = await run('group', 'new', 'Chess', '--member', 'Bob', cyd.accountId.slice(0, 8), 'bob')
    expect(exit).to.equal(0)
    expect(json).to.have.all.keys('conversationId')
    expect(err).to.include('Nothing is running')
    expect(last()?.input).to.deep.equal({ name: 'Chess', members: [bob.accountId, cyd.accountId] })
    expect(await code('group', 'new', 'Chess', '--member', 'Nobody')).to.deep.equal([6, 'E_NOT_FOUND'])
    expect(await code('group', 'new')).to.deep.equal([2, 'E_USAGE'])
    expect(cli.face.groups.conversations.map(({ name }) => name)).to.deep.equal(['Lake', 'Chess'])
  })

  it('list members in the agreed shape', async () => {
    const { json } = await run('group', 'members', 'Lake')
    const devices = [{ deviceId: fakeId(9), name: 'Desk', state: 'active' }]
    expect(json).to.deep.equal([
      { accountId: fakeId(1), name: 'Ada', role: 'owner', devices },
      { accountId: bob.accountId, name: 'Bob', role: 'member', devices },
    ])
    const text = (await cli.run(['group', 'members', 'Lake'])).out
    expect(text).to.match(/owner +1 device +Ada \(you\)/)
  })

  it('add, remove and raise members', async () => {
    const added = await run('group', 'add', 'Lake', 'Cyd')
    expect(added.json).to.include({ conversationId: group, accountId: cyd.accountId })
    expect(added.json).to.have.property('members').of.length(3)
    const raised = (await run('group', 'role', group.slice(0, 8), 'Cyd', 'admin')).json as {
      members: { accountId: string; role: string }[]
    }
    expect(raised.members.find(({ accountId }) => accountId === cyd.accountId)?.role).to.equal('admin')
    const removed = await run('group', 'remove', group, cyd.accountId.slice(0, 10))
    expect(removed.json).to.have.property('members').of.length(2)
    expect(last()).to.deep.equal({
      command: 'group-remove',
      input: { conversationId: group, accountId: cyd.accountId },
    })
  })

  it('make a link into a group, and say who came by it', async () => {
    const made = await run('invite', 'new', '--group', 'Lake', '--uses', '3')
    expect(made.json).to.deep.include({ uses: 3, group: { conversationId: group, name: 'Lake' } })
    expect(last()?.input).to.deep.equal({ conversationId: group, uses: 3 })
    expect((await cli.run(['invite', 'new', '--group', group.slice(0, 8)])).out).to.include(
      'It leads into Lake.',
    )
    expect((await cli.run(['invite', 'list'])).out).to.include('into Lake')
    expect(await code('invite', 'new', '--group', 'Bob')).to.deep.equal([2, 'E_NOT_GROUP'])
    expect(await code('invite', 'new', '--group', 'Nothing')).to.deep.equal([6, 'E_NOT_FOUND'])
    const asks = { conversationId: group, name: 'Lake' }
    const request = { requestId: fakeId(70), accountId: fakeId(71), name: 'Eve', atMs: 0, group: asks }
    cli.face.requests = [request]
    expect((await cli.run(['requests', 'list'])).out).to.match(/Eve +wants into Lake/)
    expect((await run('requests', 'list')).json)
      .to.have.nested.property('[0].group')
      .that.deep.equals(asks)
    expect((await cli.run(['requests', 'accept', fakeId(70).slice(0, 8)])).out).to.include(
      'Eve is in Lake now.',
    )
    const removed = (await cli.run(['group', 'remove', 'Lake', 'Bob'])).out
    expect(removed).to.include('A fresh one: sotto invite new --group Lake')
    cli.face.emit({ type: 'request', request })
    cli.face.emit({ type: 'group', conversationId: group, change: 'refused', code: 'E_INVITE_USED' })
    const { lines } = await run('listen', '--since', '0')
    expect(lines.find(({ event }) => event === 'request')?.['group']).to.deep.equal({ conversationId: group })
    expect(lines.at(-2)).to.include({ event: 'group', change: 'refused', code: 'E_INVITE_USED' })
  })

  it('find a member who is no contact, and not a contact who is no member', async () => {
    const stranger = fakeId(77)
    cli.face.contacts = [...cli.face.contacts, { ...fakeContact(30, 'Eve'), accountId: stranger }]
    await run('group', 'add', 'Lake', 'Eve')
    cli.face.contacts = [bob, cyd]
    expect((await run('group', 'role', 'Lake', stranger.slice(0, 8), 'admin')).code).to.equal(0)
    expect(await code('group', 'remove', 'Lake', 'Cyd')).to.deep.equal([6, 'E_NOT_FOUND'])
  })

  it('refuse a role that is none, and a conversation that is no group', async () => {
    expect(await code('group', 'role', 'Lake', 'Bob', 'king')).to.deep.equal([2, 'E_ROLE'])
    expect(await code('group', 'leave', 'Bob')).to.deep.equal([2, 'E_NOT_GROUP'])
    expect(await code('group', 'rename', 'Nowhere', 'x')).to.deep.equal([6, 'E_NOT_FOUND'])
    expect(await code('group')).to.deep.equal([2, 'E_USAGE'])
  })

  it('leave and rename', async () => {
    expect((await run('group', 'rename', 'Lake', 'Sea')).json).to.deep.equal({
      conversationId: group,
      name: 'Sea',
    })
    expect((await run('group', 'leave', 'Sea')).json).to.deep.equal({ conversationId: group })
    expect(cli.face.groups.conversations[0]?.contactState).to.equal('left')
  })

  it('show rules, and set those that are given', async () => {
    const shown = { history: 'from-join', retainMs: null, timerMs: null }
    const switches = { adminsGrantAdmin: false, membersAdmit: false, adminsRedact: false }
    expect((await run('group', 'policy', 'Lake')).json).to.deep.equal({
      conversationId: group,
      ...shown,
      ...switches,
    })
    expect(last()?.command).not.to.equal('group-policy')
    const set = await run(
      'group',
      'policy',
      'Lake',
      '--history',
      'days:7',
      '--retain',
      '30d',
      '--timer',
      '1h',
    )
    expect(set.json).to.include({ history: 'days:7', retainMs: 2_592_000_000, timerMs: 3_600_000 })
    expect(last()?.input).to.deep.equal({
      conversationId: group,
      historyDays: 7,
      retentionMs: 2_592_000_000,
      timerMs: 3_600_000,
    })
    const off = await run('group', 'policy', 'Lake', '--timer', 'off', '--admins-redact', 'on')
    expect(off.json).to.include({ history: 'days:7', timerMs: null, adminsRedact: true })
    expect((await run('group', 'policy', 'Lake', '--history', 'all')).json).to.include({ history: 'all' })
    expect((await run('group', 'policy', 'Lake', '--history', 'from-join')).json).to.include({
      history: 'from-join',
    })
    const text = (await cli.run(['group', 'policy', 'Lake'])).out
    expect(text).to.match(/Kept for +30d/)
  })

  it('refuse rules that cannot be read, and set nothing', async () => {
    for (const wrong of [
      ['--history', 'days:0'],
      ['--history', 'days:'],
      ['--history', 'days:1.5'],
      ['--history', 'most'],
      ['--retain', '7'],
      ['--retain', '0d'],
      ['--timer', 'soon'],
      ['--members-admit', 'maybe'],
    ])
      expect(await code('group', 'policy', 'Lake', ...wrong), wrong.join(' ')).to.deep.equal([2, 'E_USAGE'])
    expect(cli.face.groups.group(group).policy).to.deep.equal(freshPolicy)
  })

  it('show what happened to a group, and everywhere, without content', async () => {
    const line = (seq: number, conversationId: string | null): AuditView => ({
      seq,
      atMs: 0,
      conversationId,
      kind: 'member-added',
      by: fakeId(1),
      subject: bob.accountId,
      deviceId: null,
      detail: 'member',
      proof: null,
    })
    cli.face.audit = [line(1, group), line(2, fakeId(99))]
    const shown = (await run('group', 'audit', 'Lake')).json
    expect(shown).to.deep.equal([
      {
        at: '1970-01-01T00:00:00.000Z',
        seq: 1,
        kind: 'member-added',
        conversationId: group,
        by: fakeId(1),
        subject: bob.accountId,
        deviceId: null,
        detail: 'member',
        proof: null,
      },
    ])
    expect((await run('audit')).json).to.have.length(2)
    expect((await cli.run(['audit'])).out).to.match(/you let Bob in/)
    cli.face.audit = [{ ...line(1, group), subject: fakeId(1) }]
    expect((await cli.run(['audit'])).out).to.match(/you opened the group/)
    const undone = { kind: 'conflict-removal-undone', by: cyd.accountId, detail: fakeId(1) }
    cli.face.audit = [
      { ...line(1, group), ...undone },
      { ...line(2, group), ...undone, detail: '' },
    ]
    const text = (await cli.run(['group', 'audit', 'Lake'])).out
    expect(text).to.include('Bob is back: the removal by Cyd was undone when you removed Cyd.')
    expect(text).to.include('The removal of Bob by Cyd was undone')
    cli.face.audit = [{ ...line(1, group), kind: 'conflict-link-used-twice' }]
    expect((await cli.run(['group', 'audit', 'Lake'])).out).to.include(
      'Bob came by a link that was used twice',
    )
  })

  it('report why the device refused, each with its exit code', async () => {
    const refusals: Record<string, number> = {
      E_NOT_MEMBER: 1,
      E_MEMBERSHIP_DAMAGED: 9,
      E_NOT_ALLOWED: 1,
      E_NOT_CONNECTED: 1,
      E_LAST_OWNER: 1,
      E_OWN_ACCOUNT: 2,
      E_POLICY: 2,
      E_NOT_GROUP: 2,
    }
    for (const [name, exit] of Object.entries(refusals)) {
      cli.face.failNext = new UsageError(name, 'refused')
      expect(await code('group', 'leave', 'Lake')).to.deep.equal([exit, name])
    }
  })

  describe('WHO', () => {
    it('is a group by its name, id or the beginning of that', async () => {
      for (const who of ['Lake', 'lake', group, group.slice(0, 8)]) {
        const sent = await run('send', who, 'hello')
        expect(sent.json, who).to.include({ conversationId: group })
      }
      expect((await run('history', 'Lake')).json).to.have.length(4)
      expect((await run('read', 'Lake')).json).to.deep.equal({ conversationId: group })
    })

    it('is ambiguous where a contact has the name of a group, save where only one can be meant', async () => {
      cli.face.contacts = [...cli.face.contacts, fakeContact(33, 'Lake')]
      const { code: exit, json } = await run('send', 'Lake', 'x')
      expect(exit).to.equal(2)
      const { error } = json as { error: { code: string; candidates: { id: string }[] } }
      expect(error.code).to.equal('E_AMBIGUOUS')
      expect(error.candidates.map(({ id }) => id)).to.have.members([fakeContact(33, 'Lake').accountId, group])
      expect(cli.face.messages).to.be.empty
      expect((await run('group', 'rename', 'Lake', 'Sea')).code).to.equal(0)
      expect((await run('contacts', 'block', 'Lake')).code).to.equal(0)
    })

    it('is the account itself by its id alone', async () => {
      const notes = { ...cli.face.groups.conversations[0]!, kind: 'notes' as const, name: 'Ada' }
      cli.face.groups.conversations = [{ ...notes, accountId: fakeId(1), conversationId: fakeId(50) }]
      expect((await run('send', fakeId(1).slice(0, 8), 'milk')).json).to.include({
        conversationId: fakeId(50),
      })
      expect(await code('send', 'Ada', 'milk')).to.deep.equal([6, 'E_NOT_FOUND'])
    })
  })

  it('show a member whose name is not known as such', async () => {
    const nameless = fakeContact(30, '')
    cli.face.contacts = [bob, nameless]
    await run('group', 'add', 'Lake', nameless.accountId)
    expect((await cli.run(['group', 'members', 'Lake'])).out).to.include('(no name known)')
  })
})
