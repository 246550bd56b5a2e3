import { createServer } from 'node:net'
import { RelayFailure, codeOf, exits } from './failure.ts'

/** Where a relay listens unless told otherwise: peers over TCP, browsers over WebSocket. */
export const defaultListen: readonly string[] = ['/ip4/0.0.0.0/tcp/4001', '/ip4/0.0.0.0/tcp/4002/ws']

/** Where it serves the web app, its health and its address. */
export const defaultHttp = '127.0.0.1:9640'

const tries = 20

/** Whether a port can be listened on; rethrows what is not about the port being taken. */
function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (thrown) => {
      if (codeOf(thrown) === 'EADDRINUSE') resolve(false)
      else reject(thrown)
    })
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(true)))
  })
}

/** The first free port from `port` on; 0 stays 0, the system's choice. */
export async function freePort(host: string, port: number, taken: ReadonlySet<number>): Promise<number> {
  if (port === 0) return 0
  for (let at = port; at < port + tries; at++) if (!taken.has(at) && (await isFree(host, at))) return at
  throw new RelayFailure('E_LISTEN', exits.network, `ports ${port} to ${port + tries - 1} are all in use`)
}

interface Place {
  readonly host: string
  readonly port: number
  readonly before: string
  readonly after: string
}

function placeOf(address: string): Place | undefined {
  const [, before = '', host = '', port = '', after = ''] =
    /^(\/ip[46]\/([0-9a-fA-F.:]+)\/tcp\/)(\d{1,5})((?:\/ws)?)$/.exec(address) ?? []
  return before === '' ? undefined : { host, port: Number(port), before, after }
}

/** What became of the addresses: where to listen, and which default ports had to give way. */
export interface Listening {
  readonly addresses: readonly string[]
  readonly moved: readonly { readonly from: number; readonly to: number }[]
}

/**
 * Addresses to listen on. Those somebody asked for are taken or refused as they are (`E_LISTEN`, exit 3);
 * the defaults move to the next free port.
 */
export async function chooseAddresses(asked: readonly string[]): Promise<Listening> {
  const addresses: string[] = []
  const moved: { from: number; to: number }[] = []
  const taken = new Set<number>()
  for (const address of asked.length > 0 ? asked : defaultListen) {
    const place = placeOf(address)
    if (place === undefined) {
      const hint = 'an address looks like /ip4/0.0.0.0/tcp/4001 or /ip4/0.0.0.0/tcp/4002/ws'
      throw new RelayFailure('E_LISTEN', exits.usage, 'cannot listen on that kind of address', hint)
    }
    if (asked.length > 0) await mustBeFree(place)
    const port = asked.length > 0 ? place.port : await freePort(place.host, place.port, taken)
    if (port !== place.port) moved.push({ from: place.port, to: port })
    taken.add(port)
    addresses.push(`${place.before}${port}${place.after}`)
  }
  return { addresses, moved }
}

async function mustBeFree({ host, port }: Place): Promise<void> {
  const free = port === 0 || (await isFree(host, port).catch(() => false))
  if (!free)
    throw new RelayFailure('E_LISTEN', exits.network, `cannot listen on port ${port}`, 'is it in use?')
}

/**
 * The host invite links of a relay name: the one its operator did, else that of its own pages when they are on
 * loopback, the one place a link may be plain http; else null.
 */
export function linkHostOf(named: string, url: string): string | null {
  if (named !== '') return named
  const { host, hostname } = new URL(url)
  return /^127(\.\d{1,3}){3}$/.test(hostname) || hostname === '[::1]' ? host : null
}

/** Reads `HOST:PORT` or `[V6]:PORT`. */
export function readHostPort(value: string): { readonly host: string; readonly port: number } {
  const [, v6 = '', name = '', digits = ''] =
    /^(?:\[([0-9a-fA-F:]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(value) ?? []
  const port = Number(digits)
  const host = v6 === '' ? name : v6
  if (host === '' || port > 65_535)
    throw new RelayFailure('E_LISTEN', exits.usage, 'an HTTP address looks like 127.0.0.1:9640')
  return { host, port }
}
