import { expect } from 'chai'
import { launchBrowser, needBrowser, type Browser, type Page } from '../support/browser.ts'
import { servePage } from '../support/page-server.ts'
import {
  ScreenFace,
  busyWorld,
  contact,
  conversation,
  line,
  member,
  message,
  ownDevice,
} from '../support/screen-face.ts'
import { begin, buildApp, newProfile, type Profile } from '../support/tabs.ts'

/** Everything an origin keeps, as somebody who copies the profile would find it. */
async function dump(
  page: Page,
): Promise<{ text: string; keys: { extractable: boolean; exported: string }[] }> {
  return page.evaluate(async () => {
    const keys: { extractable: boolean; exported: string }[] = []
    const words: string[] = Object.entries(localStorage).map(([key, value]) => `${key}=${String(value)}`)
    for (const { name = '' } of await indexedDB.databases()) {
      const db = await new Promise<IDBDatabase>((resolve) => {
        const request = indexedDB.open(name)
        request.onsuccess = () => resolve(request.result)
      })
      for (const table of db.objectStoreNames) {
        const rows = db.transaction(table).objectStore(table).getAll()
        const values = await new Promise<unknown[]>(
          (resolve) => (rows.onsuccess = () => resolve(rows.result)),
        )
        for (const value of values) {
          if (value instanceof CryptoKey) {
            const exported = await crypto.subtle.exportKey('raw', value).then(
              () => 'exported',
              (error: unknown) => (error as Error).name,
            )
            keys.push({ extractable: value.extractable, exported })
          } else {
            const bytes = ArrayBuffer.isView(value)
              ? new Uint8Array(value.buffer)
              : new Uint8Array(value as ArrayBuffer)
            words.push(new TextDecoder('latin1').decode(bytes))
          }
        }
      }
      db.close()
    }
    words.push(...(await caches.keys()))
    return { text: words.join('\n'), keys }
  })
}

