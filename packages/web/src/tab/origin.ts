/** Who serves this page: a node of the person's own, or somebody's host, so that the device runs here. */
export type Host = 'node' | 'tab'

/** A loopback page is the person's own machine. */
export const onLoopback = (): boolean => /^(localhost|127[.][0-9.]+|\[::1\])$/.test(location.hostname)

/** Asks the own origin who it is. A host that does not answer is only a host. */
export async function askHost(): Promise<Host> {
  const answer = (await askJson('/face.json')) as { readonly face?: unknown } | undefined
  return answer?.face === 'node' ? 'node' : 'tab'
}

/** The address of the relay that serves this page, the best one for a tab; undefined when it is none. */
export async function askRelay(): Promise<string | undefined> {
  const answer = (await askJson('/.well-known/sotto')) as { readonly addresses?: unknown } | undefined
  const addresses: unknown[] = Array.isArray(answer?.addresses) ? answer.addresses : []
  const sockets = addresses.filter(
    (address): address is string => typeof address === 'string' && /[/]wss?([/]|$)/.test(address),
  )
  const secure = sockets.find((address) => /[/](wss|tls)[/]/.test(address))
  return location.protocol === 'https:' ? secure : (secure ?? sockets[0])
}

async function askJson(path: string): Promise<unknown> {
  try {
    const response = await fetch(path, { credentials: 'same-origin', cache: 'no-store' })
    return response.ok ? await response.json() : undefined
  } catch {
    return undefined
  }
}
