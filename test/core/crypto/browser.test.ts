import { expect } from 'chai'
import {
  bundle,
  launchBrowser,
  needBrowser,
  serveFiles,
  watchPage,
  type Browser,
  type Served,
} from '../../support/browser.ts'
import { readVectors } from '../../support/vectors.ts'
import type { EdgeCase, Report } from './browser/worker.ts'

/** Starts the worker through the one Trusted Types policy for script addresses and waits for its answer. */
const page = `
const policy = trustedTypes.createPolicy('sotto-script', { createScriptURL: (url) => url })
const worker = new Worker(policy.createScriptURL('/worker.js'), { type: 'module' })
globalThis.ask = (question) => new Promise((resolve, reject) => {
  worker.onmessage = ({ data }) => resolve(data)
  worker.onerror = ({ message }) => reject(new Error(message))
  worker.postMessage(question)
})`

describe('browser provider in Chromium', () => {
  let browser: Browser | undefined
  let served: Served | undefined

  before(async function () {
    needBrowser(this)
    served = await serveFiles({
      '/index.html': '<!doctype html><title>crypto</title><script type="module" src="/page.js"></script>',
      '/favicon.ico': '',
      '/page.js': page,
      '/worker.js': await bundle(new URL('./browser/worker.ts', import.meta.url)),
    })
    browser = await launchBrowser()
  })

  after(async () => {
    await browser?.close()
    await served?.close()
  })

  /** Asks a fresh tab; whatever the tab complains about is a failure too. */
  async function ask(cases: readonly EdgeCase[], rounds: number): Promise<[Report, Report]> {
    const tab = await browser!.newPage()
    const complaints = watchPage(tab)
    await tab.goto(`${served!.url}/`)
    await tab.waitForFunction('globalThis.ask !== undefined')
    const reports = await tab.evaluate(
      (question) => (globalThis as unknown as { ask(q: unknown): Promise<[Report, Report]> }).ask(question),
      { cases, rounds },
    )
    expect(complaints).to.deep.equal([])
    return reports
  }

  it('answers as noble does, in a module worker under the shipped policy', async () => {
    const [, differential] = await ask([], 40)
    expect(differential).to.deep.equal({ asked: 681, wrong: [] })
  })

  it('3: gives the Ed25519 edge cases their verdict', async function () {
    const { cases } = readVectors<{ cases: EdgeCase[] }>(this, 'ed25519-edges.json')
    const [edges] = await ask(cases, 0)
    expect(edges).to.deep.equal({ asked: 1166, wrong: [] })
  })
})
