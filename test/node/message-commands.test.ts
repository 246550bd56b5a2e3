import { expect } from 'chai'
import { UsageError } from '@sotto/core'
import type { MessageView } from '@sotto/core'
import { FakeCli } from '../support/cli.ts'
import { fakeContact } from '../support/fake-face.ts'
import { fakeGroup } from '../support/fake-groups.ts'
import { fakeId } from '../support/fake-id.ts'

const bob = fakeContact(20, 'Bob')

describe('node: commands about one message', () => {
  let cli: FakeCli
  let first: MessageView

  const run = (...args: readonly string[]) => cli.run([...args, '--json'])
  const code = async (...args: readonly string[]): Promise<readonly [number, unknown]> => {
    const ran = await run(...args)
    return [ran.code, (ran.json as { error?: { code: string } } | null)?.error?.code]
  }

  beforeEach(() => {
    cli = new FakeCli('Ada')
    cli.face.contacts = [bob]
    const direct = { ...fakeGroup(1, 'Bob'), kind: 'direct' as const, accountId: bob.accountId }
    cli.face.groups.conversations = [{ ...direct, conversationId: bob.conversationId }, fakeGroup(60, 'Lake')]
    first = cli.face.message(bob.conversationId, 'one')
    cli.face.messages = [first]
  })
  afterEach(() => cli.folder.remove())

  it('change its text, also from standard input', async () => {
    const { code: exit, json } = await run('edit', first.messageId, 'two')
    expect(exit).to.equal(0)
    expect(json).to.include({ messageId: first.messageId, text: 'two', edited: true })
    await cli.run(['edit', first.messageId], { stdin: 'three\nlines\n' })
    await cli.run(['edit', first.messageId, '-'], { stdin: 'three\nmore\n' })
    expect(cli.face.dispatched.map(({ input }) => (input as { text: string }).text)).to.deep.equal([
      'two',
      'three\nlines',
      'three\nmore',
    ])
  })

  it('take it back', async () => {
    const { json } = await run('delete', first.messageId.slice(0, 8))
    expect(json).to.include({ messageId: first.messageId, text: null, deleted: true })
    expect((await cli.run(['history', 'Bob'])).out).to.include('(deleted)')
  })

  it('react, and take that back', async () => {
    const { json } = await run('react', first.messageId, '👍')
    expect(json).to.deep.include({ reactions: [{ emoji: '👍', by: [fakeId(1)] }] })
    expect((await cli.run(['history', 'Bob'])).out).to.include('[👍1]')
    expect((await run('react', first.messageId, '--remove')).json).to.deep.include({ reactions: [] })
    expect(cli.face.dispatched.at(-1)?.input).to.deep.equal({ messageId: first.messageId, emoji: '' })
    for (const wrong of [[], ['👍', '--remove'], ['']])
      expect(await code('react', first.messageId, ...wrong)).to.deep.equal([2, 'E_USAGE'])
  })

  it('say what a conversation is about, and pin one', async () => {
    expect((await cli.run(['about', 'Bob'])).out).to.include('No topic')
    const pin = first.messageId.slice(0, 8)
    const { json } = await run('about', 'Bob', '--topic', 'Boats', '--note', 'oars\nropes', '--pin', pin)
    const about = { topic: 'Boats', note: 'oars\nropes', pins: [first.messageId], picture: null }
    expect(json).to.deep.equal({ conversationId: bob.conversationId, ...about })
    const { out } = await cli.run(['about', 'Bob'])
    expect(out).to.match(/Topic: Boats\nPinned: \w{8} {2}one\nNote:\noars\nropes/)
    await cli.run(['about', 'Bob', '--note', '-'], { stdin: 'oars only\n' })
    expect((await run('about', 'Bob', '--unpin', pin)).json).to.include({ note: 'oars only' })
    expect((await run('about', 'Bob')).json).to.deep.include({ pins: [] })
    cli.face.details = { ...cli.face.details, pins: [fakeId(77)] }
    expect((await cli.run(['about', 'Bob'])).out).to.match(/Pinned: \w{8}\n/)
    const before = cli.face.dispatched.length
    expect(await code('about', 'Bob', '--topic', 'x', '--pin', 'nnnnnnnn')).to.deep.equal([6, 'E_NOT_FOUND'])
    expect(cli.face.dispatched.length, 'nothing was set').to.equal(before)
  })

  it('answer it, found in the conversation it is in', async () => {
    const { code: exit } = await run('send', 'Bob', 'yes', '--reply', first.messageId.slice(0, 8))
    expect(exit).to.equal(0)
    const [, answer] = (await run('history', 'Bob')).json as MessageView[]
    expect(answer).to.include({ text: 'yes', replyTo: first.messageId })
    expect((await cli.run(['history', 'Bob'])).out).to.include(`(to ${first.messageId.slice(0, 8)})`)
    const elsewhere = await code('send', 'Lake', 'yes', '--reply', first.messageId.slice(0, 8))
    expect(elsewhere).to.deep.equal([6, 'E_NOT_FOUND'])
  })

  it('find it by its beginning on any page of any conversation', async () => {
    const old = { ...cli.face.message(fakeId(60), 'old'), messageId: `zzzzzzzz${fakeId(3).slice(8)}` }
    const many = Array.from({ length: 1_100 }, (_, at) => cli.face.message(fakeId(60), `${at}`))
    cli.face.messages = [first, old, ...many]
    expect((await run('edit', 'zzzzzzzz', 'found')).json).to.include({ messageId: old.messageId })
  })

  it('refuse a beginning that is too short, unknown, or of two', async () => {
    const twin = { ...cli.face.message(fakeId(60), 'twin') }
    cli.face.messages = [first, { ...twin, messageId: `${first.messageId.slice(0, 20)}${'a'.repeat(32)}` }]
    expect(await code('delete', first.messageId.slice(0, 7))).to.deep.equal([6, 'E_NOT_FOUND'])
    expect(await code('delete', 'bbbbbbbb')).to.deep.equal([6, 'E_NOT_FOUND'])
    expect(await code('delete', fakeId(4))).to.deep.equal([6, 'E_NOT_FOUND'])
    expect(await code('delete', 'NOT AN ID')).to.deep.equal([6, 'E_NOT_FOUND'])
    const { json } = await run('delete', first.messageId.slice(0, 20))
    expect(json).to.have.nested.property('error.code', 'E_AMBIGUOUS')
    expect(json).to.have.nested.property('error.candidates').of.length(2)
    expect((await run('delete', first.messageId)).code).to.equal(0)
  })

  it('report why the device refused, each with its exit code', async () => {
    for (const [name, exit] of [
      ['E_NOT_AUTHOR', 1],
      ['E_DELETED', 1],
      ['E_EMOJI', 2],
      ['E_TEXT', 2],
    ] as const) {
      cli.face.failNext = new UsageError(name, 'refused')
      expect(await code('react', first.messageId, 'x')).to.deep.equal([exit, name])
    }
  })

  it('show in a history what counts for nothing, and why', async () => {
    const outside = {
      ...cli.face.message(bob.conversationId, 'still here?', bob),
      outside: 'not-a-member' as const,
    }
    cli.face.messages = [first, outside]
    expect(((await run('history', 'Bob')).json as MessageView[])[1]).to.include({ outside: 'not-a-member' })
    expect((await cli.run(['history', 'Bob'])).out).to.include('does not count: not a member')
  })

  it('export a conversation byte for byte, and in no other format', async () => {
    cli.face.exported = '{"version":1,"messages":[\n{"text":"a\u0085b"}\n]}\n'
    for (const args of [[], ['--format', 'json'], ['--format', 'json', '--json']])
      expect((await cli.run(['export', 'Bob', ...args])).out).to.equal(cli.face.exported)
    expect(await code('export', 'Bob', '--format', 'xml')).to.deep.equal([2, 'E_USAGE'])
    expect(await code('export', 'Nobody')).to.deep.equal([6, 'E_NOT_FOUND'])
  })

  it('tell what happens to messages, groups and devices without texts or names unless asked', async () => {
    const secret = {
      ...cli.face.message(bob.conversationId, 'secret text', bob),
      reactions: [{ emoji: '🦆', by: [bob.accountId] }],
    }
    cli.face.emit({ type: 'message.edited', message: secret })
    cli.face.emit({ type: 'message.deleted', message: { ...secret, deleted: true } })
    cli.face.emit({ type: 'message.reacted', message: secret })
    cli.face.emit({ type: 'group', conversationId: fakeId(60) })
    cli.face.emit({ type: 'device', accountId: bob.accountId, deviceId: fakeId(5), change: 'added' })
    cli.face.emit({ type: 'link', state: 'failed', code: 'E_LINK_EXPIRED' })
    cli.face.emit({ type: 'link', state: 'linked', accountId: fakeId(1), deviceId: fakeId(6) })
    const { lines, out } = await run('listen', '--since', '0')
    expect(lines.map(({ event }) => event)).to.deep.equal([
      'message.edited',
      'message.deleted',
      'message.reacted',
      'group',
      'device',
      'link',
      'link',
      undefined,
    ])
    expect(lines[0]).to.include({ messageId: secret.messageId, seq: 1 })
    expect(lines[3]).to.include({ conversationId: fakeId(60) })
    expect(lines[4]).to.include({ accountId: bob.accountId, deviceId: fakeId(5), change: 'added' })
    expect(lines[5]).to.include({ state: 'failed', code: 'E_LINK_EXPIRED' })
    expect(lines[6]).to.include({ state: 'linked', accountId: fakeId(1), deviceId: fakeId(6) })
    expect(out).not.to.match(/secret text|Bob|🦆/)
    const shown = await run('listen', '--since', '0', '--previews')
    expect(shown.lines[0]).to.include({ text: 'secret text' })
    expect(shown.lines[2]).to.deep.include({ reactions: secret.reactions })
  })
})
