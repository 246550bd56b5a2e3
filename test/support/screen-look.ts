/** Shows a world of a screen face in a browser, and looks at a screen dark and light, wide and narrow. */
import { expect } from 'chai'
import { mkdir } from 'node:fs/promises'
import type { Browser, Page } from './browser.ts'
import { servePage } from './page-server.ts'
import { ScreenFace, type ScreenWorld } from './screen-face.ts'
import { newProfile, type Profile } from './tabs.ts'

/** `npm run screenshots` sets it: where the pictures go, a folder git does not know. */
const folder = process.env['SOTTO_SCREENSHOTS'] ?? ''

const looks = [
  { look: 'light-wide', colorScheme: 'light', width: 1180, height: 760 },
  { look: 'dark-wide', colorScheme: 'dark', width: 1180, height: 760 },
  { look: 'light-narrow', colorScheme: 'light', width: 390, height: 780 },
  { look: 'dark-narrow', colorScheme: 'dark', width: 390, height: 780 },
] as const

const widest = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)

/** Buttons and fields a finger could miss; the connection line has its margin around it. */
const small = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('button, input, textarea, select, summary')]
      .filter(
        (element) =>
          element.getClientRects().length > 0 && !element.matches('[aria-label*="Connection details"]'),
      )
      .filter((element) => {
        const box = element.getBoundingClientRect()
        // What a finger hits around a smaller pill belongs to it.
        const around = getComputedStyle(element, '::after')
        const more = around.position === 'absolute' ? around : undefined
        const width = Math.max(box.width, Number.parseFloat(more?.width ?? '0') || 0)
        const height = Math.max(box.height, Number.parseFloat(more?.height ?? '0') || 0)
        const { clipPath } = getComputedStyle(element.parentElement ?? element)
        return (width < 44 || height < 44) && width > 1 && clipPath === 'none'
      })
      .map((element) => `${element.ariaLabel ?? element.textContent} ${element.className}`),
  )

/** Looks at the screen in its four looks and checks what holds on every one. */
export async function look(page: Page, name: string): Promise<void> {
  if (folder !== '') await mkdir(folder, { recursive: true })
  for (const { look, colorScheme, width, height } of looks) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await page.setViewportSize({ width, height })
    expect(await widest(page), `${name} ${look}: sideways`).to.equal(0)
    expect(await small(page), `${name} ${look}: small targets`).to.deep.equal([])
    if (folder !== '') await page.screenshot({ path: `${folder}/${name}-${look}.png` })
  }
  await page.setViewportSize({ width: 1180, height: 760 })
}

export type Visit = (page: Page, face: ScreenFace, profile: Profile) => Promise<void>

/** Opens the page on a world in a fresh profile; anything it complains of fails the test. */
export async function showWorld(
  browser: Browser,
  world: ScreenWorld,
  visit: Visit,
  path = '/',
): Promise<void> {
  const face = new ScreenFace(world)
  const served = await servePage(face)
  const profile = await newProfile(browser, served.url)
  try {
    const page = await profile.tab(served.url + path)
    await visit(page, face, profile)
    expect(profile.complaints).to.deep.equal([])
  } finally {
    await profile.context.close()
    await served.close()
  }
}
