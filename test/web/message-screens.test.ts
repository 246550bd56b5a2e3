import { expect } from 'chai'
import { launchBrowser, needBrowser, type Browser, type Page } from '../support/browser.ts'
import { busyWorld, groupWorld, message, self, type ScreenWorld } from '../support/screen-face.ts'
import { look, showWorld, type Visit } from '../support/screen-look.ts'
import { buildApp } from '../support/tabs.ts'

const article = (page: Page, text: string) =>
  page.getByRole('log').getByRole('article').filter({ hasText: text })
const at = (page: Page, messageId: string) => page.locator(`[data-message="${messageId}"]`)

describe('every screen of messages', function () {
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

  const show = (world: ScreenWorld, visit: Visit): Promise<void> =>
    showWorld(browser!, world, async (page, face, profile) => {
      await page.getByRole('row', { name: world.conversations[0]!.name }).click()
      await page.getByRole('log').getByRole('article').first().waitFor()
      await visit(page, face, profile)
    })

  it('a group: authors, quotes, reactions, edited, deleted, folded, and what happened between', async () => {
    await show(groupWorld(), async (page) => {
      const log = page.getByRole('log')
      await log.getByText('Carol', { exact: true }).first().waitFor()
      await log.getByText('edited', { exact: true }).waitFor()
      await log.getByText('This message was deleted.').waitFor()
      await log.getByRole('button', { name: 'Answer to Carol. Go to that message.' }).waitFor()
      await log.getByRole('button', { name: '👍 from You, Carol', exact: true }).waitFor()
      expect(await log.getByText('You will all regret this').isVisible()).to.equal(false)
      for (const words of [
        'You opened the group.',
        'You added Bob.',
        'You made Bob an admin.',
        'Bob changed a rule: what newcomers can read.',
        'Bob removed Eve.',
        'Bob added a new device: Phone (bbbbphon).',
        'Carol is back: the removal by Eve was undone when you removed Eve.',
      ])
        await log.getByRole('note').filter({ hasText: words }).waitFor()
      await look(page, '20-group')
      await log.getByText('Sent by Eve while being removed').click()
      await log.getByText('You will all regret this').waitFor()
    })
  })

  it('notices stand where they happened, by time', async () => {
    await show(groupWorld(), async (page) => {
      const order = await page
        .getByRole('log')
        .locator('article, [role=note]')
        .evaluateAll((all) =>
          all.map((one) => one.getAttribute('data-kind') ?? one.getAttribute('data-message')),
        )
      expect(order).to.deep.equal([
        ...['member-added', 'member-added', 'm-50', 'm-48', 'm-47', 'role-changed', 'policy-changed'],
        ...['m-30', 'm-28', 'member-removed', 'm-12', 'device-added', 'conflict-removal-undone', 'm-2'],
      ])
    })
  })

  it('a notice is told to whoever listens to the page', async () => {
    const world = groupWorld()
    await show(world, async (page, face) => {
      // What is there when the page opens is no news.
      await page.locator('[role=note]').first().waitFor()
      const seq = world.audit.at(-1)!.seq + 1
      world.audit = [
        ...world.audit,
        { ...world.audit[0]!, seq, kind: 'member-left', by: 'dddd', subject: 'dddd', atMs: Date.now() },
      ]
      face.tell({ type: 'group', conversationId: 'c1' })
      await page.getByRole('status').filter({ hasText: 'left the group.' }).waitFor({ state: 'attached' })
    })
  })

  it('an answer quotes, goes out with what it answers, and a quote leads back', async () => {
    await show(groupWorld(), async (page, face) => {
      await at(page, 'm-48').hover()
      await at(page, 'm-48').getByRole('button', { name: 'Reply, react and more' }).click()
      await look(page, '21-actions')
      await page.getByRole('button', { name: 'Reply', exact: true }).click()
      await page.getByText('Answer to Bob', { exact: true }).waitFor()
      expect(await page.evaluate(() => document.activeElement?.tagName)).to.equal('TEXTAREA')
      await look(page, '22-reply')
      await page.keyboard.press('Escape')
      await page.getByText('Answer to Bob', { exact: true }).waitFor({ state: 'detached' })
      await at(page, 'm-50').waitFor()

      await at(page, 'm-50').focus()
      await page.keyboard.press('r')
      await page.getByLabel('Message', { exact: true }).fill('I can, too')
      await page.keyboard.press('Enter')
      await article(page, 'I can, too').waitFor()
      expect(face.inputs('send')).to.deep.equal([
        { conversationId: 'c1', text: 'I can, too', replyTo: 'm-50' },
      ])
      await page.getByText('Answer to Carol', { exact: true }).waitFor({ state: 'detached' })
      await article(page, 'I can, too')
        .getByRole('button', { name: /^Answer to Carol/ })
        .click()
      expect(await page.evaluate(() => document.activeElement?.getAttribute('data-message'))).to.equal('m-50')
    })
  })

  it('a quote of what is not shown is asked for, and said to be missing when it is not here', async () => {
    const world = busyWorld()
    world.others = [{ ...message(-9_000, 'Bob', 'From long ago') }]
    world.messages = [
      { ...message(-2, null, 'Found it'), replyTo: 'm-9000' },
      { ...message(-1, null, 'And this?'), replyTo: 'nowhere' },
    ]
    await show(world, async (page) => {
      await article(page, 'Found it').getByText('From long ago').waitFor()
      await article(page, 'And this?').getByText('A message that is not here').waitFor()
    })
  })

  it('arrow up in an empty field changes the last own message', async () => {
    await show(groupWorld(), async (page, face) => {
      const field = page.getByLabel('Message', { exact: true })
      await field.press('ArrowUp')
      await page.getByText('Change this message').waitFor()
      expect(await field.inputValue()).to.equal('Eight at the bridge, everybody')
      await look(page, '23-edit')
      await page.keyboard.press('Escape')
      await page.getByText('Change this message').waitFor({ state: 'detached' })
      expect(await field.inputValue()).to.equal('')

      await field.press('ArrowUp')
      await field.fill('Nine at the bridge')
      await page.keyboard.press('Enter')
      await article(page, 'Nine at the bridge').getByText('edited').waitFor()
      expect(face.inputs('edit')).to.deep.equal([{ messageId: 'm-2', text: 'Nine at the bridge' }])
      await field.fill('a draft')
      await field.press('ArrowUp')
      expect(await field.inputValue()).to.equal('a draft')
    })
  })

  it('deleting asks once; a refusal is said in words and changes nothing', async () => {
    const world = groupWorld()
    await show(world, async (page, face) => {
      await article(page, 'Eight at the bridge').focus()
      await page.keyboard.press('d')
      await page.getByText('Delete this message on every device that has it?').waitFor()
      await look(page, '24-delete')
      expect(face.inputs('delete')).to.deep.equal([])
      await page.keyboard.press('Escape')
      expect(await page.evaluate(() => document.activeElement?.getAttribute('data-message'))).to.equal('m-2')
      world.refusals['delete'] = 'E_DELETED'
      await page.keyboard.press('d')
      await page.getByRole('button', { name: 'Delete for everyone' }).click()
      await page.getByRole('alert').getByText('This message was deleted meanwhile.').waitFor()
      world.refusals = {}
      await page.getByRole('button', { name: 'Delete for everyone' }).click()
      await page.getByRole('log').getByText('Eight at the bridge').waitFor({ state: 'detached' })
      expect(await page.getByRole('log').getByText('This message was deleted.').count()).to.equal(2)
      expect(face.inputs('delete')).to.deep.equal([{ messageId: 'm-2' }, { messageId: 'm-2' }])
    })
  })

  it('only admins are offered to delete what others wrote, and only where a rule says so', async () => {
    const world = groupWorld()
    await show(world, async (page, face) => {
      const open = async (): Promise<void> => {
        await at(page, 'm-50').focus()
        await page.keyboard.press('Enter')
        await page.getByRole('button', { name: 'Reply', exact: true }).waitFor()
      }
      await open()
      expect(await page.getByRole('button', { name: 'Delete', exact: true }).count()).to.equal(0)
      await page.keyboard.press('Escape')
      world.policy = { ...world.policy, adminsRedact: true }
      face.tell({ type: 'group', conversationId: 'c1' })
      await open()
      await page.getByRole('button', { name: 'Delete', exact: true }).waitFor()
    })
  })

  it('reactions: from the set, an own one, joined and taken back', async () => {
    await show(groupWorld(), async (page, face) => {
      await at(page, 'm-50').focus()
      await page.keyboard.press('e')
      await page.getByRole('button', { name: 'React with 😮' }).click()
      await at(page, 'm-50').getByRole('button', { name: '😮 from You' }).click()
      await at(page, 'm-50').focus()
      await page.keyboard.press('e')
      await page.getByLabel('Another emoji').fill('🛶')
      await page.keyboard.press('Enter')
      await at(page, 'm-50').getByRole('button', { name: '🛶 from You' }).waitFor()
      await at(page, 'm-47').getByRole('button', { name: '😂 from' }).click()
      await at(page, 'm-47').getByRole('button', { name: '😂 from You' }).waitFor()
      expect(face.inputs('react')).to.deep.equal([
        { messageId: 'm-50', emoji: '😮' },
        { messageId: 'm-50', emoji: '' },
        { messageId: 'm-50', emoji: '🛶' },
        { messageId: 'm-47', emoji: '😂' },
      ])
    })
  })

  it('the Tab key stops at one message, and the arrows go on from there', async () => {
    await show(groupWorld(), async (page) => {
      const stops = page.getByRole('log').locator('article[tabindex="0"]')
      expect(await stops.count()).to.equal(1)
      await stops.focus()
      await page.keyboard.press('ArrowUp')
      await page.keyboard.press('ArrowUp')
      const where = (): Promise<string | null | undefined> =>
        page.evaluate(() => document.activeElement?.getAttribute('data-message'))
      expect(await where()).to.equal('m-28')
      expect(await stops.getAttribute('data-message')).to.equal('m-28')
      await page.keyboard.press('Home')
      expect(await where()).to.equal('m-50')
      await page.keyboard.press('End')
      expect(await where()).to.equal('m-2')
    })
  })

  it('what others did to a message shows at once', async () => {
    const world = groupWorld()
    await show(world, async (page, face) => {
      const changed = { ...world.messages[0]!, text: 'Who brings the paddles?', edited: true }
      world.messages[0] = changed
      face.tell({ type: 'message.edited', message: changed })
      await at(page, 'm-50').getByText('Who brings the paddles?').waitFor()
      await at(page, 'm-50').getByText('edited').waitFor()
      await at(page, 'm-48').getByText('Who brings the paddles?').waitFor()
      world.messages[0] = { ...changed, reactions: [{ emoji: '🙏', by: ['bbbb'] }] }
      face.tell({ type: 'message.reacted', message: world.messages[0] })
      await at(page, 'm-50').getByRole('button', { name: '🙏 from Bob' }).waitFor()
      world.messages[0] = { ...changed, text: null, deleted: true }
      face.tell({ type: 'message.deleted', message: world.messages[0] })
      await page.getByRole('log').getByText('paddles').first().waitFor({ state: 'detached' })
    })
  })

  it('notes to self are a conversation of their own', async () => {
    const world = groupWorld()
    world.conversations = [
      {
        ...world.conversations.at(-1)!,
        conversationId: 'c1',
        last: message(-1, null, 'Buy oars', 'delivered'),
      },
    ]
    world.messages = [message(-1, null, 'Buy oars', 'delivered')]
    world.audit = [
      { ...world.audit[0]!, kind: 'device-added', by: null, subject: self.accountId, deviceId: 'pd52mnop' },
    ]
    await showWorld(browser!, world, async (page) => {
      await page.getByRole('row', { name: 'Notes to self' }).click()
      await page.getByRole('main', { name: 'Notes to self' }).waitFor()
      await page.getByText('Only your own devices see what you write here.').waitFor()
      await page.getByRole('log').getByRole('img', { name: 'Reached all your devices' }).waitFor()
      await page.getByRole('note').filter({ hasText: 'If that was not you, remove it at once.' }).waitFor()
      expect(await page.getByRole('button', { name: 'About this group' }).count()).to.equal(0)
      await look(page, '25-notes')
    })
  })
})
