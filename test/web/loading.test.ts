import { expect } from 'chai'
import { launchBrowser, needBrowser, type Browser } from '../support/browser.ts'
import { servePage } from '../support/page-server.ts'
import { begin, buildApp, newProfile } from '../support/tabs.ts'

describe('what a tab loads, and when', function () {
  this.timeout(120_000)
  let browser: Browser | undefined

  before(async function () {
    needBrowser(this)
    await buildApp()
    browser = await launchBrowser()
  })
  after(async () => {
    await browser?.close()
  })

  it('the library of shared documents comes with the first group, once, under the policy', async () => {
    const served = await servePage()
    const profile = await newProfile(browser!, served.url)
    try {
      const asked: string[] = []
      profile.context.on('request', (request) => asked.push(new URL(request.url()).pathname))
      const documents = (): readonly string[] => asked.filter((path) => /automerge.*\.wasm$/.test(path))
      const page = await profile.tab(served.url)
      await begin(page, 'Ada')
      await page.getByRole('button', { name: 'New group' }).click()
      await page.getByLabel('Name of the group').fill('Lake')
      expect(documents()).to.deep.equal([])
      await page.keyboard.press('Enter')
      await page.getByRole('main', { name: 'Lake' }).waitFor()
      expect(documents().length).to.equal(1)
      await page.getByRole('button', { name: 'About this group' }).click()
      await page.getByRole('dialog', { name: 'Lake' }).getByLabel('Name', { exact: true }).fill('Sea')
      await page.getByRole('button', { name: 'Rename' }).click()
      await page.getByRole('main', { name: 'Sea', includeHidden: true }).waitFor()
      expect(documents().length).to.equal(1)
      expect(profile.complaints).to.deep.equal([])
    } finally {
      await profile.context.close()
      await served.close()
    }
  })
})
