import { PortError } from '@sotto/core/ports'
import type { DeviceEvent } from '@sotto/core'
import { startDaemon } from '../daemon.ts'
import type { Daemon } from '../daemon.ts'
import { findDaemon } from '../local-api/find-daemon.ts'
import type { NodeHandle, NetworkOptions } from '../node-handle.ts'
import { version } from './account.ts'
import type { Context } from './context.ts'
import { noAccount, openHere, pathsOf, homeExists } from './session.ts'

/** Where a node is reached and what it should remember. */
export interface NodeOptions {
  readonly listen?: readonly string[]
  readonly bootstrap?: readonly string[]
  readonly relay?: readonly string[]
  /** False with `--no-mdns`. */
  readonly mdns?: boolean
}

/** A node running in this process. */
export interface RunningNode {
  readonly node: NodeHandle
  readonly daemon: Daemon
  readonly peerId: string
  readonly listen: readonly string[]
  /** Resolves when `sotto down` asks for the end or a signal comes; rejects when the device halted. */
  readonly ended: Promise<unknown>
}

const everywhere: readonly string[] = ['/ip4/0.0.0.0/tcp/0', '/ip4/0.0.0.0/tcp/0/ws']

/** Listens on this machine alone. */
export const loopback: readonly string[] = ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws']

/** How a node that was told this much reaches others. */
export const networkOptions = (given: NodeOptions): NetworkOptions => ({
  listen: given.listen ?? everywhere,
  mdns: given.mdns ?? true,
})

/** Keeps the relays and entry points that were given. */
export async function remember({ face }: NodeHandle, given: NodeOptions): Promise<void> {
  for (const address of given.bootstrap ?? []) await face.dispatch('add-bootstrap', { address })
  for (const address of given.relay ?? []) await face.dispatch('add-relay', { address })
}

export const homeLocked = (): PortError =>
  new PortError('E_HOME_LOCKED', 'this home is already in use', {
    hint: 'It is running. End it with: sotto down',
    retryable: true,
  })

async function refuseSecond({ io, options }: Context): Promise<void> {
  const daemon = await findDaemon(pathsOf(io, options).api)
  if (daemon === undefined) return
  daemon.close()
  throw homeLocked()
}

/** What a running node lets its web face do. */
export interface WebHook {
  readonly url: () => string | null
  readonly open: () => string | undefined
}

const noWeb: WebHook = { url: () => null, open: () => undefined }

/** Brings the node of a home up with its network and its socket; the home has an account unless `name` makes one. */
export async function runNode(
  context: Context,
  given: NodeOptions,
  extras: { readonly name?: () => Promise<string>; readonly web?: WebHook } = {},
): Promise<RunningNode> {
  const { deps, io, options } = context
  await refuseSecond(context)
  const paths = pathsOf(io, options)
  if (extras.name === undefined && !homeExists(paths)) throw noAccount()
  const node = await openHere(deps, io, options, networkOptions(given))
  try {
    if ((await node.face.view('self', {})) === null) {
      if (extras.name === undefined) throw noAccount()
      await node.face.dispatch('create-account', { name: await extras.name() })
    }
    await node.connected()
    await remember(node, given)
    const end = Promise.withResolvers<undefined>()
    // Nobody may be waiting yet when it comes.
    end.promise.catch(() => undefined)
    void node.halted.then((error) => end.reject(error))
    const web = extras.web ?? noWeb
    const info = { version, pid: process.pid, home: paths.home, keyProtection: node.keyProtection }
    const control = {
      info: () => ({ ...info, web: web.url() }),
      openWeb: web.open,
      shutdown: () => end.resolve(undefined),
    }
    const daemon = await startDaemon(node, paths, control, io.env)
    io.interrupted.addEventListener('abort', () => end.resolve(undefined), { once: true })
    if (io.interrupted.aborted) end.resolve(undefined)
    const { peerId, listen } = await node.face.view('status', {})
    return { node, daemon, peerId, listen, ended: end.promise }
  } catch (error) {
    await node.stop()
    throw error
  }
}

/** Passes every event on until the node ends, then stops it cleanly. */
export async function untilEnd(
  { node, daemon, ended }: RunningNode,
  onEvent: (event: DeviceEvent) => void,
): Promise<void> {
  const stop = node.face.subscribe(onEvent)
  try {
    await ended
  } finally {
    stop()
    await daemon.stop()
  }
}
