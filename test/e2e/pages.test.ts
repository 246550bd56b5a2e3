import { expect } from 'chai'
import { launchBrowser, needBrowser, type Browser } from '../support/browser.ts'
import { temporaryFolder } from '../support/folder.ts'
import { RealNode, spawnSotto, type Spawned } from '../support/real-node.ts'
import { begin, buildApp, newProfile, write, type Profile } from '../support/tabs.ts'

describe('pages and nodes', function () {
  this.timeout(120_000)
  const folder = temporaryFolder()
  const [ada, bob] = ['ada', 'bob'].map((name) => new RealNode(`${folder.path}/${name}`)) as [
    RealNode,
    RealNode,
  ]
  let browser: Browser
  let relay: Spawned
  const profiles: Profile[] = []

  before(async function () {
    needBrowser(this)
    await buildApp()
    const listen = ['--listen', '/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws', '--http', '127.0.0.1:0']
    relay = await spawnSotto('relay', [
      'run',
      '--data',
      `${folder.path}/relay`,
      ...listen,
      '--log',
      `${folder.path}/log`,
    ])
    browser = await launchBrowser()
  })

  after(async () => {
    await (browser as Browser | undefined)?.close()
    await Promise.all([ada.end(), bob.end(), (relay as Spawned | undefined)?.end('SIGTERM')])
    folder.remove()
  })

  const relayAddress = () =>
    (relay.ready['listen'] as readonly string[]).find((address) => /\/tcp\/\d+\/p2p\//.test(address)) ?? ''

  async function connected(node: RealNode): Promise<void> {
    await node.until(async () => (await node.face.view('relays', {}))[0]?.state === 'connected')
  }

  it('the page a node serves is the face of that node', async () => {
    await Promise.all([
      ada.begin('Ada', '--relay', relayAddress()),
      bob.begin('Bob', '--relay', relayAddress()),
    ])
    await Promise.all([connected(ada), connected(bob)])
    const { link } = await ada.face.dispatch('create-invite', {})
    expect((await bob.cli('add', link)).code).to.equal(0)
    await ada.until(async () => (await ada.face.view('contacts', {}))[0]?.state === 'connected')
    const app = ada.ready['app'] as string
    const profile = await newProfile(browser, new URL(app).origin)
    profiles.push(profile)
    const page = await profile.tab(app)
    expect(new URL(page.url()).pathname).to.equal('/')
    await page.getByRole('grid').getByText('Bob').click()
    await write(page, 'from the page')
    await bob.until(async () => {
      const [contact] = await bob.face.view('contacts', {})
      const { messages } = await bob.face.view('history', { conversationId: contact?.conversationId ?? '' })
      return messages.some(({ text }) => text === 'from the page')
    })
    expect((await bob.cli('send', 'Ada', 'from the terminal')).code).to.equal(0)
    await page.getByRole('log').getByText('from the terminal').waitFor()
    expect(await page.evaluate(() => indexedDB.databases().then((list) => list.length))).to.equal(0)
    expect(profile.complaints).to.deep.equal([])
    const again = await profile.context.newPage()
    expect((await again.goto(app))?.status()).to.equal(403)
  })

  it('a tab and a node meet by the node’s link and talk', async () => {
    const http = relay.ready['http'] as string
    const { link } = await ada.face.dispatch('create-invite', {})
    expect(link.startsWith(`${http}/i#`), link).to.equal(true)
    const profile = await newProfile(browser, new URL(http).origin)
    profiles.push(profile)
    const page = await profile.tab(link)
    await begin(page, 'Cleo', 'Join the conversation')
    await page.getByRole('main', { name: 'Ada' }).waitFor()
    await write(page, 'hello from a tab')
    await ada.until(async () => (await ada.face.view('contacts', {})).some(({ name }) => name === 'Cleo'))
    expect(
      (await ada.cli('send', 'Cleo', 'hello from a node', '--wait', 'device', '--timeout', '30s')).code,
    ).to.equal(0)
    await page.getByRole('log').getByText('hello from a node').waitFor()
    const history = (await ada.cli('history', 'Cleo')).json as { text: string; author: { me: boolean } }[]
    expect(history.map(({ text, author }) => [text, author.me])).to.have.deep.members([
      ['hello from a tab', false],
      ['hello from a node', true],
    ])
    expect(profile.complaints).to.deep.equal([])
  })
})
