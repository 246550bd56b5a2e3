import { chmodSync, existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { Readable } from 'node:stream'
import { expect } from 'chai'
import { runCli } from '../../packages/node/src/cli/run.ts'
import { openNode } from '../../packages/node/src/create-node.ts'
import { readPorts, rememberPorts, withKnownPorts } from '../../packages/node/src/home/listen-ports.ts'
import { homePaths } from '../../packages/node/src/home/paths.ts'
import type { OpenOptions } from '../../packages/node/src/node-handle.ts'
import { temporaryFolder } from '../support/folder.ts'

type Json = Record<string, unknown> & { readonly error?: { readonly code: string } }

describe('node: a real home', () => {
  let folder: ReturnType<typeof temporaryFolder>
  let home: string
  let env: NodeJS.ProcessEnv

  beforeEach(() => {
    folder = temporaryFolder()
    home = `${folder.path}/home`
    env = {}
  })
  afterEach(() => folder.remove())

  async function run(...args: readonly string[]): Promise<{ code: number; json: Json; err: string }> {
    let [out, err] = ['', '']
    const io = {
      env: { XDG_RUNTIME_DIR: folder.path, ...env },
      stdin: Readable.from([]),
      stdinIsTerminal: false,
      stdoutIsTerminal: false,
      out: (text: string) => void (out += text),
      err: (text: string) => void (err += text),
      interrupted: new AbortController().signal,
    }
    const code = await runCli(['--home', home, '--json', '--no-input', ...args], io, { openNode })
    return { code, json: JSON.parse(out === '' ? 'null' : out) as Json, err }
  }

  const options = (): OpenOptions => ({
    paths: homePaths(home, {}),
    network: null,
    passphrase: async () => undefined,
    clockOffsetMs: 0,
  })
  const failure = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'none',
      (error: unknown) => (error as { code: string }).code,
    )

  it('keeps its account, settings and invites from one command to the next', async () => {
    const made = await run('init', '--name', 'Ada')
    expect(made.code, made.err).to.equal(0)
    expect(made.json['accountId']).to.match(/^[a-z2-7]{52}$/)
    expect((await run('init', '--name', 'Eve')).json.error?.code).to.equal('E_ALREADY_INITIALISED')
    const status = await run('status')
    expect(status.json).to.include({
      running: false,
      accountId: made.json['accountId'],
      keyProtection: 'file',
    })
    expect((await run('config', 'set', 'read-receipts', 'on')).json).to.deep.equal({ readReceipts: true })
    expect((await run('config', 'get')).json).to.deep.equal({
      name: 'Ada',
      deviceName: '',
      readReceipts: true,
      previews: false,
    })
    const words = (await run('recovery', 'words')).json['words'] as string[]
    expect(words).to.have.length(24)
    expect((await run('contacts', 'list')).json).to.deep.equal([])
    expect((await run('history', 'nobody')).code).to.equal(6)
    expect((await run('wipe', '--yes')).code).to.equal(0)
    expect(existsSync(home)).to.equal(false)
  })

  it('is open in one place at a time, and free again however that ended', async () => {
    await run('init', '--name', 'Ada')
    const first = await openNode(options())
    expect(await failure(openNode(options()))).to.equal('E_HOME_LOCKED')
    const status = await run('status')
    expect([status.code, status.json.error?.code]).to.deep.equal([7, 'E_HOME_LOCKED'])
    await first.stop()
    expect((await run('status')).code).to.equal(0)
  })

  it('sealed under a passphrase opens with it alone, and says so', async () => {
    const [right, wrong] = [`${folder.path}/right`, `${folder.path}/wrong`]
    writeFileSync(right, 'open sesame\n')
    writeFileSync(wrong, 'sesame open\n')
    expect((await run('init', '--name', 'Ada', '--passphrase-file', right)).code).to.equal(0)
    expect((await run('status', '--passphrase-file', right)).json).to.include({ keyProtection: 'passphrase' })
    const refused = await run('status', '--passphrase-file', wrong)
    expect([refused.code, refused.json.error?.code]).to.deep.equal([1, 'E_PASSPHRASE_WRONG'])
    const needed = await run('status')
    expect([needed.code, needed.json.error?.code]).to.deep.equal([2, 'E_PASSPHRASE_NEEDED'])
    expect((await run('status', '--passphrase-file', right)).code).to.equal(0)
  }).timeout(30_000)

  it('of a newer format, of other permissions or with a foreign key is refused and left as it was', async () => {
    await run('init', '--name', 'Ada')
    const paths = homePaths(home, {})
    const before = readFileSync(paths.format, 'utf8')
    writeFileSync(paths.format, 'sotto-home 2\n')
    const newer = await run('status')
    expect([newer.code, newer.json.error?.code]).to.deep.equal([9, 'E_STORE_NEWER'])
    writeFileSync(paths.format, before)
    chmodSync(paths.key, 0o644)
    const open = await run('status')
    expect([open.code, open.json.error?.code]).to.deep.equal([9, 'E_KEY_PERMISSIONS'])
    chmodSync(paths.key, 0o600)
    const key = readFileSync(paths.key, 'utf8')
    writeFileSync(paths.key, key.replace(/"key":"...../, '"key":"AAAAA'))
    const foreign = await run('status')
    expect(foreign.code, JSON.stringify(foreign.json)).to.equal(9)
    expect(foreign.json.error?.code).to.match(/^E_(STORE|KEY)_/)
    writeFileSync(paths.key, key)
    expect((await run('status')).code).to.equal(0)
  })

  it('whose store is rubbish is named as such', async () => {
    await run('init', '--name', 'Ada')
    const { store } = homePaths(home, {})
    for (const name of readdirSync(store))
      if (/\.(log|ldb)$|^MANIFEST/.test(name)) writeFileSync(`${store}/${name}`, 'rubbish')
    const status = await run('status')
    expect(status.code).to.equal(9)
    expect(status.json.error?.code).to.match(/^E_STORE_/)
  })

  it('warns of a clock that is off by years and goes on', async () => {
    await run('init', '--name', 'Ada')
    env = { SOTTO_CLOCK_OFFSET_MS: String(10 * 365 * 86_400_000) }
    const status = await run('status')
    expect(status.code).to.equal(0)
    expect((status.json['warnings'] as { code: string }[]).map(({ code }) => code)).to.include('E_CLOCK')
  })

  it('holds no name, text or recovery word in clear', async () => {
    await run('init', '--name', 'Planted-Name')
    const [word] = (await run('recovery', 'words')).json['words'] as string[]
    const { store } = homePaths(home, {})
    const bytes = Buffer.concat(readdirSync(store).map((name) => readFileSync(`${store}/${name}`)))
    expect(bytes.length).to.be.greaterThan(1_000)
    expect(bytes.includes('Planted-Name')).to.equal(false)
    expect(bytes.includes(` ${word ?? ''} `)).to.equal(false)
  })

  it('listens where it listened before, unless somebody else does now', async () => {
    const file = `${folder.path}/ports.json`
    const open = ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws', '/ip4/127.0.0.1/tcp/7777']
    expect(await withKnownPorts(open, readPorts(file))).to.deep.equal(open)
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as { port: number }
    const free = createServer()
    await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve))
    const freePort = (free.address() as { port: number }).port
    await new Promise((resolve) => free.close(resolve))
    const bound = [
      `/ip4/127.0.0.1/tcp/${port}/p2p/x`,
      `/ip4/127.0.0.1/tcp/${freePort}/ws/p2p/x`,
      '/ip4/127.0.0.1/tcp/1/p2p/r/p2p-circuit',
    ]
    rememberPorts(file, open, bound)
    expect(readPorts(file)).to.deep.equal({ tcp: port, ws: freePort })
    expect(await withKnownPorts(open, readPorts(file))).to.deep.equal([
      open[0],
      `/ip4/127.0.0.1/tcp/${freePort}/ws`,
      open[2],
    ])
    await new Promise((resolve) => taken.close(resolve))
    rememberPorts(file, ['/ip4/127.0.0.1/tcp/7777'], ['/ip4/127.0.0.1/tcp/7777/p2p/x'])
    expect(readPorts(file)).to.deep.equal({ tcp: port, ws: freePort })
    writeFileSync(file, 'rubbish')
    expect(readPorts(file)).to.deep.equal({})
  })
})
