import { expect } from 'chai'
import { launchBrowser, needBrowser, type Browser } from '../support/browser.ts'
import { begin, buildApp, inviteLink, needWebRtc, newProfile, write } from '../support/tabs.ts'
import { startProcess, temporary, type RelayProcess } from '../relay/support.ts'

describe('two tabs talk', function () {
  this.timeout(120_000)
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

  it('from an invite to a conversation that goes on over WebRTC after the relay is killed', async () => {
    const { http } = relay!.ready
    const [ada, bob] = [await newProfile(browser!, http), await newProfile(browser!, http)]
    const adaTab = await ada.tab(http)
    await begin(adaTab, 'Ada')
    const link = await inviteLink(adaTab)
    expect(link).to.match(/^http:\/\/127\.0\.0\.1:\d+\/i#[\w-]{64}$/)

    const bobTab = await bob.tab(link)
    await bobTab.getByRole('heading', { name: 'Someone invites you' }).waitFor()
    await begin(bobTab, 'Bob', 'Join the conversation')
    await bobTab.getByRole('main', { name: 'Ada' }).waitFor()
    await write(bobTab, 'Hello Ada')
    await adaTab.getByRole('grid').getByText('Bob').click()
    await adaTab.getByRole('log').getByText('Hello Ada').waitFor()
    await write(adaTab, 'Hello Bob')
    await bobTab.getByRole('log').getByText('Hello Bob').waitFor()
    await bobTab.getByRole('img', { name: 'Reached all their devices' }).first().waitFor()
    expect([...ada.complaints, ...bob.complaints]).to.deep.equal([])

    await relay!.end('SIGKILL')
    await write(adaTab, 'The relay is gone')
    await bobTab.getByRole('log').getByText('The relay is gone').waitFor()
    await write(bobTab, 'And we go on')
    await adaTab.getByRole('log').getByText('And we go on').waitFor()
  })
})
