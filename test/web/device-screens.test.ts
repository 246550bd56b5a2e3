import { expect } from 'chai'
import { join } from 'node:path'
import { launchBrowser, needBrowser, type Browser, type Page } from '../support/browser.ts'
import { cameraSeeing, someCamera } from '../support/fake-camera.ts'
import { temporaryFolder } from '../support/folder.ts'
import { busyWorld, freshWorld, minute, ownDevice, self } from '../support/screen-face.ts'
import { look, showWorld } from '../support/screen-look.ts'
import { buildApp } from '../support/tabs.ts'
import { strings } from '../../packages/web/src/ui/strings.ts'

const emoji = ['🐝', '🚲', '🍒', '⚓', '🍒', '🎺']
const emojiNames = ['bee', 'bicycle', 'cherries', 'anchor', 'cherries', 'trumpet']

/** Waits until the field of a dialog holds a text. */
const fieldHolds = (page: Page, text: string): Promise<unknown> =>
  page.waitForFunction(
    (wanted) => document.querySelector<HTMLInputElement>('[role="dialog"] input')?.value === wanted,
    text,
  )

describe('every screen of devices', function () {
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

  const shown = async (page: Page): Promise<readonly string[]> =>
    page
      .getByRole('list', { name: 'Six emoji' })
      .getByRole('listitem')
      .locator('span:last-child')
      .allInnerTexts()

  it('the devices of the account, and one removed with what came of it', async () => {
    const world = busyWorld()
    world.devices = [
      ...world.devices,
      ownDevice('old3abcd', '', { state: 'expired', lastSeenMs: null, addedBy: 'pd52mnop' }),
      ownDevice('copy2abc', 'Tablet', { state: 'forked' }),
      ownDevice('gone2abc', 'Watch', { state: 'revoked' }),
    ]
    await showWorld(browser!, world, async (page, face) => {
      await page.getByRole('button', { name: 'Your devices' }).click()
      const dialog = page.getByRole('dialog', { name: 'Your devices' })
      const items = dialog.getByRole('listitem')
      await items.first().waitFor()
      const [laptop, phone] = [
        items.filter({ hasText: 'Laptop' }).first(),
        items.filter({ hasText: 'pd52mnop' }),
      ]
      await laptop.getByText('this device').waitFor()
      await laptop.getByText('with your account').waitFor()
      expect(await laptop.getByRole('button').count()).to.equal(0)
      await phone.getByText('by Laptop').waitFor()
      await phone.getByText('12 Jun 2026, 11:57').waitFor()
      await phone.getByText('22 Jul 2026').waitFor()
      await items.filter({ hasText: 'A device without a name' }).getByText('by Phone').waitFor()
      await items.filter({ hasText: 'Tablet' }).getByText('a copy may be in use').waitFor()
      expect(await dialog.getByText('Watch').isVisible()).to.equal(false)
      await look(page, '40-devices')

      await dialog.getByRole('button', { name: 'Remove Phone' }).click()
      await dialog.getByText('Remove Phone from your account?').waitFor()
      await look(page, '41-device-remove')
      expect(face.inputs('remove-device')).to.deep.equal([])
      world.refusals['remove-device'] = 'E_OFFLINE'
      await dialog.getByRole('button', { name: 'Remove this device' }).click()
      await dialog.getByRole('alert').getByText('This device is offline.').waitFor()
      world.refusals = {}
      await dialog.getByRole('button', { name: 'Remove this device' }).click()
      await dialog.getByText('Phone was removed. 3 of 5 devices').waitFor()
      await dialog.getByText('2 earlier devices').waitFor()
      await dialog.getByText('2 earlier devices').click()
      await dialog.getByText('on 3 of 5 devices').waitFor()
      expect(face.inputs('remove-device').at(-1)).to.deep.equal({ deviceId: 'pd52mnop' })
      await look(page, '42-device-removed')
    })
  })

  it('a new device of the account cannot be missed; a removal of this one neither', async () => {
    await showWorld(browser!, busyWorld(), async (page, face) => {
      await page.getByRole('grid').waitFor()
      const told = { type: 'device', accountId: self.accountId } as const
      face.tell({ ...told, deviceId: 'stranger1', change: 'added' })
      const alert = page.getByRole('alert')
      await alert.getByText('A new device was added to your account: stranger, 12 Jun 2026, 12:00.').waitFor()
      await look(page, '43-device-alert')
      await alert.getByRole('button', { name: 'Show my devices' }).click()
      await page.getByRole('dialog', { name: 'Your devices' }).waitFor()
      await page.keyboard.press('Escape')
      await alert.waitFor({ state: 'detached' })
      face.tell({ ...told, accountId: 'bbbb', deviceId: 'bobs', change: 'added' })
      face.tell({ ...told, deviceId: self.deviceId, change: 'revoked' })
      await alert.getByText('This device was removed from your account.').waitFor()
    })
  })

  it('at the old device: a code, the history it is given, six emoji, done', async () => {
    await showWorld(browser!, busyWorld(), async (page, face) => {
      await page.getByRole('button', { name: 'Your devices' }).click()
      await page.getByRole('button', { name: 'Link another device' }).click()
      const dialog = page.getByRole('dialog')
      await dialog.getByLabel('Code or link of the new device').fill(' K3Y7 9QWP ')
      await dialog.getByText('The last 30 days').click()
      await look(page, '44-approve')
      await dialog.getByRole('button', { name: 'Find the device' }).click()
      await dialog.getByText('Compare these six with the screen of Tablet').waitFor()
      expect(await shown(page)).to.deep.equal(emojiNames)
      await look(page, '45-approve-compare')
      await dialog.getByRole('button', { name: 'They are the same' }).click()
      await dialog.getByText('Tablet is linked.').waitFor()
      await look(page, '46-approved')
      expect(face.done.filter(([command]) => command.startsWith('link-'))).to.deep.equal([
        ['link-approve', { code: 'K3Y7 9QWP', history: { days: 30 } }],
        ['link-confirm', { match: true }],
      ])
      await dialog.getByRole('button', { name: 'Done' }).click()
      await page.getByRole('dialog', { name: 'Your devices' }).waitFor()
    })
  })

  it('at the old device: the code is read by a camera, here and where a contact is added', async () => {
    const link = `https://sotto.example/l#${'k7p2mnop'.repeat(12)}`
    const folder = temporaryFolder()
    const seeing = await launchBrowser(await cameraSeeing(link, join(folder.path, 'code.y4m')))
    try {
      await showWorld(seeing, busyWorld(), async (page, face) => {
        await page.getByRole('button', { name: 'Your devices' }).click()
        await page.getByRole('button', { name: 'Link another device' }).click()
        const dialog = page.getByRole('dialog')
        await dialog.getByRole('button', { name: 'Scan a QR code' }).click()
        await fieldHolds(page, link)
        expect(await dialog.locator('video').count()).to.equal(0)
        await dialog.getByRole('button', { name: 'Find the device' }).click()
        await dialog.getByText('Compare these six').waitFor()
        expect(face.inputs('link-approve')).to.deep.equal([{ code: link, history: 'all' }])
        await page.keyboard.press('Escape')
        await page.getByRole('button', { name: 'Add a contact' }).first().click()
        await dialog.getByRole('button', { name: 'Scan a QR code' }).click()
        await fieldHolds(page, link)
      })
    } finally {
      await seeing.close()
      folder.remove()
    }
  })

  it('at the old device: a camera that sees nothing is stopped; without one the link is pasted', async () => {
    const open = async (page: Page) => {
      await page.getByRole('button', { name: 'Your devices' }).click()
      await page.getByRole('button', { name: 'Link another device' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Scan a QR code' }).click()
      return page.getByRole('dialog')
    }
    await showWorld(browser!, busyWorld(), async (page) => {
      const dialog = await open(page)
      await dialog.getByText(/No camera was found|may not use the camera/).waitFor()
      await look(page, '52-scan-no-camera')
      await dialog.getByLabel('Code or link of the new device').fill('K3Y7 9QWP')
    })
    const blind = await launchBrowser(someCamera)
    try {
      await showWorld(blind, busyWorld(), async (page) => {
        const dialog = await open(page)
        await page.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 0)
        await look(page, '53-scan')
        const track = await page.evaluateHandle(
          () => (document.querySelector('video')?.srcObject as MediaStream).getVideoTracks()[0],
        )
        expect(await track.evaluate((one) => one?.readyState)).to.equal('live')
        await dialog.getByRole('button', { name: 'Stop the camera' }).click()
        await dialog.getByRole('button', { name: 'Scan a QR code' }).waitFor()
        await page.waitForFunction((one) => one?.readyState === 'ended', track)
      })
    } finally {
      await blind.close()
    }
  })

  it('at the old device: what can go wrong, each in words of its own', async () => {
    const world = busyWorld()
    const codes = ['MALFORMED', 'CODE', 'BURNED', 'EXPIRED', 'USED', 'BUSY', 'LOST', 'FAILED', 'CANCELLED']
    const words = codes.map((code) => strings.errors[`E_LINK_${code}`] ?? '')
    expect(new Set(words).size).to.equal(codes.length)
    await showWorld(browser!, world, async (page, face) => {
      await page.getByRole('button', { name: 'Your devices' }).click()
      await page.getByRole('button', { name: 'Link another device' }).click()
      const dialog = page.getByRole('dialog')
      await dialog.getByLabel('Code or link of the new device').fill('ABCD EFGH')
      for (const [index, code] of codes.entries()) {
        world.refusals['link-approve'] = `E_LINK_${code}`
        await dialog.getByRole('button', { name: 'Find the device' }).click()
        await dialog.getByText(words[index]!, { exact: true }).waitFor()
      }
      await look(page, '47-approve-failed')
      world.refusals = {}
      const find = async (): Promise<void> => {
        await dialog.getByRole('button', { name: 'Find the device' }).click()
        await dialog.getByRole('button', { name: 'They are different' }).waitFor()
      }
      await find()
      await dialog.getByRole('button', { name: 'They are different' }).click()
      await dialog.getByText('The emoji were not the same').waitFor()
      expect(face.inputs('link-confirm')).to.deep.equal([{ match: false }])
      await find()
      face.tell({ type: 'link', state: 'failed', code: 'E_LINK_CANCELLED' })
      await dialog.getByText('Linking was cancelled.').waitFor()
      await find()
      await page.keyboard.press('Escape')
      await dialog.waitFor({ state: 'detached' })
      expect(face.inputs('link-confirm')).to.deep.equal([{ match: false }, { match: false }])
    })
  })

  const offer = async (page: Page): Promise<void> => {
    await page.getByRole('button', { name: 'I have Sotto on another device' }).click()
    await page.getByLabel('Name of this device').fill('Tablet')
    await page.getByRole('button', { name: 'Show the code' }).click()
    await page.getByText('K3Y7 9QWP').waitFor()
  }

  it('at the new device: a name, the code with link and picture, six emoji, and in', async () => {
    await showWorld(browser!, freshWorld(), async (page, face) => {
      await page.getByRole('button', { name: 'I have Sotto on another device' }).click()
      expect(await page.getByLabel('Name of this device').inputValue()).to.match(/\w/)
      await look(page, '48-link-name')
      await page.getByRole('button', { name: 'Back', exact: true }).click()
      await offer(page)
      await page.getByRole('img', { name: 'Link of this device as a QR code' }).waitFor()
      expect(face.inputs('link-offer')).to.deep.equal([{ deviceName: 'Tablet' }])
      await look(page, '49-link-code')
      face.tell({ type: 'link', state: 'compare', emoji })
      await page.getByRole('heading', { name: 'Do both devices show the same?' }).waitFor()
      expect(await shown(page)).to.deep.equal(emojiNames)
      await look(page, '50-link-compare')
      face.world.self = self
      face.world.conversations = busyWorld().conversations
      await page.getByRole('button', { name: 'They are the same' }).click()
      await page.getByRole('row', { name: 'Grandmother' }).waitFor()
      expect(face.inputs('link-confirm')).to.deep.equal([{ match: true }])
    })
  })

  it('at the new device: the other side gives up, the emoji differ, the code expires', async () => {
    await showWorld(browser!, freshWorld(), async (page, face) => {
      await offer(page)
      face.tell({ type: 'link', state: 'failed', code: 'E_LINK_BURNED' })
      await page.getByRole('alert').getByText('This code was wrong too often').waitFor()
      await look(page, '51-link-failed')
      await page.getByRole('button', { name: 'Show a new code' }).click()
      await page.getByText('K3Y7 9QWP').waitFor()
      face.tell({ type: 'link', state: 'compare', emoji })
      await page.getByRole('button', { name: 'They are different' }).click()
      await page.getByRole('alert').getByText('The emoji were not the same').waitFor()
      expect(face.inputs('link-confirm')).to.deep.equal([{ match: false }])
      face.tell({ type: 'link', state: 'failed', code: 'E_LINK_CANCELLED' })
      await page.getByRole('alert').getByText('The emoji were not the same').waitFor()
      expect(await page.getByText('Linking was cancelled').count()).to.equal(0)
      expect(face.inputs('link-offer').length).to.equal(2)
    })
    await showWorld(browser!, freshWorld(), async (page) => {
      await page.clock.install()
      await page.reload()
      await offer(page)
      await page.clock.fastForward(4 * minute)
      await page.getByText('K3Y7 9QWP').waitFor()
      await page.clock.fastForward(2 * minute)
      await page.getByRole('alert').getByText('This code has expired.').waitFor()
    })
  })
})
