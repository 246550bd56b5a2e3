import { readFileSync, readdirSync } from 'node:fs'
import { expect } from 'chai'
import type { DeliveryState } from '@sotto/core'
import { temporaryFolder } from '../support/folder.ts'
import { RealNode, spawnSotto, tcpAddress } from '../support/real-node.ts'
import type { Spawned } from '../support/real-node.ts'

/** Every byte of the files below a folder. */
function bytesBelow(folder: string): Buffer {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )
  return Buffer.concat(files.map((entry) => readFileSync(`${entry.parentPath}/${entry.name}`)))
}

describe('two nodes that are never online together talk through a relay', function () {
  this.timeout(90_000)
  const folder = temporaryFolder()
  const [ada, bob, eve] = ['ada', 'bob', 'eve'].map((name) => new RealNode(`${folder.path}/${name}`)) as [
    RealNode,
    RealNode,
    RealNode,
  ]
  const relayFolder = `${folder.path}/relay`
  let relay: Spawned
  let use: string[]
  let link = ''
  let conversation = ''
  let accounts: string[] = []
  const count = 100
  const secret = 'planted-text'

  before(async () => {
    relay = await spawnSotto('relay', [
      'run',
      '--data',
      relayFolder,
      '--listen',
      '/ip4/127.0.0.1/tcp/0',
      '--http',
      '127.0.0.1:0',
      '--log',
      `${folder.path}/relay.log`,
    ])
    use = ['--relay', tcpAddress(relay.ready)]
  })

  after(async () => {
    await Promise.all([ada, bob, eve].map((node) => node.end()))
    await relay.end('SIGTERM')
    folder.remove()
  })

  /** Sends lines in order; resolves with their ids. */
  async function write(node: RealNode, lines: readonly string[]): Promise<string[]> {
    const ids: string[] = []
    for (const text of lines)
      ids.push((await node.face.dispatch('send', { conversationId: conversation, text })).messageId)
    return ids
  }
  /** Empty while the conversation has not arrived. */
  const historyOf = async (node: RealNode) => {
    const known = (await node.face.view('contacts', {})).some(
      ({ conversationId }) => conversationId === conversation,
    )
    return known ? node.history(conversation) : []
  }
  const lines = (name: string) => Array.from({ length: count }, (_, at) => `${secret} ${name} ${at}`)
  const has = (node: RealNode, total: number) =>
    node.until(async () => (await historyOf(node)).length === total)
  const states = async (node: RealNode, ids: readonly string[]): Promise<Set<DeliveryState | null>> =>
    new Set(
      (await node.history(conversation))
        .filter(({ messageId }) => ids.includes(messageId))
        .map(({ state }) => state),
    )

  it('an invite is opened while its maker is away', async () => {
    await ada.begin('Ada Planted-Name', ...use)
    await ada.until(async () => (await ada.face.view('relays', {}))[0]?.state === 'connected')
    link = await ada.inviteHeldBy('relay')
    expect(await ada.end()).to.equal(0)
    await bob.begin('Bob Planted-Name', ...use)
    const added = await bob.cli('add', link)
    expect(added.code, added.out).to.equal(0)
    expect(added.json).to.include({ name: 'Ada Planted-Name', state: 'pending' })
    conversation = (added.json as { conversationId: string }).conversationId
  })

  let fromBob: string[] = []
  let fromAda: string[] = []
  const receipts = (node: RealNode) => node.face.dispatch('set-setting', { key: 'readReceipts', value: 'on' })
  const read = (node: RealNode) => node.face.dispatch('mark-read', { conversationId: conversation })
  const allLeft = async (node: RealNode, ids: readonly string[]) => {
    await node.untilState(conversation, ids, ['relayed'])
    expect([...(await states(node, ids))]).to.deep.equal(['relayed'])
  }

  it('his first words are left for her, and hers for him', async () => {
    await receipts(bob)
    await allLeft(bob, await write(bob, [`${secret} hello`]))
    await bob.end()
    await ada.up()
    await has(ada, 1)
    await receipts(ada)
    await allLeft(ada, await write(ada, [`${secret} hello back`]))
    await ada.end()
  })

  it('he writes 100, she is away: all is left at the relay and the ladder says so', async () => {
    await bob.up()
    await has(bob, 2)
    fromBob = await write(bob, lines('bob'))
    await allLeft(bob, fromBob)
    await bob.end()
  })

  it('she reads and answers 100, he is away', async () => {
    await ada.up()
    await has(ada, 2 + count)
    await read(ada)
    fromAda = await write(ada, lines('ada'))
    await allLeft(ada, fromAda)
    await ada.end()
  })

  it('he comes back: her answers are there, his messages were read', async () => {
    await bob.up()
    await has(bob, 2 + 2 * count)
    await bob.untilState(conversation, fromBob, ['read'])
    await read(bob)
    await bob.end()
  })

  it('both online: her messages were read, and the histories are equal', async () => {
    await Promise.all([ada.up(), bob.up()])
    await ada.untilState(conversation, fromAda, ['read'])
    const [hers, his] = await Promise.all([ada.history(conversation), bob.history(conversation)])
    const shown = (messages: typeof hers) => messages.map(({ messageId, text }) => [messageId, text])
    expect(shown(hers)).to.deep.equal(shown(his))
    expect(new Set(hers.map(({ messageId }) => messageId)).size).to.equal(2 + 2 * count)
    for (const name of ['ada', 'bob']) {
      const own = hers.flatMap(({ text }) => (text?.includes(` ${name} `) === true ? [text] : []))
      expect(own).to.deep.equal(lines(name))
    }
    const self = await Promise.all([ada, bob].map((node) => node.face.view('self', {})))
    accounts = self.map((view) => view?.accountId ?? '')
  })

  it('a second use of the link is refused', async () => {
    await eve.begin('Eve', ...use)
    expect(await eve.addUsed(link)).to.equal('E_INVITE_USED')
    expect((await ada.face.view('contacts', {})).map(({ name }) => name)).to.deep.equal(['Bob Planted-Name'])
  })

  it('the relay has stored and logged nothing that names a person, a text or a conversation', async () => {
    await relay.end('SIGTERM')
    const bytes = Buffer.concat([bytesBelow(relayFolder), readFileSync(`${folder.path}/relay.log`)])
    expect(bytes.length).to.be.greaterThan(10_000)
    for (const planted of [secret, 'Planted-Name', conversation, ...accounts]) {
      expect(planted).not.to.equal('')
      expect(bytes.includes(planted), planted).to.equal(false)
    }
  })
})
