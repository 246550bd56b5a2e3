import { expect } from 'chai'
import { launchBrowser, needBrowser, type Browser } from '../support/browser.ts'
import { busyWorld, conversation, freshWorld, message, type ScreenWorld } from '../support/screen-face.ts'
import { servePage } from '../support/page-server.ts'
import { strings } from '../../packages/web/src/ui/strings.ts'
import { look, showWorld, type Visit } from '../support/screen-look.ts'
import { begin, buildApp, newProfile } from '../support/tabs.ts'

/** A Worker whose device cannot start. */
const failingWorker = (code: string): string => `
  globalThis.Worker = class extends EventTarget {
    postMessage() {
      const data = { control: 'state', state: 'failed', code: '${code}' }
      setTimeout(() => this.dispatchEvent(new MessageEvent('message', { data })), 0)
    }
  }`

describe('every screen, dark and light, wide and narrow', function () {
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

  const show = (world: ScreenWorld, visit: Visit, path?: string): Promise<void> =>
    showWorld(browser!, world, visit, path)

  it('welcome, and the empty list behind it', async () => {
    await show(freshWorld(), async (page) => {
      await page.getByRole('heading', { name: 'Talk quietly' }).waitFor()
      await look(page, '01-welcome')
      await begin(page, 'Ada')
      await page.getByRole('heading', { name: 'No chats yet' }).waitFor()
      await look(page, '03-no-chats')
    })
  })

  it('an invite: before there is a name, looking, refused', async () => {
    await show(
      freshWorld(),
      async (page) => {
        await page.getByRole('heading', { name: 'Someone invites you' }).waitFor()
        await look(page, '02-invited')
        await begin(page, 'Ada', 'Join the conversation')
        await page.getByRole('heading', { name: 'This invitation did not work' }).waitFor()
        await look(page, '04-invite-refused')
        await page.getByRole('button', { name: 'Close' }).last().click()
        expect(new URL(page.url()).hash).to.equal('')
      },
      '/i#abc',
    )
  })

  it('an invite for somebody who talks already', async () => {
    await show(
      busyWorld(),
      async (page) => {
        await page.getByRole('button', { name: 'Accept the invitation' }).waitFor()
        await look(page, '05-invite-pending')
      },
      '/i#abc',
    )
  })

  it('chats, requests, a conversation with every step of the ladder', async () => {
    await show(busyWorld(), async (page) => {
      await page.getByRole('grid').waitFor()
      await look(page, '06-chats')
      await page.getByRole('row', { name: 'Bob' }).click()
      await page.getByRole('log').getByText('a photo of the rope').waitFor()
      for (const words of [
        'Read',
        'Reached all their devices',
        'Left at a relay, sealed',
        'Waiting on this device',
      ])
        await page.getByRole('log').getByRole('img', { name: words }).first().waitFor()
      await look(page, '07-conversation')
      await page.setViewportSize({ width: 390, height: 780 })
      await page.waitForFunction(() => {
        const log = document.querySelector('[role=log]')
        return log !== null && log.scrollHeight - log.scrollTop - log.clientHeight < 2
      })
      await page.setViewportSize({ width: 1180, height: 760 })
      await page.keyboard.press('Escape')
      await page.getByRole('heading', { name: 'Choose a chat' }).waitFor()
    })
  })

  it('a conversation with all that is unusual', async () => {
    const world = busyWorld()
    world.messages = [
      message(-3, 'Bob', `https://example.org/${'long-word-without-end'.repeat(20)}`),
      message(-2, 'Bob', null),
      message(-1, null, 'This one was refused', 'failed'),
    ]
    world.missing = 12
    world.conversations[0] = conversation('c1', 'Bob '.repeat(30).trim(), null, { contactState: 'pending' })
    world.status = { ...world.status, connection: 'offline' }
    await show(world, async (page) => {
      await page.getByRole('row').first().click()
      await page.getByText('12 messages not yet received').waitFor()
      await page.getByLabel('Message', { exact: true }).fill('x'.repeat(33_000))
      await page.getByText('232 bytes too long').waitFor()
      await look(page, '08-unusual')
    })
  })

  it('add a contact, and each refusal in plain words', async () => {
    await show(busyWorld(), async (page, { world }) => {
      await page.getByRole('button', { name: 'Add a contact' }).click()
      await page.getByRole('img', { name: 'Invite link as a QR code' }).waitFor()
      const codes = ['EXPIRED', 'REVOKED', 'OWN', 'MALFORMED', 'UNREACHABLE', 'USED'].map(
        (end) => `E_INVITE_${end}`,
      )
      const words = codes.map((code) => strings.errors[code] ?? code)
      expect(new Set(words).size).to.equal(codes.length)
      expect(words.join()).not.to.include('E_')
      for (const [index, code] of codes.entries()) {
        world.refusal = code
        await page.getByLabel('Paste their link').fill(`https://relay.example/i#${code}`)
        await page.getByRole('button', { name: 'Open' }).click()
        await page
          .getByRole('dialog')
          .getByText(words[index] ?? '')
          .waitFor()
      }
      await look(page, '09-add')
    })
  })

  it('the connection panel and the shortcuts', async () => {
    const world = busyWorld()
    world.status = {
      ...world.status,
      connection: 'limited',
      warnings: [{ code: 'E_CLOCK', message: 'clock', atMs: 0 }],
    }
    await show(world, async (page) => {
      await page.getByRole('button', { name: /Connection details/ }).click()
      await page.getByText('No relay reachable').waitFor()
      await look(page, '10-connection')
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
      await page.keyboard.press('Alt+ArrowDown')
      await page.getByRole('log').waitFor()
      await page.keyboard.press('Control+m')
      expect(await page.evaluate(() => document.activeElement?.tagName)).to.equal('TEXTAREA')
      await page.keyboard.press('Control+/')
      await page.getByRole('dialog', { name: 'Keyboard' }).waitFor()
      await look(page, '11-keys')
    })
  })

  it('a page that lost its node, its storage, its device', async () => {
    const troubles = [
      ['E_STORE_EVICTED', 'This browser deleted your device', '12-lost'],
      ['E_STORE_REFUSED', 'This browser lets Sotto keep nothing', '13-refused'],
      ['E_STORE_NEWER', 'Sotto could not start', '14-trouble'],
    ] as const
    const served = await servePage()
    for (const [code, title, name] of troubles) {
      const profile = await newProfile(browser!, served.url)
      await profile.context.addInitScript({ content: failingWorker(code) })
      const page = await profile.tab(served.url)
      await page.getByRole('heading', { name: title }).waitFor()
      await look(page, name)
      expect(profile.complaints).to.deep.equal([])
      await profile.context.close()
    }
    await served.close()
  })
})
