import { expect } from 'chai'
import { launchBrowser, needBrowser, type Browser } from '../support/browser.ts'
import { begin, buildApp, needWebRtc, newProfile, write } from '../support/tabs.ts'
import { startProcess, temporary, type RelayProcess } from '../relay/support.ts'

describe('two tabs as devices of one account', function () {
  this.timeout(180_000)
  let browser: Browser | undefined
  let relay: RelayProcess | undefined
  let home: Awaited<ReturnType<typeof temporary>> | undefined

  before(async function () {
    needBrowser(this)
    needWebRtc(this)
    await buildApp()
    home = await temporary()
    relay = await startProcess(home.path)
    browser = await launchBrowser()
  })
  after(async () => {
    await browser?.close()
    await relay?.end('SIGKILL')
    await home?.after()
  })

  it('linked by a link and six pictures, they share notes, and one puts the other out', async () => {
    const { http } = relay!.ready
    const [old, fresh] = [await newProfile(browser!, http), await newProfile(browser!, http)]
    await fresh.context.grantPermissions(['clipboard-read', 'clipboard-write'])
    const oldTab = await old.tab(http)
    await begin(oldTab, 'Ada')
    await oldTab.getByRole('button', { name: /Connection details/ }).click()
    await oldTab.getByRole('dialog').getByText('connected', { exact: true }).waitFor()
    await oldTab.keyboard.press('Escape')
    await oldTab.getByRole('row', { name: 'Notes to self' }).click()
    await write(oldTab, 'Buy oars')

    const newTab = await fresh.tab(http)
    await newTab.getByRole('button', { name: 'I have Sotto on another device' }).click()
    await newTab.getByLabel('Name of this device').fill('Tablet')
    await newTab.getByRole('button', { name: 'Show the code' }).click()
    await newTab.getByRole('button', { name: 'Copy link' }).click()
    await newTab.getByText('Copied').waitFor()
    const link = await newTab.evaluate(() => navigator.clipboard.readText())
    expect(link).to.match(/^sotto:l#[\w-]+$/)

    await oldTab.getByRole('button', { name: 'Your devices' }).click()
    await oldTab.getByRole('button', { name: 'Link another device' }).click()
    await oldTab.getByLabel('Code or link of the new device').fill(link)
    // A device that has just started is given time to be reachable.
    const same = oldTab.getByRole('button', { name: 'They are the same' })
    for (let left = 8; left > 0 && (await same.count()) === 0; left -= 1) {
      await oldTab.getByRole('button', { name: 'Find the device' }).click()
      const failed = oldTab.getByRole('dialog').locator('[slot=errorMessage]')
      await same.or(failed).first().waitFor()
      if ((await same.count()) === 0) await oldTab.waitForTimeout(1000)
    }
    const pictures = async (tab: typeof oldTab): Promise<readonly string[]> => {
      await tab.getByRole('button', { name: 'They are the same' }).waitFor()
      return tab.getByRole('list', { name: 'Six emoji' }).getByRole('listitem').allInnerTexts()
    }
    const seen = await pictures(oldTab)
    expect(seen).to.have.length(6)
    expect(await pictures(newTab)).to.deep.equal(seen)
    await oldTab.getByRole('button', { name: 'They are the same' }).click()
    await newTab.getByRole('button', { name: 'They are the same' }).click()
    await oldTab.getByText('Tablet is linked.').waitFor()
    await newTab.getByRole('row', { name: 'Notes to self' }).click()
    await newTab.getByRole('log').getByText('Buy oars').waitFor()
    await write(newTab, 'Bought')
    await oldTab.getByRole('button', { name: 'Done' }).click()
    await oldTab.getByRole('button', { name: 'Remove Tablet' }).waitFor()
    await oldTab.keyboard.press('Escape')
    await oldTab.getByRole('log').getByText('Bought').waitFor()
    expect([...old.complaints, ...fresh.complaints]).to.deep.equal([])

    await oldTab.getByRole('button', { name: 'Your devices' }).click()
    await oldTab.getByRole('button', { name: 'Remove Tablet' }).click()
    await oldTab.getByRole('button', { name: 'Remove this device' }).click()
    await oldTab.getByText(/^Tablet was removed\./).waitFor()
    await oldTab.getByText('1 earlier device').waitFor()
    expect(old.complaints).to.deep.equal([])
  })
})
