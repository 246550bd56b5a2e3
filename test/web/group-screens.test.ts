import { expect } from 'chai'
import { launchBrowser, needBrowser, type Browser, type Page } from '../support/browser.ts'
import {
  conversation,
  freshWorld,
  groupWorld,
  line,
  member,
  self,
  type ScreenWorld,
} from '../support/screen-face.ts'
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
      await dialog.getByText('Members let in whoever has a link').click()
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
      await page.waitForFunction(() => document.querySelectorAll('input:checked').length === 2)
      expect(await dialog.getByRole('button', { name: 'Add Grandmother' }).count()).to.equal(0)
      expect(await dialog.getByText('A link into the group').count()).to.equal(0)
    })
  })

  it('a link into the group: made, shown, withdrawn, and a fresh one offered', async () => {
    await open(groupWorld(), async (page, face) => {
      const dialog = page.getByRole('dialog')
      await dialog.getByText('Whoever opens it asks to be let in').waitFor()
      await dialog.getByLabel('For how many people').selectOption('5 people')
      await dialog.getByRole('button', { name: 'Make a link' }).click()
      await dialog.getByText(/^It works for 5 people, until .*19.*, or until somebody is removed\./).waitFor()
      await dialog.getByRole('img', { name: 'Invite link as a QR code' }).scrollIntoViewIfNeeded()
      await look(page, '37-group-link')
      await dialog.getByRole('button', { name: 'Withdraw it' }).click()
      await dialog.getByText('The last link ended').waitFor()
      expect(face.done.filter(([command]) => command.endsWith('-invite'))).to.deep.equal([
        ['create-invite', { conversationId: 'c1', uses: 5 }],
        ['revoke-invite', { inviteId: 'i1' }],
      ])
    })
  })

  it('who asks to be let in is named with the group, and let in with one tap', async () => {
    const world = groupWorld()
    const group = { conversationId: 'c1', name: 'Lake on Saturday' }
    world.requests = [{ requestId: 'r1', accountId: 'ffff', name: 'Frank', atMs: 0, group }]
    await showWorld(browser!, world, async (page, face) => {
      const requests = page.getByRole('region', { name: 'Requests' })
      await requests.getByText('Frank wants into Lake on Saturday').waitFor()
      await look(page, '38-group-request')
      await requests.getByRole('button', { name: 'Let in' }).click()
      await requests.waitFor({ state: 'detached' })
      expect(face.inputs('accept-request')).to.deep.equal([{ requestId: 'r1' }])
    })
  })

  it('a group one waits for says so, why it will not come about, and can be given up', async () => {
    const world = { ...groupWorld(), messages: [], members: [], audit: [] }
    world.conversations.push(
      conversation('w1', 'Walkers', null, {
        ...{ kind: 'group', accountId: null, members: 0, contactState: 'pending' },
        join: { by: 'Bob', refused: null },
      }),
    )
    await showWorld(browser!, world, async (page, face) => {
      await page.getByRole('row', { name: 'Walkers' }).click()
      const main = page.getByRole('main', { name: 'Walkers' })
      await main.getByText('You came by the link of Bob').waitFor()
      expect(await main.getByLabel('Message', { exact: true }).count()).to.equal(0)
      await look(page, '39-group-waiting')
      world.conversations = world.conversations.map((one) =>
        one.conversationId === 'w1' ? { ...one, join: { by: 'Bob', refused: 'E_INVITE_USED' } } : one,
      )
      face.tell({ type: 'group', conversationId: 'w1', change: 'refused', code: 'E_INVITE_USED' })
      await main.getByText('The link was used up.').waitFor()
      await main.getByRole('button', { name: 'Stop asking' }).click()
      await page.getByRole('row', { name: 'Walkers' }).waitFor({ state: 'detached' })
      expect(face.inputs('group-leave')).to.deep.equal([{ conversationId: 'w1' }])
    })
  })

  it('what was resolved against somebody’s word can be set right with one tap', async () => {
    const world = groupWorld()
    world.audit = [
      line(-6, 'conflict-removal-undone', { subject: 'cccc', by: 'eeee', detail: 'aaaa' }),
      line(-5, 'conflict-link-used-twice', { subject: 'gggg', by: 'bbbb' }),
    ]
    await showWorld(browser!, world, async (page, face) => {
      await page.getByRole('row', { name: 'Lake on Saturday' }).click()
      await page.getByRole('note').getByText('came by a link that was used twice at once').waitFor()
      await look(page, '3a-conflicts')
      await page.getByRole('button', { name: 'Let in' }).click()
      await page.getByRole('button', { name: 'Let in' }).waitFor({ state: 'detached' })
      await page.getByRole('button', { name: 'Remove again' }).click()
      await page.getByRole('button', { name: 'Remove again' }).waitFor({ state: 'detached' })
      const conversationId = 'c1'
      expect(face.done.filter(([command]) => command.startsWith('group-'))).to.deep.equal([
        ['group-add', { conversationId, accountId: 'gggg' }],
        ['group-remove', { conversationId, accountId: 'cccc' }],
      ])
    })
  })
})
