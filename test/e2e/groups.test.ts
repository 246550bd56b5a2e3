import { expect } from 'chai'
import type { MessageView } from '@sotto/core'
import { temporaryFolder } from '../support/folder.ts'
import { RealNode } from '../support/real-node.ts'

/** A message as `history --json` shows it. */
type Shown = Pick<
  MessageView,
  'messageId' | 'text' | 'replyTo' | 'edited' | 'deleted' | 'reactions' | 'outside'
>

describe('three people in a group', function () {
  this.timeout(180_000)
  const folder = temporaryFolder()
  const nodes = ['ada', 'bob', 'cyd'].map((name) => new RealNode(`${folder.path}/${name}`))
  const [ada, bob, cyd] = nodes as [RealNode, RealNode, RealNode]
  let group = ''
  const ids: Record<string, string> = {}

  after(async () => {
    await Promise.all(nodes.map((node) => node.end()))
    folder.remove()
  })

  /** Runs a command that is expected to go well. */
  async function ok<T>(node: RealNode, ...args: readonly string[]): Promise<T> {
    const ran = await node.cli(...args)
    expect(ran.code, `${args.join(' ')}: ${ran.out}${ran.err}`).to.equal(0)
    return ran.json
  }
  const failure = async (node: RealNode, ...args: readonly string[]) => {
    const { code, json } = await node.cli(...args)
    return [code, (json as { error: { code: string } }).error.code]
  }
  const history = (node: RealNode) => ok<readonly Shown[]>(node, 'history', group)
  async function send(node: RealNode, text: string, ...more: readonly string[]): Promise<void> {
    ids[text] = (await ok<{ messageId: string }>(node, 'send', group, text, ...more)).messageId
  }
  const shows = (node: RealNode, messageId: string | undefined, holds: (message: MessageView) => boolean) =>
    node.until(async () => {
      const found = (await node.history(group)).find((message) => message.messageId === messageId)
      return found !== undefined && holds(found)
    })
  const everywhere = (messageId: string | undefined, holds: (message: MessageView) => boolean = () => true) =>
    Promise.all(nodes.map((node) => shows(node, messageId, holds)))
  const members = async (node: RealNode) =>
    (await ok<readonly { name: string; role: string }[]>(node, 'group', 'members', group)).map(
      ({ name, role }) => `${name} ${role}`,
    )

  /** Makes two of them contacts of each other. */
  async function meet(inviter: RealNode, guest: RealNode): Promise<void> {
    const { link } = await ok<{ link: string }>(inviter, 'invite', 'new', '--direct')
    const { accountId } = await ok<{ accountId: string }>(guest, 'add', link)
    const self = await guest.face.view('self', {})
    const connected = (node: RealNode, account: string | undefined) =>
      node.until(async () =>
        (await node.face.view('contacts', {})).some(
          (contact) => contact.accountId === account && contact.state === 'connected',
        ),
      )
    await Promise.all([connected(inviter, self?.accountId), connected(guest, accountId)])
  }

  it('open it once they know each other', async () => {
    await Promise.all([ada.begin('Ada'), bob.begin('Bob'), cyd.begin('Cyd')])
    await meet(ada, bob)
    await meet(ada, cyd)
    await meet(bob, cyd)
    group = (await ok<{ conversationId: string }>(ada, 'group', 'new', 'Lake', '--member', 'Bob', 'Cyd'))
      .conversationId
    for (const node of [bob, cyd])
      await node.until(async () =>
        (await node.face.view('conversations', {})).some(
          ({ conversationId, members, name }) => conversationId === group && members === 3 && name === 'Lake',
        ),
      )
    expect(await members(cyd)).to.deep.equal(['Ada owner', 'Bob member', 'Cyd member'])
  })

  it('talk, answer, change, take back and react, and all see the same', async () => {
    await send(ada, 'Saturday at the lake?')
    await everywhere(ids['Saturday at the lake?'])
    await send(bob, 'yes', '--reply', ids['Saturday at the lake?']!.slice(0, 12))
    await send(cyd, 'never')
    await Promise.all([everywhere(ids['yes']), everywhere(ids['never'])])
    await ok(bob, 'edit', ids['yes']!.slice(0, 12), 'yes, with the boat')
    await ok(cyd, 'delete', ids['never']!)
    await ok(cyd, 'react', ids['yes']!, '👍')
    await everywhere(ids['yes'], ({ edited, reactions }) => edited && reactions.length === 1)
    await everywhere(ids['never'], ({ deleted }) => deleted)
    const cydId = (await cyd.face.view('self', {}))?.accountId
    for (const node of nodes) {
      const [first, second, third] = await history(node)
      expect(first).to.include({ text: 'Saturday at the lake?', edited: false })
      const byId = new Map([second, third].map((message) => [message?.messageId, message]))
      expect(byId.get(ids['yes'])).to.deep.include({
        text: 'yes, with the boat',
        replyTo: ids['Saturday at the lake?'],
        edited: true,
        reactions: [{ emoji: '👍', by: [cydId] }],
      })
      expect(byId.get(ids['never'])).to.include({ text: null, deleted: true })
    }
    expect(await failure(ada, 'edit', ids['yes']!, 'no')).to.deep.equal([1, 'E_NOT_AUTHOR'])
    expect(await failure(cyd, 'react', ids['never']!, '👍')).to.deep.equal([1, 'E_DELETED'])
  })

  it('give it another name and make one of them an admin', async () => {
    await ok(bob, 'group', 'rename', 'Lake', 'Sea')
    await ok(ada, 'group', 'role', group, 'Bob', 'admin')
    for (const node of nodes) {
      await node.until(async () => {
        const shown = await node.face.view('members', { conversationId: group })
        const [view] = (await node.face.view('conversations', {})).filter(({ kind }) => kind === 'group')
        return view?.name === 'Sea' && shown.some(({ role }) => role === 'admin')
      })
      expect(await members(node)).to.deep.equal(['Ada owner', 'Bob admin', 'Cyd member'])
    }
    expect(await failure(cyd, 'group', 'remove', 'Sea', 'Bob')).to.deep.equal([1, 'E_NOT_ALLOWED'])
    expect(await failure(ada, 'group', 'leave', 'Sea')).to.deep.equal([1, 'E_LAST_OWNER'])
  })

  it('export it, byte for byte the same', async () => {
    await Promise.all(Object.values(ids).map((id) => everywhere(id)))
    const [hers, ...others] = await Promise.all(
      nodes.map((node) => node.cli('export', 'Sea', '--format', 'json')),
    )
    expect(hers?.code).to.equal(0)
    const read = JSON.parse(hers?.out ?? '') as { members: unknown[]; messages: { text: string | null }[] }
    expect(read.members).to.have.length(3)
    expect(read.messages.map(({ text }) => text)).to.have.members([
      'Saturday at the lake?',
      'yes, with the boat',
      null,
    ])
    for (const other of others) expect(other.out).to.equal(hers?.out)
  })

  it('put one out, who can say nothing there any more, and one leaves', async () => {
    await ok(bob, 'group', 'remove', 'Sea', 'Cyd')
    await cyd.until(async () =>
      (await cyd.face.view('conversations', {})).some(
        ({ conversationId, contactState }) => conversationId === group && contactState === 'left',
      ),
    )
    expect(await failure(cyd, 'send', group, 'hello?')).to.deep.equal([1, 'E_NOT_MEMBER'])
    await ada.until(async () => (await ada.face.view('members', { conversationId: group })).length === 2)
    await ok(bob, 'group', 'leave', 'Sea')
    await ada.until(async () => (await ada.face.view('members', { conversationId: group })).length === 1)
    const kinds = (await ok<readonly { kind: string }[]>(ada, 'group', 'audit', 'Sea')).map(
      ({ kind }) => kind,
    )
    expect(kinds).to.include.members(['member-added', 'role-changed', 'member-removed', 'member-left'])
    expect(await history(cyd)).to.have.length(3)
  })
})