describe('what a tab keeps', function () {
  this.timeout(120_000)
  let browser: Browser | undefined
  const open: { close(): Promise<unknown> }[] = []

  before(async function () {
    needBrowser(this)
    await buildApp()
    browser = await launchBrowser()
  })
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close()
  })
  after(async () => {
    await browser?.close()
  })

  async function profileAt(face?: ScreenFace): Promise<{ profile: Profile; url: string }> {
    const served = await servePage(face)
    open.push(served)
    const profile = await newProfile(browser!, served.url)
    open.push(profile.context)
    return { profile, url: served.url }
  }

  it('128: nothing readable is stored, and the wrapping key does not come out', async () => {
    const { profile, url } = await profileAt()
    const page = await profile.tab(url)
    await begin(page, 'Planted-Name')
    await page.getByRole('heading', { name: 'No chats yet' }).waitFor()
    const { text, keys } = await dump(page)
    expect(text.length).to.be.greaterThan(2_000)
    expect(text).not.to.include('Planted')
    expect(keys).to.deep.equal([{ extractable: false, exported: 'InvalidAccessError' }])
    await page.reload()
    await page.getByText('Planted-Name').first().waitFor()
    expect(profile.complaints).to.deep.equal([])
  })

  it('130: of two tabs one writes; the other looks through it and takes over', async () => {
    const { profile, url } = await profileAt()
    const first = await profile.tab(url)
    await begin(first, 'Ada')
    await first.getByRole('heading', { name: 'No chats yet' }).waitFor()
    const second = await profile.tab(url)
    await second.getByText('Sotto also runs in another tab').waitFor()
    await second.getByText('Ada', { exact: true }).waitFor()
    const locks = await second.evaluate(async () => (await navigator.locks.query()).held?.length)
    expect(locks).to.equal(1)

    await second.getByRole('button', { name: 'Use here' }).click()
    await first.getByText('Sotto also runs in another tab').waitFor()
    await second.getByText('Sotto also runs in another tab').waitFor({ state: 'detached' })
    await first.getByText('Ada', { exact: true }).waitFor()

    await second.close()
    await first.getByText('Sotto also runs in another tab').waitFor({ state: 'detached' })
    await first.getByText('Ada', { exact: true }).waitFor()
    expect(profile.complaints).to.deep.equal([])
  })

  it('a deleted database is a lost device, never a new account', async () => {
    const { profile, url } = await profileAt()
    const page = await profile.tab(url)
    await begin(page, 'Ada')
    await page.getByRole('heading', { name: 'No chats yet' }).waitFor()
    await page.goto(`${url}/pressable.css`)
    await page.evaluate(async () => {
      for (const { name = '' } of await indexedDB.databases())
        await new Promise((resolve) => {
          const request = indexedDB.deleteDatabase(name)
          request.onsuccess = resolve
        })
    })
    await page.goto(url)
    await page.getByText('E_STORE_EVICTED').waitFor()
    await page.getByRole('button', { name: 'Begin anew' }).click()
    await page.getByRole('button', { name: 'Really begin anew' }).click()
    await page.getByRole('heading', { name: 'Talk quietly' }).waitFor()
    expect(profile.complaints).to.deep.equal([])
  })

  it('127: markup in names, texts, links and addresses is text', async () => {
    const corpus = [
      '<img src=x onerror="window.__x=1">',
      '<script>window.__x=1</script>',
      '"><svg/onload=window.__x=1>',
      'javascript:window.__x=1',
      '<iframe srcdoc="<script>parent.__x=1</script>">',
      '{{constructor.constructor("window.__x=1")()}}',
      '<a href="javascript:window.__x=1">press</a>',
      '<style>@import "https://evil.example/x.css"</style>',
      '</textarea><img src=https://evil.example/x onerror=window.__x=1>',
      '<math><mtext><table><mglyph><style><img src=x onerror=window.__x=1>',
      '\u202Egnp.exe\u0000<b onmouseover=window.__x=1>',
      '<div style="background:url(https://evil.example)">',
    ]
    const world = busyWorld()
    world.messages = corpus.map((text, index) => ({
      ...message(index, text, text),
      replyTo: index === 0 ? null : `m${index - 1}`,
      reactions: [{ emoji: text, by: [`p${index}`] }],
      author: { accountId: `p${index}`, deviceId: text, name: text, me: index === 1 },
    }))
    world.conversations = corpus.map((name, index) =>
      conversation(`c${index}`, name, message(index, name, name), { kind: 'group', accountId: null }),
    )
    world.contacts = corpus.map((name, index) => contact(`p${index}`, name))
    world.members = corpus.map((name, index) =>
      member(`p${index}`, name, 'member', [{ deviceId: name, name, state: 'active' }]),
    )
    world.audit = corpus.flatMap((text, index) => [
      line(index, 'device-added', { subject: `p${index}`, deviceId: text }),
      line(index, text, { by: `p${index}`, subject: text, detail: text }),
      line(index, 'role-changed', { by: `p${index}`, subject: text, detail: text }),
    ])
    world.devices = corpus.map((text, index) => ownDevice(`d${index}${text}`, text, { addedBy: text }))
    world.requests = corpus.map((name, index) => ({
      ...{ requestId: `r${index}`, accountId: name, name, atMs: 0 },
      group: index === 0 ? null : { conversationId: `g${index}`, name },
    }))
    world.self = {
      accountId: 'a',
      deviceId: corpus[0] ?? '',
      name: corpus[1] ?? '',
      recoveryConfirmed: false,
    }
    const relays = corpus.map((address, index) => ({
      relayId: `${index}`,
      address: `/dns4/${address}`,
      state: 'connected' as const,
      items: 0,
    }))
    const warnings = corpus.map((code) => ({ code, message: code, atMs: 0 }))
    world.status = { ...world.status, relays, warnings }
    const face = new ScreenFace(world)
    const { profile, url } = await profileAt(face)
    const page = await profile.tab(url)
    await page.getByRole('row').first().click()
    await page
      .getByRole('log')
      .getByText(corpus[0] ?? '')
      .first()
      .waitFor()
    for (const text of corpus) {
      await page.getByLabel('Message', { exact: true }).fill(text)
      await page.keyboard.press('Enter')
      await page.getByRole('log').getByText(text, { exact: true }).last().waitFor()
      face.tell({ type: 'message', message: message(90, text, text) })
    }
    await page.getByRole('button', { name: 'About this group' }).click()
    await page.getByRole('dialog').getByText('onerror').first().waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Your devices' }).click()
    await page.getByRole('dialog').getByText('onerror').first().waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: /Connection details/ }).click()
    await page
      .getByRole('dialog', { name: 'Connection' })
      .getByText('dns4')
      .first()
      .or(page.getByText('onerror').first())
      .waitFor()
    expect(face.sent).to.have.length(corpus.length)
    expect(await page.evaluate(() => (globalThis as { __x?: unknown }).__x)).to.equal(undefined)
    expect(await page.locator('img:not([role]), iframe, main style, [srcdoc]').count()).to.equal(0)
    expect(profile.complaints).to.deep.equal([])
  })
})
