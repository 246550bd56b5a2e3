import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import type { CryptoProvider } from '@sotto/core/crypto'
import { createNodeProvider } from '@sotto/core/crypto-node'
import { ensureFormat, homeFormat, readFormat } from '../../packages/node/src/home/format.ts'
import { keyProtection, loadKey } from '../../packages/node/src/home/key-file.ts'
import { FakeCli } from '../support/cli.ts'
import { temporaryFolder } from '../support/folder.ts'

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
const failure = (work: Promise<unknown>): Promise<string | undefined> =>
  work.then(
    () => undefined,
    (error: unknown) => (error as { code?: string }).code,
  )

describe('node: key file', () => {
  let crypto: CryptoProvider
  let folder: ReturnType<typeof temporaryFolder>
  let path: string

  before(async () => {
    crypto = await createNodeProvider()
  })
  beforeEach(() => {
    folder = temporaryFolder()
    path = `${folder.path}/key.json`
  })
  afterEach(() => folder.remove())

  const load = (passphrase?: string) => loadKey(path, { crypto, random, passphrase: async () => passphrase })
  const edit = (change: (file: Record<string, unknown>) => object) =>
    writeFileSync(
      path,
      JSON.stringify(change(JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>)),
    )

  it('without a passphrase keeps the key in a file for this user alone', async () => {
    const key = await load()
    expect(key.length).to.equal(32)
    expect(statSync(path).mode & 0o777).to.equal(0o600)
    expect(keyProtection(path)).to.equal('file')
    expect((await load()).expose()).to.deep.equal(key.expose())
    expect(readdirSync(folder.path)).to.deep.equal(['key.json'])
  })

  it('refuses a key that others can read', async () => {
    await load()
    for (const mode of [0o640, 0o604, 0o660, 0o666, 0o611]) {
      chmodSync(path, mode)
      expect(await failure(load()), mode.toString(8)).to.equal('E_KEY_PERMISSIONS')
    }
    chmodSync(path, 0o400)
    expect(await failure(load())).to.equal(undefined)
  })

  it('with a passphrase keeps it sealed, and opens with that one only', async () => {
    const key = await load('correct horse \u00e9')
    expect(keyProtection(path)).to.equal('passphrase')
    const text = readFileSync(path, 'utf8')
    expect(text).not.to.include(Buffer.from(key.expose()).toString('base64url'))
    expect(JSON.parse(text)).to.include({ memoryKiB: 65_536, passes: 3 })
    expect((await load('correct horse e\u0301')).expose()).to.deep.equal(key.expose())
    expect(await failure(load('correct horse'))).to.equal('E_PASSPHRASE_WRONG')
    expect(await failure(load())).to.equal('E_PASSPHRASE_NEEDED')
    expect(readFileSync(path, 'utf8')).to.equal(text)
  }).timeout(30_000)

  it('120 refuses a cost below the floor or above the ceiling before spending it', async () => {
    await load('x')
    for (const cost of [
      { memoryKiB: 8 },
      { memoryKiB: 67_108_864 },
      { passes: 1 },
      { passes: 1_000_000 },
      { memoryKiB: -1 },
    ]) {
      edit((file) => ({ ...file, memoryKiB: 65_536, passes: 3, ...cost }))
      let spent = 0
      const counted = {
        ...crypto,
        seal: crypto.seal.bind(crypto),
        open: crypto.open.bind(crypto),
        argon2id: () => {
          spent += 1
          return new Uint8Array(32)
        },
      }
      const opened = loadKey(path, { crypto: counted, random, passphrase: async () => 'x' })
      expect(await failure(opened), JSON.stringify(cost)).to.equal('E_KEY_COST')
      expect(spent).to.equal(0)
    }
    edit((file) => ({ ...file, memoryKiB: 32_768, passes: 2 }))
    expect(await failure(load('x'))).to.equal('E_PASSPHRASE_WRONG')
  }).timeout(30_000)

  it('refuses a damaged file and keeps it', async () => {
    await load()
    const whole = readFileSync(path, 'utf8')
    for (const text of [
      '',
      '{}',
      whole.slice(0, 40),
      whole.replace('"version":1', '"version":2'),
      whole.replace(/"key":"..../, '"key":"'),
      '[]',
    ]) {
      writeFileSync(path, text)
      expect(await failure(load()), text).to.equal('E_KEY_DAMAGED')
      expect(readFileSync(path, 'utf8')).to.equal(text)
    }
    writeFileSync(path, 'x'.repeat(5_000))
    expect(await failure(load())).to.equal('E_HOME_DAMAGED')
  })

  it('makes one key when two processes begin at once', async () => {
    const keys = await Promise.all([load(), load(), load()])
    expect(new Set(keys.map((key) => Buffer.from(key.expose()).toString('hex'))).size).to.equal(1)
  })
})

describe('node: home format', () => {
  let folder: ReturnType<typeof temporaryFolder>
  beforeEach(() => (folder = temporaryFolder()))
  afterEach(() => folder.remove())

  it('is written once, read again, and refused when newer or unreadable', () => {
    const path = `${folder.path}/format`
    expect(readFormat(path)).to.equal(undefined)
    ensureFormat(path)
    ensureFormat(path)
    expect(readFormat(path)).to.equal(homeFormat)
    writeFileSync(path, `sotto-home ${homeFormat + 1}\n`)
    expect(() => ensureFormat(path))
      .to.throw()
      .with.property('code', 'E_STORE_NEWER')
    for (const text of ['', 'sotto-home x\n', 'sotto-home 1', 'other 1\n']) {
      writeFileSync(path, text)
      expect(() => ensureFormat(path), text)
        .to.throw()
        .with.property('code', 'E_HOME_DAMAGED')
    }
  })

  it('leaves other files of the folder alone when the home is erased', async () => {
    const cli = new FakeCli('Ada')
    mkdirSync(`${cli.home}/store`)
    writeFileSync(`${cli.home}/store/x`, '')
    writeFileSync(`${cli.home}/letter.txt`, 'mine')
    expect((await cli.run(['wipe', '--yes'])).code).to.equal(0)
    expect(readdirSync(cli.home)).to.deep.equal(['letter.txt'])
    const bare = new FakeCli('Ada')
    await bare.run(['wipe', '--yes'])
    expect(existsSync(bare.home)).to.equal(false)
    cli.folder.remove()
  })

  it('takes a passphrase from a file, and never one that is empty or too long', async () => {
    const cli = new FakeCli()
    const path = `${cli.home}/pass`
    const asked: (string | undefined)[] = []
    const run = async () => {
      const ran = await cli.run(['init', '--name', 'Ada', '--passphrase-file', path, '--json'])
      const opened = cli.opened.at(-1)
      const given =
        opened === undefined
          ? undefined
          : await failure(opened.passphrase('new').then((value) => asked.push(value)))
      return { ran, given }
    }
    writeFileSync(path, 'open sesame\nsecond line\n')
    await run()
    expect(asked).to.deep.equal(['open sesame'])
    for (const text of ['', '\n', 'x'.repeat(2_000)]) {
      writeFileSync(path, text)
      expect((await run()).given).to.equal('E_PASSPHRASE_FILE')
    }
    cli.folder.remove()
  })
})
