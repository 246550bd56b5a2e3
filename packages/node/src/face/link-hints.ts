import type { CommandName, Commands, DeviceFace } from '@sotto/core'
import { z } from 'zod'
import { nodeLimits } from '../limits.ts'

const address = z.string().min(1).max(512)
const wellKnown = z.looseObject({ addresses: z.array(address) })

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)

/** Where a link's host describes itself; undefined for links without a host and for plain http elsewhere. */
export function wellKnownUrl(link: string): URL | undefined {
  const url = URL.parse(link)
  if (url === null) return undefined
  const open = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))
  if (!open || url.username !== '' || url.password !== '') return undefined
  return new URL('/.well-known/sotto', url.origin)
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += (chunk as Uint8Array).length
    if (bytes > nodeLimits.wellKnownBytes) return ''
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/**
 * The addresses of the relay a link names, asked of its host; empty when it does not answer in time. The host
 * learns that somebody opens a link of its own; the secret behind `#` is never sent.
 */
export async function relayHints(link: string, load: typeof fetch = fetch): Promise<readonly string[]> {
  const url = wellKnownUrl(link)
  if (url === undefined) return []
  try {
    const signal = AbortSignal.timeout(nodeLimits.wellKnownMs)
    const response = await load(url, { signal, redirect: 'error', credentials: 'omit', cache: 'no-store' })
    if (!response.ok) return []
    const parsed = wellKnown.safeParse(JSON.parse(await readBounded(response)))
    return parsed.success ? parsed.data.addresses.slice(0, nodeLimits.wellKnownAddresses) : []
  } catch {
    return []
  }
}

/** A device whose `add` first asks the link's host for its relay, which a page may not and a device cannot. */
export function withLinkHints(face: DeviceFace, load: typeof fetch = fetch): DeviceFace {
  return {
    async dispatch<C extends CommandName>(command: C, input: Commands[C]['in']): Promise<Commands[C]['out']> {
      if (command !== 'add') return face.dispatch(command, input)
      const add = input as Commands['add']['in']
      const hints = await relayHints(add.link, load)
      const hinted = hints.length === 0 ? add : { ...add, relayHints: hints }
      return face.dispatch(command, hinted)
    },
    view: (query, input) => face.view(query, input),
    subscribe: (listener) => face.subscribe(listener),
  }
}
