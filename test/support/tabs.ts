/** The built web app for browser tests: made when stale, served by a real relay, its tabs watched. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContext, Page } from './browser.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Where the app is built to. */
export const appFolder = join(root, 'packages/web/dist')

const sources = ['packages/web/src', 'packages/web/public', 'packages/core/src', 'packages/core/bindings']

function newestMs(path: string): number {
  const stat = statSync(path)
  if (!stat.isDirectory()) return stat.mtimeMs
  return Math.max(0, ...readdirSync(path).map((name) => newestMs(join(path, name))))
}

/** Builds the app unless it is newer than its sources. */
export async function buildApp(): Promise<void> {
  const page = join(appFolder, 'index.html')
  const builtMs = existsSync(page) ? statSync(page).mtimeMs : 0
  if (Math.max(...sources.map((path) => newestMs(join(root, path)))) < builtMs) return
  const vite = spawn(join(root, 'node_modules/.bin/vite'), ['build', 'packages/web', '--logLevel', 'error'], {
    cwd: root,
    stdio: 'inherit',
  })
  const [code] = (await once(vite, 'close')) as [number | null]
  if (code !== 0) throw new Error(`vite build ended with code ${String(code)}`)
}

/**
 * WebRTC needs an interface beside loopback and a default route. Without them the suite is skipped, loudly.
 */
export function needWebRtc(context: Mocha.Context): void {
  const far = Object.values(networkInterfaces()).some((list) => list?.some(({ internal }) => !internal))
  const routes = existsSync('/proc/net/route') ? readFileSync('/proc/net/route', 'utf8') : undefined
  const routed = routes === undefined || /^\S+\t00000000\t/m.test(routes)
  if (far && routed) return
  console.warn('SKIPPED: WebRTC needs a non-loopback interface and a default route, and there is none')
  context.skip()
}

/** One browser profile of a person, with everything that goes wrong in its tabs. */
export interface Profile {
  readonly context: BrowserContext
  /** Errors, console errors, policy violations, requests to another origin. */
  readonly complaints: readonly string[]
  tab(url: string): Promise<Page>
}

export interface ProfileOptions {
  readonly colorScheme?: 'dark' | 'light'
  readonly width?: number
  readonly height?: number
}

/** A fresh profile in memory. Whatever the relay's death makes the console say is no complaint: `forgive`. */
export async function newProfile(
  browser: Browser,
  origin: string,
  options: ProfileOptions = {},
): Promise<Profile> {
  const { colorScheme = 'light', width = 1180, height = 760 } = options
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme,
    reducedMotion: 'reduce',
    locale: 'en-GB',
    timezoneId: 'UTC',
  })
  const complaints: string[] = []
  context.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  context.on('weberror', (error) => complaints.push(String(error.error())))
  context.on('request', (request) => {
    const { origin: asked, protocol } = new URL(request.url())
    if (asked !== origin && protocol !== 'data:' && protocol !== 'blob:') complaints.push(`asked ${asked}`)
  })
  context.on('page', (page) =>
    page.on('dialog', (dialog) => void complaints.push(`dialog ${dialog.message()}`)),
  )
  await context.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) =>
      console.error(`violation of ${event.effectiveDirective}: ${event.blockedURI} ${event.sample}`),
    )
  })
  const tab = async (url: string): Promise<Page> => {
    const page = await context.newPage()
    await page.goto(url)
    return page
  }
  return { context, complaints, tab }
}

/** Goes through the welcome screen. */
export async function begin(page: Page, name: string, button = 'Start'): Promise<void> {
  await page.getByLabel('Your name').fill(name)
  await page.getByRole('button', { name: button }).click()
}

/** Makes an invite in the dialog and gives its link once somebody keeps it. */
export async function inviteLink(page: Page): Promise<string> {
  await page.getByRole('button', { name: 'Add a contact' }).first().click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText(/keeps it, sealed/).waitFor()
  const link = await dialog.locator('[data-invite-link]').innerText()
  await dialog.getByRole('button', { name: 'Close' }).click()
  return link.trim()
}

/** Writes a message in the open conversation. */
export async function write(page: Page, text: string): Promise<void> {
  await page.getByLabel('Message', { exact: true }).fill(text)
  await page.keyboard.press('Enter')
}
