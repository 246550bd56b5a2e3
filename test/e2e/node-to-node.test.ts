import { expect } from 'chai'
import { nodeLimits } from '../../packages/node/src/limits.ts'
import { temporaryFolder } from '../support/folder.ts'
import { RealNode, tcpAddress } from '../support/real-node.ts'

const texts = (from: string, first: number, count: number): string[] =>
  Array.from({ length: count }, (_, at) => `${from} ${first + at}`)

describe('two nodes find each other through a third and talk', function () {
  this.timeout(180_000)
  const folder = temporaryFolder()
  const [ada, bob, guide] = ['ada', 'bob', 'guide'].map((name) => new RealNode(`${folder.path}/${name}`)) as [
    RealNode,
    RealNode,
    RealNode,
  ]
  let conversation = ''
  let link = ''

  after(async () => {
    await Promise.all([ada, bob, guide].map((node) => node.end()))
    folder.remove()
  })

  const everyText = 250
  /** Sends lines in order, as many at once as a connection may. */
  async function write(node: RealNode, lines: readonly string[]): Promise<readonly string[]> {
    const ids: string[] = []
    for (let at = 0; at < lines.length; at += nodeLimits.parallelRequests) {
      const some = lines.slice(at, at + nodeLimits.parallelRequests)
      const sent = some.map((text) => node.face.dispatch('send', { conversationId: conversation, text }))
      ids.push(...(await Promise.all(sent)).map(({ messageId }) => messageId))
    }
    return ids
  }
  const has = (node: RealNode, count: number) =>
    node.until(async () => (await node.history(conversation)).length === count)

  it('meet by a link that holds no address, over the DHT alone', async () => {
    await guide.begin('Guide')
    const bootstrap = ['--bootstrap', tcpAddress(guide.ready)]
    await Promise.all([ada.begin('Ada', ...bootstrap), bob.begin('Bob', ...bootstrap)])
    link = await ada.inviteHeldBy('dht')
    expect(link).to.match(/^sotto:i#[\w-]{64}$/)
    const added = await bob.cli('add', link)
    expect(added.code, added.out).to.equal(0)
    conversation = (added.json as { conversationId: string }).conversationId
    for (const node of [ada, bob]) {
      await node.until(async () =>
        (await node.face.view('contacts', {})).some(({ state }) => state === 'connected'),
      )
    }
  })

  it('refuse the link’s second use, and its own maker', async () => {
    const own = await ada.cli('add', link)
    expect(own.json).to.have.nested.property('error.code', 'E_INVITE_OWN')
    expect(own.code).to.equal(1)
    expect(await guide.addUsed(link)).to.equal('E_INVITE_USED')
    expect((await ada.face.view('contacts', {})).map(({ name }) => name)).to.deep.equal(['Bob'])
  })

  it('exchange 500 messages each way, both daemons restarted in the middle', async () => {
    const before = await Promise.all([
      write(ada, texts('ada', 0, everyText)),
      write(bob, texts('bob', 0, everyText)),
    ])
    expect(await Promise.all([ada.end(), bob.end()])).to.deep.equal([0, 0])
    await Promise.all([ada.up(), bob.up()])
    const after = await Promise.all([
      write(ada, texts('ada', everyText, everyText)),
      write(bob, texts('bob', everyText, everyText)),
    ])
    await Promise.all([has(ada, 1_000), has(bob, 1_000)])
    const sent = [0, 1].map((who) => [...before[who]!, ...after[who]!])
    await ada.untilState(conversation, sent[0]!, ['delivered'])
    await bob.untilState(conversation, sent[1]!, ['delivered'])
    const [hers, his] = await Promise.all([ada.history(conversation), bob.history(conversation)])
    const shown = (messages: typeof hers) =>
      messages.map(({ messageId, text, author }) => [messageId, text, author.accountId])
    expect(shown(hers)).to.deep.equal(shown(his))
    for (const name of ['ada', 'bob']) {
      const own = hers.flatMap(({ text }) => (text?.startsWith(name) === true ? [text] : []))
      expect(own).to.deep.equal(texts(name, 0, 2 * everyText))
    }
  })

  it('keep their ports over a restart, and shut down in good order', async () => {
    const before = tcpAddress(ada.ready)
    await ada.end()
    await ada.up()
    expect(tcpAddress(ada.ready)).to.equal(before)
    expect((await ada.cli('down')).code).to.equal(0)
    const status = await ada.cli('status')
    expect(status.json).to.include({ running: false, outbox: 0 })
  })
})
