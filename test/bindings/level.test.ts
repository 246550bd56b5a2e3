import { expect } from 'chai'
import { ClassicLevel } from 'classic-level'
import fs from 'node:fs'
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createLevelStore,
  openLevelMailboxStore,
  openLevelStore,
} from '../../packages/core/bindings/level/index.ts'
import { liveTables } from '../../packages/core/bindings/level/live-tables.ts'
import { nobleProvider, Secret } from '../../packages/core/src/crypto/index.ts'
import { openSealedStore } from '../../packages/core/src/device/sealed-store.ts'
import { PortError } from '../../packages/core/src/errors.ts'
import { seededRandom } from '../../packages/core/src/memory/index.ts'
import { utf8 } from '../../packages/core/src/wire/index.ts'
import { mailboxStoreCompliance } from '../support/mailbox-store-compliance.ts'
import { storeCompliance } from '../support/store-compliance.ts'

const folder = (): Promise<string> => mkdtemp(join(tmpdir(), 'sotto-level-'))
const wipe = (path: string): Promise<void> => rm(path, { recursive: true, force: true })
const durable = { durable: true }

async function failure(work: Promise<unknown>): Promise<string> {
  try {
    await work
  } catch (error) {
    if (error instanceof PortError) return error.code
    throw error
  }
  return 'no failure'
}

storeCompliance('level', async () => {
  const home = await folder()
  const path = join(home, 'store')
  const store = await openLevelStore(path)
  const dispose = async (): Promise<void> => {
    await store.close()
    await wipe(home)
  }
  return { store, reopen: () => openLevelStore(path), dispose }
})

mailboxStoreCompliance('level', async () => {
  const home = await folder()
  const path = join(home, 'relay')
  const store = await openLevelMailboxStore(path)
  const dispose = async (): Promise<void> => {
    await store.close()
    await wipe(home)
  }
  return { store, reopen: () => openLevelMailboxStore(path), dispose }
})

/** Opens a home in another process and says what came of it. */
async function openElsewhere(path: string): Promise<string> {
  const door = new URL('../../packages/core/bindings/level/index.ts', import.meta.url).href
  const script = `import { openLevelStore } from ${JSON.stringify(door)}
    openLevelStore(${JSON.stringify(path)}).then(() => 'opened', (error) => error.code).then(console.log)`
  const child = spawn(process.execPath, [...process.execArgv, '--input-type=module', '--eval', script])
  let said = ''
  child.stdout.on('data', (data: Buffer) => (said += data.toString()))
  await new Promise((resolve) => child.on('close', resolve))
  return said.trim()
}

