import { expect } from 'chai'
import { launchBrowser, needBrowser, type Browser, type Page } from '../support/browser.ts'
import { freshWorld, groupWorld, member, self, type ScreenWorld } from '../support/screen-face.ts'
import { look, showWorld, type Visit } from '../support/screen-look.ts'
import { buildApp } from '../support/tabs.ts'

describe('every screen of groups', function () {
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

  const open = (world: ScreenWorld, visit: Visit): Promise<void> =>
    showWorld(browser!, world, async (page, face, profile) => {
      await page.getByRole('row', { name: 'Lake on Saturday' }).click()
      await page.getByRole('button', { name: 'About this group' }).click()
      await page.getByRole('dialog', { name: 'Lake on Saturday' }).waitFor()
      await visit(page, face, profile)
    })

  const row = (page: Page, name: string) =>
    page.getByRole('dialog').getByRole('listitem').filter({ hasText: name })

  it('a new group: a name and people, opened at once', async () => {
    await showWorld(browser!, groupWorld(), async (page, face) => {
      await page.getByRole('grid').waitFor()
      await page.keyboard.press('Alt+g')
      const dialog = page.getByRole('dialog', { name: 'New group' })
      await dialog.getByLabel('Name of the group').fill('Oars')
      await dialog.getByText('Carol').click()
      await dialog.getByText('You have not compared safety numbers with 1 of them.').waitFor()
      await dialog.getByRole('checkbox', { name: 'Bob' }).focus()
      await page.keyboard.press('Space')
      expect(await dialog.getByRole('checkbox').count()).to.equal(3)
      await look(page, '30-new-group')
      face.world.refusals['create-group'] = 'E_NAME'
      await dialog.getByRole('button', { name: 'Open the group' }).click()
      await dialog.getByText('Please give a name of at most 128 bytes').waitFor()
      face.world.refusals = {}
      await dialog.getByRole('button', { name: 'Open the group' }).click()
      await page.getByRole('main', { name: 'Oars' }).getByText('3 members').waitFor()
      expect(face.inputs('create-group').at(-1)).to.deep.equal({ name: 'Oars', members: ['cccc', 'bbbb'] })
    })
  })

  it('a new group without contacts can be opened alone', async () => {
    await showWorld(browser!, { ...freshWorld(), self }, async (page, face) => {
      await page.getByRole('button', { name: 'New group' }).click()
      await page.getByText('You have no contacts yet.').waitFor()
      await page.getByLabel('Name of the group').fill('Alone')
      await look(page, '31-new-group-alone')
      await page.keyboard.press('Enter')
      await page.getByRole('main', { name: 'Alone' }).waitFor()
      expect(face.inputs('create-group')).to.deep.equal([{ name: 'Alone', members: [] }])
    })
  })

  it('an owner renames, adds, gives roles, removes and sets rules', async () => {
    await open(groupWorld(), async (page, face) => {
      const dialog = page.getByRole('dialog')
      await dialog.getByText('2 devices, 1 lapsed').waitFor()
      await look(page, '32-group')
      await dialog.getByLabel('Name', { exact: true }).fill('Lake on Sunday')
      await dialog.getByRole('button', { name: 'Rename' }).click()
      await page.getByRole('dialog', { name: 'Lake on Sunday' }).waitFor()

      await dialog.getByText('can read only what is said from then on').waitFor()
      await dialog.getByRole('button', { name: 'Add Grandmother' }).click()
      await dialog.getByText('5 members').waitFor()
      await dialog.getByText('All your contacts are in this group.').waitFor()

      await dialog.getByLabel('Role of Carol').selectOption('admin')
      await page.waitForFunction(
        () => [...document.querySelectorAll('select')].filter(({ value }) => value === 'admin').length === 2,
      )
      await dialog.getByRole('button', { name: 'Remove Bob' }).click()
      await dialog.getByText('Remove Bob? From then on').waitFor()
      await look(page, '33-group-remove')
      expect(face.inputs('group-remove')).to.deep.equal([])
      await row(page, 'Remove Bob?').getByRole('button', { name: 'Remove', exact: true }).click()
      await dialog.getByText('4 members').waitFor()

      await dialog.getByLabel('What newcomers can read').selectOption('The last 30 days')
      await dialog.getByText('can read the last 30 days as well').waitFor()
      await dialog.getByLabel('Forget messages after').selectOption('90 days')
      await dialog.getByLabel('New messages disappear after').selectOption('1 hour')
      await dialog.getByText('Members may add people').click()
      await page.waitForFunction(() => document.querySelectorAll('input:checked').length === 1)
      const conversationId = 'c1'
      expect(face.done.filter(([command]) => command.startsWith('group-'))).to.deep.equal([
        ['group-rename', { conversationId, name: 'Lake on Sunday' }],
        ['group-add', { conversationId, accountId: 'gggg' }],
        ['group-role', { conversationId, accountId: 'cccc', role: 'admin' }],
        ['group-remove', { conversationId, accountId: 'bbbb' }],
        ['group-policy', { conversationId, historyDays: 30 }],
        ['group-policy', { conversationId, retentionMs: 90 * 86_400_000 }],
        ['group-policy', { conversationId, timerMs: 3_600_000 }],
        ['group-policy', { conversationId, membersAdmit: true }],
      ])
    })
  })

  it('a refusal stands beside what was refused', async () => {
    const world = groupWorld()
    world.refusals = { 'group-role': 'E_NOT_ALLOWED', 'group-remove': 'E_NOT_ALLOWED' }
    await open(world, async (page) => {
      await page.getByLabel('Role of Carol').selectOption('admin')
      await row(page, 'Carol').getByText('The rules of this group do not let you do that.').waitFor()
      expect(await page.getByLabel('Role of Carol').inputValue()).to.equal('member')
      await page.getByRole('button', { name: 'Remove Bob' }).click()
      await row(page, 'Bob').getByRole('button', { name: 'Remove', exact: true }).click()
      await row(page, 'Bob').getByText('The rules of this group do not let you do that.').waitFor()
    })
  })

  it('the last owner cannot leave before another one is named; then the way out asks once', async () => {
    await open(groupWorld(), async (page, face) => {
      const dialog = page.getByRole('dialog')
      await dialog.getByText('You are the only owner.').waitFor()
      expect(await dialog.getByRole('button', { name: 'Leave the group' }).count()).to.equal(0)
      await dialog.getByLabel('Role of Bob').selectOption('owner')
      await dialog.getByRole('button', { name: 'Leave the group' }).click()
      expect(face.inputs('group-leave')).to.deep.equal([])
      await dialog.getByRole('button', { name: 'Leave', exact: true }).click()
      await dialog.getByText('You are no longer in this group.').waitFor()
      await look(page, '34-group-left')
      expect(await dialog.getByRole('button').allInnerTexts()).to.deep.equal([''])
      await page.keyboard.press('Escape')
      await page.getByRole('main').getByText('What was said until then stays here.').waitFor()
      expect(await page.getByLabel('Message', { exact: true }).count()).to.equal(0)
      await page.getByRole('article').last().focus()
      await page.keyboard.press('r')
      expect(await page.getByText(/^Answer to/).count()).to.equal(0)
      await look(page, '35-left')
    })
  })

  it('a member sees the rules and may not set them', async () => {
    const world = groupWorld()
    world.members = [member('bbbb', 'Bob', 'owner'), member('aaaa', 'Ada'), member('cccc', 'Carol')]
    world.policy = { ...world.policy, retentionMs: 45 * 86_400_000, adminsRedact: true }
    await open(world, async (page, face) => {
      const dialog = page.getByRole('dialog')
      await dialog.getByText('Owners and admins set these.').waitFor()
      expect(await dialog.getByLabel('Forget messages after').locator('option:checked').innerText()).to.equal(
        '45 days',
      )
      for (const select of await dialog.locator('select').all())
        expect(await select.isDisabled()).to.equal(true)
      for (const box of await dialog.getByRole('checkbox').all())
        expect(await box.isDisabled()).to.equal(true)
      expect(await dialog.getByRole('button', { name: /^(Remove|Add) / }).count()).to.equal(0)
      await look(page, '36-group-member')
      world.policy = { ...world.policy, membersAdmit: true }
      face.tell({ type: 'group', conversationId: 'c1' })
      await dialog.getByRole('button', { name: 'Add Grandmother' }).waitFor()
    })
  })
})
