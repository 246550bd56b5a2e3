import { expect } from 'chai'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  bundle,
  launchProfile,
  needBrowser,
  serveFiles,
  type BrowserContext,
  type Page,
  type Served,
} from '../../support/browser.ts'
import { storeChecks } from '../../support/store-compliance.ts'

interface Sotto {
  check(index: number): Promise<string | undefined>
  writeForever(name: string, progress: (done: number) => void): Promise<void>
  show(name: string): Promise<{ doubt: string | null; boot: number; values: string[] }>
  wrapping(): Promise<Record<string, unknown>>
  idbStoreLeft(name: string): Promise<string>
}
declare const sotto: Sotto

describe('IndexedDB store, in Chromium', function () {
  this.timeout(120_000)
  let profile: string
  let served: Served
  let context: BrowserContext

  async function newPage(): Promise<Page> {
    const page = await context.newPage()
    await page.goto(`${served.url}/`)
    await page.waitForFunction(() => 'sotto' in globalThis)
    return page
  }

  before(async function () {
    needBrowser(this)
    profile = await mkdtemp(join(tmpdir(), 'sotto-idb-'))
    const script = await bundle(new URL('page.ts', import.meta.url))
    served = await serveFiles({
      '/index.html': '<script type="module" src="/page.js"></script>',
      '/page.js': script,
    })
    context = await launchProfile(profile)
  })
  after(async () => {
    await (context as BrowserContext | undefined)?.close()
    await (served as Served | undefined)?.close()
    await rm(profile, { recursive: true, force: true })
  })

  it('keeps every promise of a Store', async () => {
    const page = await newPage()
    for (const [index, { title }] of storeChecks.entries())
      expect(await page.evaluate((i) => sotto.check(i), index), title).to.equal(undefined)
    await page.close()
  })

  it('wraps a key so that only this origin of this profile opens it', async () => {
    const page = await newPage()
    expect(await page.evaluate(() => sotto.wrapping())).to.deep.equal({
      same: true,
      otherHome: undefined,
      flipped: undefined,
      fresh: true,
      plain: false,
    })
    await page.close()
  })

  it('loses no durable commit and tears none when the renderer is killed', async () => {
    for (let kill = 0; kill < 3; kill++) {
      const page = await newPage()
      let done = 0
      const enough = new Promise<void>((resolve) => {
        void page.exposeFunction('progress', (count: number) => {
          done = count
          if (count === 10 + 7 * kill) resolve()
        })
      })
      await page.waitForFunction(() => 'progress' in globalThis)
      void page
        .evaluate(() =>
          sotto.writeForever('killed', (globalThis as unknown as { progress: (n: number) => void }).progress),
        )
        .catch(() => undefined)
      await enough
      const crashed = page.waitForEvent('crash')
      void page.goto('chrome://crash').catch(() => undefined)
      await crashed
      await page.close()
      const next = await newPage()
      const { doubt, boot, values } = await next.evaluate(() => sotto.show('killed'))
      await next.close()
      expect(values).to.have.length(1)
      expect(Number(values[0]?.split(' ')[1])).to.be.at.least(done)
      expect(doubt).to.equal('unclean')
      expect(boot).to.equal(2 * kill + 2)
    }
  })

  it('tells what is left of a store', async () => {
    const page = await newPage()
    const left = (name: string): Promise<string> => page.evaluate((n) => sotto.idbStoreLeft(n), name)
    expect(await left('never')).to.equal('none')
    await page.evaluate(() => sotto.show('evicted'))
    expect(await left('evicted')).to.equal('whole')
    await page.evaluate(
      () =>
        new Promise((resolve) => (indexedDB.deleteDatabase('evicted').onsuccess = () => resolve(undefined))),
    )
    expect(await left('evicted')).to.equal('mark-only')
    expect((await page.evaluate(() => sotto.show('evicted'))).doubt).to.equal('wiped')
    await page.close()
  })
})