describe('level store', () => {
  let home: string
  let path: string
  beforeEach(async () => {
    home = await folder()
    path = join(home, 'store')
  })
  afterEach(() => wipe(home))

  it('is locked for a second process, and for a second opening in this one', async () => {
    const store = await openLevelStore(path)
    expect(await openElsewhere(path)).to.equal('E_STORE_LOCKED')
    expect(await failure(openLevelStore(path))).to.equal('E_STORE_LOCKED')
    await store.close()
    expect(await openElsewhere(path)).to.equal('opened')
  })

  it('holds no planted plaintext, neither key nor value nor table name', async () => {
    const below = await openLevelStore(path)
    const crypto = nobleProvider()
    const key = new Secret(new Uint8Array(32).fill(1))
    const store = await openSealedStore({
      crypto,
      store: below,
      random: seededRandom(crypto, '1'),
      key,
      nowMs: 1,
    })
    const table = { name: 'planted-table', kind: 'mutable' } as const
    for (let i = 0; i < 50; i++)
      await store.commit(
        [{ table, key: utf8(`planted-key-${i}`), value: utf8(`planted-value-${i}`) }],
        durable,
      )
    await store.close()
    for (const name of await readdir(home, { recursive: true })) {
      const bytes = await readFile(join(home, name)).catch(() => Buffer.alloc(0))
      expect(bytes.includes('planted'), name).to.equal(false)
    }
  })

  it('reads the older mark when the newer one was torn', async () => {
    const store = await openLevelStore(path)
    await store.writeMark(Uint8Array.of(1))
    await store.writeMark(Uint8Array.of(2))
    await store.close()
    const { open } = await import('node:fs/promises')
    const file = await open(`${path}.mark`, 'r+')
    await file.write(Uint8Array.of(255), 0, 1, 12)
    await file.close()
    const again = await openLevelStore(path)
    expect(await again.readMark()).to.deep.equal(Uint8Array.of(1))
    await again.close()
  })

  it('says E_STORE_FULL on a full disk, goes on reading, and writes again once there is room', async () => {
    const db = new ClassicLevel<Uint8Array, Uint8Array>(path, { keyEncoding: 'view', valueEncoding: 'view' })
    let room = true
    const write = db.batch.bind(db) as (...given: unknown[]) => Promise<void>
    const full = (): Promise<void> =>
      Promise.reject(new Error('IO error: 000005.log: No space left on device'))
    Object.assign(db, { batch: (...given: unknown[]) => (room ? write(...given) : full()) })
    const markFile = {
      read: async () => undefined,
      write: async () => undefined,
      close: async () => undefined,
    }
    const store = createLevelStore(db, { markFile, roomToReopen: async () => room })
    const put = (value: number) =>
      store.batch([{ type: 'put', key: Uint8Array.of(1), value: Uint8Array.of(value) }], durable)
    await put(1)
    room = false
    expect(await failure(put(2))).to.equal('E_STORE_FULL')
    expect(await failure(put(3))).to.equal('E_STORE_FULL')
    expect(await store.get(Uint8Array.of(1))).to.deep.equal(Uint8Array.of(1))
    room = true
    await put(4)
    expect(await store.get(Uint8Array.of(1))).to.deep.equal(Uint8Array.of(4))
    await store.close()
  })

  it('verifies its tables after a crash, and refuses a damaged one instead of crashing again', async () => {
    const store = await openLevelStore(path)
    const value = new Uint8Array(5_000).fill(7)
    for (let i = 0; i < 10; i++)
      await store.batch([{ type: 'put', key: Uint8Array.of(i), value }], { durable: false })
    await store.close()
    await (await openLevelStore(path, { verify: 'always' })).close()
    const names = (await readdir(path)).filter((name) => name.endsWith('.ldb'))
    expect(names).not.to.have.length(0)
    const file = join(path, names[0] ?? '')
    const bytes = await readFile(file)
    for (const at of [0, 2_500, bytes.length - 60, bytes.length - 30, bytes.length - 1]) {
      const rotten = Uint8Array.from(bytes)
      rotten[at] = (rotten[at] ?? 0) ^ 4
      await writeFile(file, rotten)
      // The footer is padded; a flip in the padding changes nothing.
      const expected = at === bytes.length - 30 ? 'no failure' : 'E_STORE_CORRUPT'
      expect(
        await failure(openLevelStore(path, { verify: 'always' }).then((opened) => opened.close())),
        String(at),
      ).to.equal(expected)
    }
    await writeFile(file, Uint8Array.from(bytes).fill(1, 100, 101))
    await writeFile(`${path}.open`, '')
    expect(await failure(openLevelStore(path))).to.equal('E_STORE_CORRUPT')
  })

  it('opens after a crash in the middle of writing a table, which nothing stands on yet', async () => {
    await (await openLevelStore(path)).close()
    // Keys this long stand whole in the manifest, whose records then go over its blocks' ends.
    const key = (n: number): Uint8Array => new Uint8Array(20_000).fill(n)
    const put = async (value: Uint8Array): Promise<void> => {
      const store = await openLevelStore(path)
      for (let n = 0; n < 40; n++)
        await store.batch([{ type: 'put', key: key(n), value }], { durable: false })
      await store.close()
    }
    for (let round = 0; round < 4; round++) await put(new Uint8Array(200_000).fill(round))
    const tables = async (): Promise<string[]> =>
      (await readdir(path)).filter((name) => name.endsWith('.ldb'))
    const whole = await tables()
    expect(whole.length).to.be.greaterThan(1)
    const bytes = await readFile(join(path, whole[0] ?? ''))
    await writeFile(join(path, '987654.ldb'), bytes.subarray(0, bytes.length / 2))
    await writeFile(`${path}.open`, '')
    await (await openLevelStore(path)).close()
    expect(await tables()).not.to.include('987654.ldb')

    // Each table it does stand on is still looked at, after compactions too; others may lie there, about to go.
    const live = await liveTables(fs, path)
    const standsOn = (await tables()).filter((name) => live.has(Number.parseInt(name, 10)))
    expect(standsOn).to.have.length(live.size)
    expect(standsOn.length).to.be.above(0)
    for (const name of standsOn) {
      const file = join(path, name)
      const kept = await readFile(file)
      await writeFile(file, Uint8Array.from(kept).fill((kept[9] ?? 0) ^ 1, 9, 10))
      await writeFile(`${path}.open`, '')
      expect(await failure(openLevelStore(path)), name).to.equal('E_STORE_CORRUPT')
      await writeFile(file, kept)
    }
  })

  it('gives damage of the database a code of its own', async () => {
    await (await openLevelStore(path)).close()
    await writeFile(join(path, 'CURRENT'), 'MANIFEST-999999\n')
    expect(await failure(openLevelStore(path))).to.be.oneOf(['E_STORE_CORRUPT', 'E_STORE_IO'])
  })
})
