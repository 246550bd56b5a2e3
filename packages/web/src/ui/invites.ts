import type { AddedView } from '@sotto/core'
import type { Tab } from '../create-tab.ts'
import type { Model } from './model.ts'

/**
 * The link to hand out. A link made in a tab names no host; the relay that serves the page does as one, so
 * that the link opens in any browser.
 */
export async function shareLink(tab: Tab, role: 'own' | 'follower' | 'node', link: string): Promise<string> {
  const bare = 'sotto:i#'
  if (role === 'node' || !link.startsWith(bare) || (await tab.relay()) === undefined) return link
  return `${location.origin}/i#${link.slice(bare.length)}`
}

const onlineWithinMs = 20_000
const againMs = 500

/** Takes an invite up. A device that was made a moment ago is given time to come online. */
export async function addPatiently(tab: Tab, model: Model, link: string): Promise<AddedView> {
  const relay = await tab.relay()
  const until = performance.now() + onlineWithinMs
  for (;;) {
    try {
      return await model.add(link, relay === undefined ? [] : [relay])
    } catch (failure) {
      const offline =
        typeof failure === 'object' && failure !== null && 'code' in failure && failure.code === 'E_OFFLINE'
      if (!offline || performance.now() > until) throw failure
      await new Promise((resolve) => setTimeout(resolve, againMs))
    }
  }
}
